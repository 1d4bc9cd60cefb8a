// From one row of logits to one token, with both of its log-probabilities.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.h"
#include "engine/engine.h"
#include "schema/types.h"

namespace autodidact::engine {

// Positive temperatures below it draw as it does: there any two logits that differ are further apart than a draw can
// bridge, and their distance over it is still finite.
constexpr float kLeastTemperature = 1e-20f;

// What one draw depends on beside the logits. Borrows everything; valid during one call of a decoder.
struct DrawSpec {
  const SamplingParams* params = nullptr;
  base::RandomKey key;
  std::uint32_t position = 0;               // the token's place in its rollout: the counter of the random number
  std::span<const schema::TokenId> prompt;  // both for the repetition penalty
  std::span<const schema::TokenId> generated;
};

struct DrawnToken {
  schema::TokenId id = 0;
  float logprob = 0;          // untruncated, at the temperature
  float sampled_logprob = 0;  // of the distribution drawn from
};

// Reusable buffers of one thread.
class Sampler {
 public:
  // logits: padded_size(vocab_size) floats, of which the first vocab_size matter; overwritten. The order of the filters
  // is Hugging Face's: repetition penalty, temperature, top-k (ties with the k-th stay), top-p (equal ones by id),
  // min-p. Greedy takes the lowest id among equals. Throws Error(kBug) when a logit is not finite.
  DrawnToken Draw(float* logits, std::int64_t vocab_size, const DrawSpec& spec);

  static std::int64_t PaddedSize(std::int64_t vocab_size);

 private:
  struct Candidate {
    float weight;  // exp of the scaled logit, relative to the largest
    schema::TokenId id;
  };

  void Penalize(float* logits, std::int64_t vocab_size, const DrawSpec& spec);
  // Draws from the weights after the filters. `mass`: of all weights; becomes that of those which the filters kept.
  schema::TokenId Pick(const float* logits, std::int64_t vocab_size, const DrawSpec& spec, double& mass);
  void CollectTopK(const float* logits, std::int64_t padded, std::int32_t k);
  void CollectAtLeast(std::int64_t padded, float threshold);
  void CollectForTopP(std::int64_t padded, double total, float top_p);
  void CutTopP(double total, float top_p);
  double CandidateMass() const;
  schema::TokenId PickFromCandidates(double target) const;
  schema::TokenId PickFromAll(double target, std::int64_t vocab_size) const;

  std::vector<float> weights_;
  std::vector<float> block_sums_;
  std::vector<float> maxima_;  // of runs of logits
  std::vector<float> order_;   // scratch for selection
  std::vector<float> raw_;     // the logits before the repetition penalty
  std::vector<Candidate> candidates_;
  std::vector<schema::TokenId> seen_;
};

}  // namespace autodidact::engine
