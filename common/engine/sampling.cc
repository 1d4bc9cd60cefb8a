#include "engine/sampling.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "engine/cpu/kernels.h"

namespace autodidact::engine {
namespace {

constexpr std::int64_t kPad = cpu::kLogitsPad;

double Sum(const std::vector<float>& block_sums) {
  double total = 0;
  for (const float sum : block_sums) total += sum;
  return total;
}

}  // namespace

std::int64_t Sampler::PaddedSize(std::int64_t vocab_size) {
  return (vocab_size + kPad - 1) / kPad * kPad;
}

DrawnToken Sampler::Draw(float* logits, std::int64_t vocab_size, const DrawSpec& spec) {
  const cpu::KernelTable& kernels = cpu::Kernels();
  const SamplingParams& params = *spec.params;
  const std::int64_t padded = PaddedSize(vocab_size);
  std::fill(logits + vocab_size, logits + padded, cpu::kMasked);
  weights_.resize(static_cast<std::size_t>(padded));
  block_sums_.resize(static_cast<std::size_t>((padded + cpu::kSumBlock - 1) / cpu::kSumBlock));

  const bool greedy = params.temperature <= 0;
  const float inverse_temperature = greedy ? 1.0f : 1.0f / std::max(params.temperature, kLeastTemperature);
  float finite = 0;
  float largest = kernels.max(logits, padded, &finite);
  AD_CHECK(std::isfinite(finite), "the model's logits are not finite (largest {})", largest);
  kernels.exp(logits, largest, inverse_temperature, padded, weights_.data(), block_sums_.data());
  double total = Sum(block_sums_);
  // log softmax(logits / T)[i] = (logits[i] - largest) / T - log(total)
  const float raw_largest = largest;
  const double raw_log_total = std::log(total);
  const auto raw_logprob = [&](float logit) {
    return static_cast<float>(static_cast<double>((logit - raw_largest) * inverse_temperature) - raw_log_total);
  };

  std::vector<float>* raw = nullptr;
  const bool penalized = params.repetition_penalty != 1.0f;
  if (penalized) {
    raw_.assign(logits, logits + vocab_size);
    raw = &raw_;
    Penalize(logits, vocab_size, spec);
    largest = kernels.max(logits, padded, &finite);
    if (!greedy) {
      kernels.exp(logits, largest, inverse_temperature, padded, weights_.data(), block_sums_.data());
      total = Sum(block_sums_);
    }
  }
  const auto raw_logit = [&](schema::TokenId id) { return raw != nullptr ? (*raw)[id] : logits[id]; };

  DrawnToken drawn;
  if (greedy) {
    drawn.id = static_cast<schema::TokenId>(std::find(logits, logits + vocab_size, largest) - logits);
    drawn.logprob = raw_logprob(raw_logit(drawn.id));
    drawn.sampled_logprob = drawn.logprob;
    return drawn;
  }
  double kept = total;
  drawn.id = Pick(logits, vocab_size, spec, kept);
  drawn.logprob = raw_logprob(raw_logit(drawn.id));
  const double scaled = static_cast<double>((logits[drawn.id] - largest) * inverse_temperature);
  drawn.sampled_logprob = (kept == total && !penalized) ? drawn.logprob : static_cast<float>(scaled - std::log(kept));
  return drawn;
}

schema::TokenId Sampler::Pick(const float* logits, std::int64_t vocab_size, const DrawSpec& spec, double& mass) {
  const SamplingParams& params = *spec.params;
  const std::int64_t padded = PaddedSize(vocab_size);
  const double uniform = base::UniformAt(spec.key, spec.position);
  const bool cut_k = params.top_k > 0 && params.top_k < vocab_size;
  const bool cut_p = params.top_p < 1.0f;
  const bool cut_min = params.min_p > 0.0f;
  if (!cut_k && !cut_p && !cut_min) return PickFromAll(uniform * mass, vocab_size);
  candidates_.clear();
  if (cut_k) {
    CollectTopK(logits, padded, params.top_k);
  } else if (cut_p) {
    CollectForTopP(padded, mass, params.top_p);
  } else {
    CollectAtLeast(padded, params.min_p);
  }
  if (cut_p) CutTopP(cut_k ? CandidateMass() : mass, params.top_p);
  if (cut_min) std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < params.min_p; });
  mass = CandidateMass();
  return PickFromCandidates(uniform * mass);
}

// Each token of prompt and rollout once: positive logits are divided by the penalty, negative ones multiplied.
void Sampler::Penalize(float* logits, std::int64_t vocab_size, const DrawSpec& spec) {
  seen_.assign(spec.prompt.begin(), spec.prompt.end());
  seen_.insert(seen_.end(), spec.generated.begin(), spec.generated.end());
  std::sort(seen_.begin(), seen_.end());
  seen_.erase(std::unique(seen_.begin(), seen_.end()), seen_.end());
  const float penalty = spec.params->repetition_penalty;
  for (const schema::TokenId id : seen_) {
    AD_CHECK(id >= 0 && id < vocab_size, "token id {} in a vocabulary of {}", id, vocab_size);
    logits[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
  }
}

// The k-th largest of the maxima of runs bounds the k-th largest logit from below, so only what reaches it is looked
// at.
void Sampler::CollectTopK(const float* logits, std::int64_t padded, std::int32_t k) {
  const std::size_t num_runs = static_cast<std::size_t>(padded / kPad);
  const std::size_t rank = static_cast<std::size_t>(k) - 1;
  float bound = cpu::kMasked;
  maxima_.resize(num_runs);
  cpu::Kernels().run_maxima(logits, padded, maxima_.data());
  order_ = maxima_;
  if (rank < num_runs) {
    std::nth_element(order_.begin(), order_.begin() + rank, order_.end(), std::greater<>());
    bound = order_[rank];
  }
  order_.clear();
  for (std::size_t run = 0; run < num_runs; ++run) {
    if (maxima_[run] < bound) continue;
    for (std::int64_t i = run * kPad; i < static_cast<std::int64_t>(run + 1) * kPad; ++i) {
      if (logits[i] < bound || logits[i] == cpu::kMasked) continue;
      order_.push_back(logits[i]);
      candidates_.push_back({weights_[i], static_cast<schema::TokenId>(i)});
    }
  }
  if (order_.size() <= rank) return;
  std::nth_element(order_.begin(), order_.begin() + rank, order_.end(), std::greater<>());
  const float threshold = order_[rank];
  std::erase_if(candidates_, [&](const Candidate& c) { return logits[c.id] < threshold; });
}

// In the order of ids.
void Sampler::CollectAtLeast(std::int64_t padded, float threshold) {
  candidates_.clear();
  for (std::int64_t i = 0; i < padded; ++i) {
    if (weights_[i] >= threshold && weights_[i] > 0)
      candidates_.push_back({weights_[i], static_cast<schema::TokenId>(i)});
  }
}

// A superset of the nucleus: all tokens down to a weight that together hold enough mass.
void Sampler::CollectForTopP(std::int64_t padded, double total, float top_p) {
  for (float threshold = 1.0f / 64; threshold > 1e-30f; threshold /= 64) {
    CollectAtLeast(padded, threshold);
    if (CandidateMass() >= total * static_cast<double>(top_p) * (1 + 1e-6)) return;
  }
  CollectAtLeast(padded, 0.0f);
}

// The smallest set of the likeliest tokens whose share of `total` reaches top_p; at least one.
void Sampler::CutTopP(double total, float top_p) {
  std::sort(candidates_.begin(), candidates_.end(), [](const Candidate& a, const Candidate& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.id < b.id;
  });
  const double enough = total * static_cast<double>(top_p);
  double mass = 0;
  std::size_t count = 0;
  while (count < candidates_.size() && (count == 0 || mass < enough)) mass += candidates_[count++].weight;
  candidates_.resize(count);
  // Back in the order of ids, in which all samplers meet the same random number.
  std::sort(candidates_.begin(), candidates_.end(), [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
}

double Sampler::CandidateMass() const {
  double mass = 0;
  for (const Candidate& candidate : candidates_) mass += candidate.weight;
  return mass;
}

schema::TokenId Sampler::PickFromCandidates(double target) const {
  double mass = 0;
  for (const Candidate& candidate : candidates_) {
    mass += candidate.weight;
    if (mass > target) return candidate.id;
  }
  return candidates_.back().id;
}

schema::TokenId Sampler::PickFromAll(double target, std::int64_t vocab_size) const {
  double mass = 0;
  std::size_t block = 0;
  while (block + 1 < block_sums_.size() && mass + block_sums_[block] <= target) mass += block_sums_[block++];
  // Rounding may leave the target past the block's end: then its last token that can be drawn is taken.
  const std::int64_t begin = static_cast<std::int64_t>(block) * cpu::kSumBlock;
  const std::int64_t end = std::min(vocab_size, begin + cpu::kSumBlock);
  std::int64_t last = begin;
  for (std::int64_t i = begin; i < end; ++i) {
    mass += weights_[i];
    if (weights_[i] > 0) last = i;
    if (mass > target) return static_cast<schema::TokenId>(i);
  }
  return static_cast<schema::TokenId>(last);
}

}  // namespace autodidact::engine
