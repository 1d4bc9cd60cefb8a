#include <ATen/ATen.h>

#include "base/check.h"
#include "engine/engine.h"
#include "engine/score.h"
#include "model/transformer.h"

namespace autodidact::engine {
namespace {

// Prefixes and their continuations side by side, and which states predict which tokens.
class ScoreBatch {
 public:
  std::size_t AddPrefix(const std::vector<schema::TokenId>& ids) {
    AD_CHECK(!ids.empty(), "a continuation needs a prefix");
    return batch_.Add(ids);
  }

  // The first token of a continuation is predicted by the prefix's last state, the others by their predecessors'.
  void AddContinuation(std::size_t prefix, const std::vector<schema::TokenId>& ids) {
    sizes_.push_back(ids.size());
    if (ids.empty()) return;
    const std::size_t segment = batch_.AddContinuation(prefix, ids);
    const std::int64_t begin = batch_.segments()[segment].begin;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      sources_.push_back(i == 0 ? batch_.segments()[prefix].end - 1 : begin + static_cast<std::int64_t>(i) - 1);
      targets_.push_back(ids[i]);
    }
  }

  // One vector per continuation, in the order of their adding.
  std::vector<std::vector<float>> Score(const model::WeightSet& weights, double temperature) const {
    if (targets_.empty()) return std::vector<std::vector<float>>(sizes_.size());
    const c10::InferenceMode inference;
    const at::Tensor hidden_TE = model::Forward(weights.config(), weights.parameters(), batch_);
    const auto on_device = [&](const std::vector<std::int64_t>& values) {
      return at::tensor(values, at::kLong).to(hidden_TE.device());
    };
    const at::Tensor hidden_ME = hidden_TE.index_select(0, on_device(sources_));
    const at::Tensor logprobs_M = model::ScoreTokens(hidden_ME, model::LmHead(weights.config(), weights.parameters()),
                                                     on_device(targets_), temperature)
                                      .logprobs_M.to(at::kCPU)
                                      .contiguous();
    const float* next = logprobs_M.const_data_ptr<float>();
    std::vector<std::vector<float>> scores;
    for (const std::size_t size : sizes_) {
      scores.emplace_back(next, next + size);
      next += size;
    }
    return scores;
  }

 private:
  model::PackedBatch batch_;
  std::vector<std::int64_t> sources_;
  std::vector<std::int64_t> targets_;
  std::vector<std::size_t> sizes_;
};

}  // namespace

std::vector<std::vector<float>> ScoreContinuations(const model::WeightSet& weights,
                                                   const std::vector<schema::TokenId>& prefix,
                                                   const std::vector<std::vector<schema::TokenId>>& continuations,
                                                   double temperature) {
  ScoreBatch batch;
  const std::size_t shared = batch.AddPrefix(prefix);
  for (const auto& continuation : continuations) batch.AddContinuation(shared, continuation);
  return batch.Score(weights, temperature);
}

std::vector<std::vector<float>> ScoreAll(const model::WeightSet& weights, const std::vector<ScoreRequest>& requests,
                                         double temperature) {
  ScoreBatch batch;
  for (const ScoreRequest& request : requests) {
    AD_CHECK(!request.continuation.empty(), "a continuation of no tokens has no score");
    batch.AddContinuation(batch.AddPrefix(request.prefix), request.continuation);
  }
  return batch.Score(weights, temperature);
}

}  // namespace autodidact::engine
