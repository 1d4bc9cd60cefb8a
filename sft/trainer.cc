#include "sft/trainer.h"

#include <numeric>
#include <utility>

#include "base/check.h"
#include "model/transformer.h"

namespace autodidact::sft {
namespace {

// Endless rows of one source, a permutation after the other.
class RowOrder {
 public:
  RowOrder(std::size_t rows, std::uint64_t seed, std::uint64_t share) : seed_(seed), share_(share), order_(rows) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    next_ = rows;
  }

  std::size_t Next() {
    if (next_ == order_.size()) {
      base::RandomWalk walk({.seed = seed_,
                             .stream = base::RandomStream::kShuffle,
                             .item = pass_++,
                             .sub = static_cast<std::uint32_t>(share_)});
      base::Shuffle(order_, walk);
      next_ = 0;
    }
    return order_[next_++];
  }

 private:
  std::uint64_t seed_;
  std::uint64_t share_;
  std::uint64_t pass_ = 0;
  std::vector<std::size_t> order_;
  std::size_t next_;
};

// A batch without padding. Shape letter: M tokens of all completions.
struct Batch {
  model::PackedBatch packed;
  std::vector<std::int64_t> places;   // per M: the row that predicts it
  std::vector<std::int64_t> targets;  // per M
  std::vector<std::int64_t> share;    // per M

  void Add(const Example& example, std::int64_t of_share) {
    AD_CHECK(!example.prompt.empty() && !example.completion.empty(), "an example without prompt or completion");
    std::vector<schema::TokenId> ids = example.prompt;
    // The last token is predicted but predicts nothing.
    ids.insert(ids.end(), example.completion.begin(), example.completion.end() - 1);
    const std::int64_t begin = packed.num_tokens();
    packed.Add(ids);
    for (std::size_t t = 0; t < example.completion.size(); ++t) {
      places.push_back(begin + static_cast<std::int64_t>(example.prompt.size() + t) - 1);
      targets.push_back(example.completion[t]);
      share.push_back(of_share);
    }
  }
};

}  // namespace

void TrainSupervised(learner::FlatParameters& parameters, const std::vector<Share>& shares,
                     const SupervisedConfig& config, const OnStep& on_step) {
  learner::AdamW optimizer(config.optimizer, parameters);
  std::vector<RowOrder> orders;
  for (std::size_t s = 0; s < shares.size(); ++s) orders.emplace_back(shares[s].source->size(), config.seed, s);
  const at::Device device = parameters.flat().device();
  at::AutoGradMode grad(true);
  for (std::int64_t step = 0; step < config.max_steps; ++step) {
    base::RandomWalk walk(
        {.seed = config.seed, .stream = base::RandomStream::kSft, .item = static_cast<std::uint64_t>(step)});
    Batch batch;
    for (std::size_t s = 0; s < shares.size(); ++s) {
      for (std::int64_t i = 0; i < shares[s].per_batch; ++i) {
        batch.Add(shares[s].source->Draw(orders[s].Next(), walk), static_cast<std::int64_t>(s));
      }
    }
    const at::Tensor hidden_TE = model::Forward(parameters.config(), parameters.parameters(), batch.packed);
    const at::Tensor hidden_ME = hidden_TE.index_select(0, at::tensor(batch.places, at::kLong).to(device));
    const at::Tensor logprobs_M =
        model::ScoreTokens(hidden_ME, model::LmHead(parameters.config(), parameters.parameters()),
                           at::tensor(batch.targets, at::kLong).to(device), /*temperature=*/1.0)
            .logprobs_M;
    const auto count = static_cast<std::int64_t>(shares.size());
    const at::Tensor share_M = at::tensor(batch.share, at::kLong).to(device);
    const at::Tensor none = at::zeros({count}, logprobs_M.options().requires_grad(false));
    const at::Tensor tokens = none.index_add(0, share_M, at::ones_like(logprobs_M.detach()));
    const at::Tensor losses = none.index_add(0, share_M, -logprobs_M) / tokens;
    losses.mean().backward();
    optimizer.Step();
    if (!on_step) continue;
    const at::Tensor means = losses.detach().to(at::kDouble).cpu();
    on_step(step + 1, {means.const_data_ptr<double>(), means.const_data_ptr<double>() + count});
  }
}

}  // namespace autodidact::sft
