#include "sft/trainer.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "model/transformer.h"

namespace autodidact::sft {
namespace {

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

// The mean loss per token of each share, and the number of its tokens.
struct Losses {
  at::Tensor means_S;
  at::Tensor tokens_S;
};

Losses Compute(const learner::FlatParameters& parameters, const Batch& batch, std::int64_t shares) {
  const at::Device device = parameters.flat().device();
  const at::Tensor hidden_TE = model::Forward(parameters.config(), parameters.parameters(), batch.packed);
  const at::Tensor hidden_ME = hidden_TE.index_select(0, at::tensor(batch.places, at::kLong).to(device));
  const at::Tensor logprobs_M =
      model::ScoreTokens(hidden_ME, model::LmHead(parameters.config(), parameters.parameters()),
                         at::tensor(batch.targets, at::kLong).to(device), /*temperature=*/1.0)
          .logprobs_M;
  const at::Tensor share_M = at::tensor(batch.share, at::kLong).to(device);
  const at::Tensor none = at::zeros({shares}, logprobs_M.options().requires_grad(false));
  const at::Tensor tokens = none.index_add(0, share_M, at::ones_like(logprobs_M.detach()));
  return {none.index_add(0, share_M, -logprobs_M) / tokens, tokens};
}

}  // namespace

// Endless rows of one source, a permutation after the other.
class SupervisedTrainer::RowOrder {
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

SupervisedTrainer::SupervisedTrainer(learner::FlatParameters& parameters, const std::vector<Share>& shares,
                                     const SupervisedConfig& config)
    : parameters_(parameters), shares_(shares), config_(config), optimizer_(config.optimizer, parameters) {
  for (std::size_t s = 0; s < shares.size(); ++s) {
    if (shares[s].source->size() == 0) base::ThrowBadInput("supervised training: a source has no example to learn");
    orders_.emplace_back(shares[s].source->size(), config.seed, s);
  }
}

SupervisedTrainer::~SupervisedTrainer() = default;

std::vector<double> SupervisedTrainer::Step() {
  const at::AutoGradMode grad(true);
  base::RandomWalk walk(
      {.seed = config_.seed, .stream = base::RandomStream::kSft, .item = static_cast<std::uint64_t>(steps_done_)});
  Batch batch;
  for (std::size_t s = 0; s < shares_.size(); ++s) {
    for (std::int64_t i = 0; i < shares_[s].per_batch; ++i) {
      batch.Add(shares_[s].source->Draw(orders_[s].Next(), walk), static_cast<std::int64_t>(s));
    }
  }
  const at::Tensor losses = Compute(parameters_, batch, std::ssize(shares_)).means_S;
  losses.mean().backward();
  optimizer_.Step();
  ++steps_done_;
  const at::Tensor means = losses.detach().to(at::kDouble).cpu();
  return {means.const_data_ptr<double>(), means.const_data_ptr<double>() + std::ssize(shares_)};
}

void SupervisedTrainer::GoOnAfter(std::int64_t steps) {
  AD_CHECK(steps_done_ == 0, "a training that has begun cannot go on elsewhere");
  for (std::size_t s = 0; s < shares_.size(); ++s) {
    for (std::int64_t i = 0; i < steps * shares_[s].per_batch; ++i) orders_[s].Next();
  }
  steps_done_ = steps;
}

void TrainSupervised(learner::FlatParameters& parameters, const std::vector<Share>& shares,
                     const SupervisedConfig& config, const OnStep& on_step) {
  SupervisedTrainer trainer(parameters, shares, config);
  while (trainer.steps_done() < config.max_steps) {
    const std::vector<double> losses = trainer.Step();
    if (on_step) on_step(trainer.steps_done(), losses);
  }
}

double HeldOutLoss(const learner::FlatParameters& parameters, const std::vector<const ExampleSource*>& sources,
                   std::int64_t batch_size, const std::function<void()>& on_batch) {
  const at::NoGradGuard no_grad;
  double sum_of_means = 0;
  int count = 0;
  for (const ExampleSource* source : sources) {
    double loss = 0;
    double tokens = 0;
    for (std::size_t begin = 0; begin < source->size();) {
      if (on_batch) on_batch();
      Batch batch;
      const std::size_t end = std::min(source->size(), begin + static_cast<std::size_t>(batch_size));
      for (; begin < end; ++begin) {
        base::RandomWalk walk({.seed = 0, .stream = base::RandomStream::kEval, .item = begin});
        batch.Add(source->Draw(begin, walk), 0);
      }
      const Losses losses = Compute(parameters, batch, 1);
      const double weight = losses.tokens_S.item<double>();
      loss += losses.means_S.item<double>() * weight;
      tokens += weight;
    }
    if (tokens == 0) continue;
    sum_of_means += loss / tokens;
    ++count;
  }
  AD_CHECK(count > 0, "a held-out loss of no examples");
  return sum_of_means / count;
}

}  // namespace autodidact::sft
