// Log-probabilities of many given continuations, each after a prefix of its own.
#pragma once

#include <vector>

#include "model/weight_set.h"
#include "schema/types.h"

namespace autodidact::engine {

struct ScoreRequest {  // neither may be empty
  std::vector<schema::TokenId> prefix;
  std::vector<schema::TokenId> continuation;
};

// One vector per request, in their order; one number per token, untruncated, at `temperature`. All are computed
// together. Blocks for the computation, with the calling thread's intra-op threads.
std::vector<std::vector<float>> ScoreAll(const model::WeightSet& weights, const std::vector<ScoreRequest>& requests,
                                         double temperature = 1.0);

}  // namespace autodidact::engine
