#include <ATen/ATen.h>

#include "base/check.h"
#include "engine/engine.h"
#include "model/transformer.h"

namespace autodidact::engine {

// The prefix is computed once. The first token of a continuation is predicted by the prefix's last state, the others by
// the states of their predecessors.
std::vector<std::vector<float>> ScoreContinuations(const model::WeightSet& weights,
                                                   const std::vector<schema::TokenId>& prefix,
                                                   const std::vector<std::vector<schema::TokenId>>& continuations,
                                                   double temperature) {
  AD_CHECK(!prefix.empty(), "a continuation needs a prefix");
  const c10::InferenceMode inference;
  model::PackedBatch batch;
  const std::size_t shared = batch.Add(prefix);
  std::vector<std::int64_t> sources;
  std::vector<std::int64_t> targets;
  for (const std::vector<schema::TokenId>& continuation : continuations) {
    if (continuation.empty()) continue;
    const std::size_t segment = batch.AddContinuation(shared, continuation);
    const std::int64_t begin = batch.segments()[segment].begin;
    for (std::size_t i = 0; i < continuation.size(); ++i) {
      sources.push_back(i == 0 ? static_cast<std::int64_t>(prefix.size()) - 1
                               : begin + static_cast<std::int64_t>(i) - 1);
      targets.push_back(continuation[i]);
    }
  }
  std::vector<std::vector<float>> scores;
  if (targets.empty()) return std::vector<std::vector<float>>(continuations.size());
  const at::Tensor hidden_TE = model::Forward(weights.config(), weights.parameters(), batch);
  const auto on_device = [&](const std::vector<std::int64_t>& values) {
    return at::tensor(values, at::kLong).to(hidden_TE.device());
  };
  const at::Tensor hidden_ME = hidden_TE.index_select(0, on_device(sources));
  const at::Tensor logprobs_M = model::ScoreTokens(hidden_ME, model::LmHead(weights.config(), weights.parameters()),
                                                   on_device(targets), temperature)
                                    .logprobs_M.to(at::kCPU)
                                    .contiguous();
  const float* next = logprobs_M.const_data_ptr<float>();
  for (const std::vector<schema::TokenId>& continuation : continuations) {
    scores.emplace_back(next, next + continuation.size());
    next += continuation.size();
  }
  return scores;
}

}  // namespace autodidact::engine
