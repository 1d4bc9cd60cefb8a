#include "learner/policy_trainer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/deadline.h"
#include "base/log.h"
#include "model/device.h"
#include "model/transformer.h"

namespace autodidact::learner {
namespace {

enum Sum { kLoss, kKl, kEntropy, kLow, kHigh, kDifference, kTokens, kNumSums };

}  // namespace

// Groups that are computed at once. Shape letters: M tokens of all completions, N rollouts.
struct PolicyTrainer::Batch {
  model::PackedBatch packed;
  std::vector<std::int64_t> places;     // per M: the row of `packed` whose hidden state predicts the token
  std::vector<std::int64_t> targets;    // per M
  std::vector<std::int64_t> rollout;    // per M: which of the N
  std::vector<float> rollout_logprobs;  // per M, as recorded
  std::vector<float> lengths;           // per N
  std::vector<std::pair<std::size_t, std::size_t>> origin;  // per N: (group, rollout) among the groups given

  // Filled in as the step goes on.
  at::Tensor ref_logprobs_M;
  at::Tensor old_logprobs_M;
  at::Tensor advantages_M;
  std::vector<double> reward_kl;  // per N: sum over tokens of log policy - log ref
};

// What the first iteration gathers for the metrics: sums over tokens (kLoss: over micro-batches) and maxima.
struct PolicyTrainer::StepTotals {
  std::vector<double> sums = std::vector<double>(kNumSums);
  double max_difference = 0;
  double max_ratio = 0;
  std::stop_token stop;  // looked at between micro-batches, before anything has moved
};

PolicyTrainer::PolicyTrainer(TrainerConfig config, const model::WeightSet& initial, model::SharedWeights reference,
                             collective::Communicator& communicator)
    : config_(config),
      communicator_(communicator),
      parameters_(initial, config.device),
      reference_(std::move(reference)),
      optimizer_(config.optimizer, parameters_, &communicator) {
  Check(config_.loss);
  if (config_.loss.beta != 0 && !reference_) base::ThrowBug("a KL coefficient without reference weights");
  if (reference_ && !config_.offload_reference) reference_ = model::OnDevice(reference_, parameters_.flat().device());
}

std::vector<PolicyTrainer::Batch> PolicyTrainer::MakeBatches(const std::vector<schema::ScoredGroup>& groups) const {
  std::vector<Batch> batches;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const schema::ScoredGroup& scored = groups[g];
    std::int64_t tokens = static_cast<std::int64_t>(scored.group.prompt_ids.size());
    std::int64_t valid = 0;
    for (std::size_t r = 0; r < scored.rewards.size(); ++r) {
      if (!scored.rewards[r].ok() || scored.group.rollouts[r].ids.empty()) continue;
      ++valid;
      tokens += static_cast<std::int64_t>(scored.group.rollouts[r].ids.size());
    }
    if (valid < 2) continue;
    if (batches.empty() || batches.back().packed.num_tokens() + tokens > config_.micro_batch_tokens) {
      batches.emplace_back();
    }
    Batch& batch = batches.back();
    const std::size_t prompt = batch.packed.Add(scored.group.prompt_ids);
    const std::int64_t last_of_prompt = batch.packed.num_tokens() - 1;
    for (std::size_t r = 0; r < scored.rewards.size(); ++r) {
      const schema::Rollout& rollout = scored.group.rollouts[r];
      if (!scored.rewards[r].ok() || rollout.ids.empty()) continue;
      // The last token is predicted but predicts nothing, so it need not be computed.
      const std::int64_t begin = batch.packed.num_tokens();
      if (rollout.ids.size() > 1) {
        batch.packed.AddContinuation(prompt, std::span(rollout.ids).first(rollout.ids.size() - 1));
      }
      for (std::size_t t = 0; t < rollout.ids.size(); ++t) {
        batch.places.push_back(t == 0 ? last_of_prompt : begin + static_cast<std::int64_t>(t) - 1);
        batch.targets.push_back(rollout.ids[t]);
        batch.rollout.push_back(static_cast<std::int64_t>(batch.origin.size()));
        batch.rollout_logprobs.push_back(rollout.logprobs[t]);
      }
      batch.lengths.push_back(static_cast<float>(rollout.ids.size()));
      batch.origin.emplace_back(g, r);
    }
  }
  return batches;
}

at::Tensor PolicyTrainer::Logprobs(const model::Parameters& parameters, const Batch& batch,
                                   at::Tensor* entropies) const {
  const model::ModelConfig& config = parameters_.config();
  const at::Device device = parameters_.flat().device();
  const at::Tensor hidden_TE = model::Forward(config, parameters, batch.packed, config_.gradient_checkpointing);
  const at::Tensor hidden_ME = hidden_TE.index_select(0, at::tensor(batch.places, at::kLong).to(device));
  model::TokenScores scores = model::ScoreTokens(hidden_ME, model::LmHead(config, parameters),
                                                 at::tensor(batch.targets, at::kLong).to(device), config_.temperature);
  if (entropies) *entropies = scores.entropies_M;
  return scores.logprobs_M;
}

void PolicyTrainer::ComputeReferences(std::vector<Batch>& batches, const std::stop_token& stop) {
  if (!reference_ || batches.empty()) return;
  at::NoGradGuard no_grad;
  model::Parameters lent;
  if (config_.offload_reference) lent = parameters_.LendGradient(*reference_);
  const model::Parameters& reference = config_.offload_reference ? lent : reference_->parameters();
  for (Batch& batch : batches) {
    if (stop.stop_requested()) break;
    batch.ref_logprobs_M = Logprobs(reference, batch, nullptr);
    const at::Tensor ref = batch.ref_logprobs_M.cpu();
    const float* ref_logprobs = ref.const_data_ptr<float>();
    batch.reward_kl.assign(batch.origin.size(), 0.0);
    for (std::size_t m = 0; m < batch.rollout.size(); ++m) {
      batch.reward_kl[static_cast<std::size_t>(batch.rollout[m])] +=
          static_cast<double>(batch.rollout_logprobs[m]) - ref_logprobs[m];
    }
  }
  if (config_.offload_reference) parameters_.grad().zero_();
}

std::vector<std::vector<std::optional<double>>> PolicyTrainer::ComputeAdvantages(
    const std::vector<schema::ScoredGroup>& groups, const std::vector<Batch>& batches, base::Metrics& metrics) {
  std::vector<std::vector<std::optional<double>>> rewards(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (std::size_t r = 0; r < groups[g].rewards.size(); ++r) {
      const auto& reward = groups[g].rewards[r];
      const bool usable = reward.ok() && !groups[g].group.rollouts[r].ids.empty();
      rewards[g].push_back(usable ? std::optional(*reward) : std::nullopt);
    }
  }
  if (config_.kl_in == KlPlace::kReward) {
    for (const Batch& batch : batches) {
      for (std::size_t n = 0; n < batch.origin.size(); ++n) {
        const auto [g, r] = batch.origin[n];
        *rewards[g][r] -= config_.loss.beta * batch.reward_kl[n];
      }
    }
  }
  enum { kSum, kSquares, kCount, kGroupStd, kGroups, kZeroSpread };
  std::vector<double> sums(6);
  for (const auto& group : rewards) {
    double sum = 0, squares = 0, count = 0;
    for (const auto& reward : group) {
      if (reward) sum += *reward, squares += *reward * *reward, ++count;
    }
    if (count < 2) continue;
    const double std = std::sqrt(std::max(0.0, (squares - sum * sum / count) / (count - 1)));
    sums[kSum] += sum;
    sums[kSquares] += squares;
    sums[kCount] += count;
    sums[kGroupStd] += std;
    sums[kGroups] += 1;
    sums[kZeroSpread] += std < 1e-6;
  }
  SumOverRanks(sums);
  const double count = sums[kCount];
  const double batch_std =
      count < 2 ? 0 : std::sqrt(std::max(0.0, (sums[kSquares] - sums[kSum] * sums[kSum] / count) / (count - 1)));
  metrics["groups/trained"] = sums[kGroups];
  if (sums[kGroups] > 0) {
    metrics["reward"] = sums[kSum] / count;
    metrics["reward_std"] = sums[kGroupStd] / sums[kGroups];
    metrics["frac_reward_zero_std"] = sums[kZeroSpread] / sums[kGroups];
  }
  std::vector<std::vector<std::optional<double>>> advantages;
  for (const auto& group : rewards) advantages.push_back(Advantages(group, config_.scale_rewards, batch_std));
  return advantages;
}

void PolicyTrainer::TrainIteration(std::vector<Batch>& batches, const LossNormaliser& normaliser, bool first,
                                   StepTotals& step) {
  const at::Device device = parameters_.flat().device();
  at::AutoGradMode grad(true);
  for (Batch& batch : batches) {
    if (first && step.stop.stop_requested()) return;
    at::Tensor entropies_M;
    LossInput input;
    input.logprobs_M = Logprobs(parameters_.parameters(), batch, &entropies_M);
    input.rollout_logprobs_M = at::tensor(batch.rollout_logprobs, at::kFloat).to(device);
    if (first) {
      // Without a correction the recorded probabilities are those of the old policy; with one the old policy is the
      // learner's own before this step, and the correction leads from the recorded ones to it.
      const bool corrected = config_.loss.importance_sampling.mode != CorrectionMode::kNone;
      batch.old_logprobs_M = corrected ? input.logprobs_M.detach() : input.rollout_logprobs_M;
    }
    input.old_logprobs_M = batch.old_logprobs_M;
    if (config_.kl_in == KlPlace::kLoss) input.ref_logprobs_M = batch.ref_logprobs_M;
    input.advantages_M = batch.advantages_M;
    input.rollout_M = at::tensor(batch.rollout, at::kLong).to(device);
    input.lengths_N = at::tensor(batch.lengths, at::kFloat).to(device);
    LossOutput output = GrpoLoss(config_.loss, input, normaliser);
    output.loss.backward();
    if (!first) continue;
    const at::Tensor difference_M = (input.logprobs_M.detach() - input.rollout_logprobs_M).abs();
    std::vector<double>& sums = step.sums;
    sums[kLoss] += output.loss.item<double>();
    sums[kKl] += output.kl;
    sums[kEntropy] += entropies_M.sum().item<double>();
    sums[kLow] += output.clipped_low;
    sums[kHigh] += output.clipped_high;
    sums[kDifference] += difference_M.sum().item<double>();
    sums[kTokens] += static_cast<double>(batch.targets.size());
    step.max_difference = std::max(step.max_difference, difference_M.max().item<double>());
    step.max_ratio = std::max(step.max_ratio, output.ratio_max);
  }
}

PolicyTrainer::Result PolicyTrainer::Step(const std::vector<schema::ScoredGroup>& groups, const std::stop_token& stop) {
  Result result;
  base::Metrics& metrics = result.metrics;
  std::vector<Batch> batches = MakeBatches(groups);
  ComputeReferences(batches, stop);
  result.given_up = AnyRankStops(stop);
  if (result.given_up) return result;
  result.advantages = ComputeAdvantages(groups, batches, metrics);

  std::vector<double> totals(2);
  for (Batch& batch : batches) {
    std::vector<float> advantages;
    for (const std::int64_t n : batch.rollout) {
      const auto [g, r] = batch.origin[static_cast<std::size_t>(n)];
      advantages.push_back(static_cast<float>(*result.advantages[g][r]));
    }
    batch.advantages_M = at::tensor(advantages, at::kFloat).to(parameters_.flat().device());
    totals[0] += static_cast<double>(batch.origin.size());
    totals[1] += static_cast<double>(batch.targets.size());
  }
  SumOverRanks(totals);
  const LossNormaliser normaliser{.rollouts = totals[0], .tokens = totals[1]};
  if (normaliser.rollouts == 0) return result;

  StepTotals step;
  step.stop = stop;
  const auto start = base::Clock::now();
  for (std::int64_t iteration = 0; iteration < config_.num_iterations; ++iteration) {
    TrainIteration(batches, normaliser, iteration == 0, step);
    if (iteration == 0 && AnyRankStops(stop)) {
      parameters_.grad().zero_();
      result.given_up = true;
      return result;
    }
    const AdamW::StepInfo info = optimizer_.Step();
    metrics["grad_norm"] = info.grad_norm;
    metrics["learning_rate"] = info.learning_rate;
  }
  metrics["train_seconds"] = base::SecondsSince(start);
  metrics["rollout_logprob_diff/max"] = MaxOverRanks(step.max_difference);
  metrics["is_ratio/max"] = MaxOverRanks(step.max_ratio);
  std::vector<double>& sums = step.sums;
  SumOverRanks(sums);
  const double tokens = sums[kTokens];
  metrics["loss"] = sums[kLoss];
  if (reference_ && config_.kl_in == KlPlace::kLoss) metrics["kl"] = sums[kKl] / tokens;
  metrics["entropy"] = sums[kEntropy] / tokens;
  metrics["clip_ratio/low_mean"] = sums[kLow] / tokens;
  metrics["clip_ratio/high_mean"] = sums[kHigh] / tokens;
  metrics["clip_ratio/region_mean"] = (sums[kLow] + sums[kHigh]) / tokens;
  metrics["rollout_logprob_diff/mean"] = sums[kDifference] / tokens;
  result.updated = true;
  return result;
}

bool PolicyTrainer::AnyRankStops(const std::stop_token& stop) {
  std::vector<double> stopping = {stop.stop_requested() ? 1.0 : 0.0};
  SumOverRanks(stopping);
  return stopping[0] > 0;
}

void PolicyTrainer::SumOverRanks(std::vector<double>& values) {
  at::Tensor tensor = at::tensor(values, at::kDouble);
  communicator_.AllReduceSum(tensor);
  const double* sums = tensor.const_data_ptr<double>();
  values.assign(sums, sums + values.size());
}

double PolicyTrainer::MaxOverRanks(double value) {
  double result = value;
  for (const std::string& bytes :
       communicator_.AllGather(std::string(reinterpret_cast<const char*>(&value), sizeof value))) {
    double other = 0;
    std::memcpy(&other, bytes.data(), sizeof other);
    result = std::max(result, other);
  }
  return result;
}

}  // namespace autodidact::learner
