#include "engine/torch_sampling.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace autodidact::engine {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool SameDistribution(const SamplingParams& a, const SamplingParams& b) {
  return a.temperature == b.temperature && a.top_k == b.top_k && a.top_p == b.top_p && a.min_p == b.min_p &&
         a.repetition_penalty == b.repetition_penalty;
}

// [N, longest] ids that each row has seen, short rows filled up with their first.
at::Tensor SeenIds(std::span<const DrawSpec* const> draws) {
  std::size_t longest = 1;
  for (const DrawSpec* draw : draws) longest = std::max(longest, draw->prompt.size() + draw->generated.size());
  const at::Tensor seen =
      at::empty({static_cast<std::int64_t>(draws.size()), static_cast<std::int64_t>(longest)}, at::kLong);
  std::int64_t* next = seen.mutable_data_ptr<std::int64_t>();
  for (const DrawSpec* draw : draws) {
    std::vector<std::int64_t> ids(draw->prompt.begin(), draw->prompt.end());
    ids.insert(ids.end(), draw->generated.begin(), draw->generated.end());
    AD_CHECK(!ids.empty(), "a draw without a prompt");
    ids.resize(longest, ids.front());
    next = std::copy(ids.begin(), ids.end(), next);
  }
  return seen;
}

at::Tensor Penalized(const at::Tensor& logits_NV, std::span<const DrawSpec* const> draws, double penalty) {
  if (penalty == 1.0) return logits_NV;
  const at::Tensor seen = SeenIds(draws).to(logits_NV.device());
  const at::Tensor values = logits_NV.gather(1, seen);
  return logits_NV.scatter(1, seen, at::where(values > 0, values / penalty, values * penalty));
}

// Scores with -inf for what top-k, top-p and min-p cut.
at::Tensor Filtered(at::Tensor scores_NV, const SamplingParams& params) {
  if (params.top_k > 0 && params.top_k < scores_NV.size(1)) {
    const at::Tensor kth = std::get<0>(scores_NV.topk(params.top_k, 1)).narrow(1, params.top_k - 1, 1);
    scores_NV = scores_NV.masked_fill(scores_NV < kth, -kInfinity);
  }
  if (params.top_p < 1.0f) {
    const auto [sorted, order] = scores_NV.sort(/*stable=*/true, 1, /*descending=*/true);
    const at::Tensor probabilities = sorted.softmax(1);
    // What stands before a token already suffices; never the first.
    at::Tensor cut = probabilities.cumsum(1) - probabilities >= static_cast<double>(params.top_p);
    cut.select(1, 0).fill_(false);
    scores_NV = scores_NV.masked_fill(at::zeros_like(cut).scatter(1, order, cut), -kInfinity);
  }
  if (params.min_p > 0.0f) {
    const at::Tensor probabilities = scores_NV.softmax(1);
    scores_NV = scores_NV.masked_fill(probabilities < static_cast<double>(params.min_p) * probabilities.amax(1, true),
                                      -kInfinity);
  }
  return scores_NV;
}

// The lowest id among the largest; some id where a logit is not a number.
at::Tensor LowestArgmax(const at::Tensor& logits_NV) {
  const at::Tensor ids = at::arange(logits_NV.size(1), at::TensorOptions(at::kLong).device(logits_NV.device()));
  const at::Tensor largest = logits_NV == logits_NV.amax(1, true);
  return at::where(largest, ids, at::scalar_tensor(logits_NV.size(1) - 1, ids.options())).amin(1);
}

at::Tensor Uniforms(std::span<const DrawSpec* const> draws) {
  std::vector<double> uniforms;
  for (const DrawSpec* draw : draws) uniforms.push_back(base::UniformAt(draw->key, draw->position));
  return at::tensor(uniforms, at::kDouble);
}

// All draws have the same parameters.
std::vector<DrawnToken> DrawAlike(const at::Tensor& logits_NV, std::span<const DrawSpec* const> draws) {
  const SamplingParams& params = *draws.front()->params;
  const bool greedy = params.temperature <= 0;
  const double temperature = greedy ? 1.0 : static_cast<double>(std::max(params.temperature, kLeastTemperature));
  const at::Tensor raw_logprobs = (logits_NV / temperature).log_softmax(1);
  const at::Tensor penalized = Penalized(logits_NV, draws, static_cast<double>(params.repetition_penalty));
  at::Tensor ids_N;
  at::Tensor sampled_logprobs = raw_logprobs;
  if (greedy) {
    ids_N = LowestArgmax(penalized);
  } else {
    sampled_logprobs = Filtered(penalized / temperature, params).log_softmax(1);
    const at::Tensor mass = sampled_logprobs.to(at::kDouble).exp().cumsum(1);
    const at::Tensor target = Uniforms(draws).to(mass.device()).unsqueeze(1) * mass.narrow(1, mass.size(1) - 1, 1);
    ids_N = at::searchsorted(mass, target, false, /*right=*/true).squeeze(1).clamp_max(mass.size(1) - 1);
  }
  const at::Tensor index = ids_N.unsqueeze(1);
  const at::Tensor both =
      at::cat({raw_logprobs.gather(1, index), sampled_logprobs.gather(1, index)}, 1).to(at::kCPU).contiguous();
  const at::Tensor ids = ids_N.to(at::kCPU).contiguous();
  AD_CHECK(both.isfinite().all().item<bool>(), "the model's logits are not finite");
  std::vector<DrawnToken> drawn;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const float* pair = both.const_data_ptr<float>() + 2 * i;
    drawn.push_back({static_cast<schema::TokenId>(ids.const_data_ptr<std::int64_t>()[i]), pair[0], pair[1]});
  }
  return drawn;
}

}  // namespace

std::vector<DrawnToken> DrawRows(const at::Tensor& logits_NV, std::span<const DrawSpec* const> draws) {
  std::vector<DrawnToken> drawn;
  // Neighbours with the same parameters: in practice the whole batch.
  for (std::size_t begin = 0; begin < draws.size();) {
    std::size_t end = begin + 1;
    while (end < draws.size() && SameDistribution(*draws[begin]->params, *draws[end]->params)) ++end;
    const at::Tensor rows =
        logits_NV.narrow(0, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end - begin)).to(at::kFloat);
    const std::vector<DrawnToken> part = DrawAlike(rows, draws.subspan(begin, end - begin));
    drawn.insert(drawn.end(), part.begin(), part.end());
    begin = end;
  }
  return drawn;
}

}  // namespace autodidact::engine
