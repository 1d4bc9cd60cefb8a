#include <algorithm>
#include <memory>

#include "base/deadline.h"
#include "base/error.h"
#include "base/rng.h"
#include "collective/collective.h"
#include "engine/engine.h"
#include "launch/wiring/wiring.h"
#include "learner/policy_trainer.h"
#include "model/device.h"
#include "model/folder.h"
#include "tests/gpu/check/check.h"

namespace autodidact::gpu_check {
namespace {

using json::Json;

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double Gib(std::int64_t bytes) {
  return static_cast<double>(bytes) / (1 << 30);
}

// Random tokens and rewards; the log-probabilities are those of no policy, so that every ratio is away from one.
std::vector<schema::ScoredGroup> RandomGroups(const Workload& work, std::int64_t vocab_size, double logprob) {
  base::RandomWalk walk({.seed = 7});
  std::vector<schema::ScoredGroup> groups(static_cast<std::size_t>(work.groups));
  for (std::size_t g = 0; g < groups.size(); ++g) {
    schema::ScoredGroup& scored = groups[g];
    scored.group.ticket = g;
    scored.group.prompt_ids = Ids(1000 + g, work.prompt_tokens, vocab_size);
    for (std::int64_t r = 0; r < work.rollouts; ++r) {
      schema::Rollout rollout;
      rollout.ids = Ids(2000 + 100 * g + static_cast<std::uint64_t>(r), work.new_tokens, vocab_size);
      for (std::int64_t t = 0; t < work.new_tokens; ++t) {
        rollout.logprobs.push_back(static_cast<float>(logprob + 0.1 * static_cast<double>(walk.Below(5))));
      }
      rollout.sampled_logprobs = rollout.logprobs;
      scored.group.rollouts.push_back(std::move(rollout));
      scored.rewards.emplace_back(static_cast<double>((r + static_cast<std::int64_t>(g)) % 3));
    }
    scored.reference = schema::Reference{.text = "x", .generation = "x", .rubric = {}};
  }
  return groups;
}

learner::TrainerConfig TrainerFor(const Workload& work) {
  learner::TrainerConfig config;
  config.loss.beta = 0.05;
  config.optimizer.learning_rate = 1e-5;
  config.device = at::Device(work.device);
  return config;
}

}  // namespace

Json GrpoStep(const Workload& work) {
  const auto initial = model::LoadModel(
      work.model, launch::ScalarTypeOf(base::ValueNamed<launch::Dtype>(work.dtype, "dtype")), at::kCPU);
  // Far enough from the policy that the divergence stands above the rounding of bf16, in which both are exact.
  model::Parameters moved = initial->parameters();
  for (auto& [name, tensor] : moved) tensor = (tensor * 1.05).to(at::kBFloat16).to(tensor.scalar_type());
  const auto reference = model::OnDevice(
      std::make_shared<const model::WeightSet>(initial->config(), std::move(moved), 0), at::Device(work.device));
  const auto single = collective::MakeSingle();
  learner::PolicyTrainer trainer(TrainerFor(work), *initial, reference, *single);
  const auto groups = RandomGroups(work, initial->config().vocab_size, -7.0);
  const base::Metrics metrics = trainer.Step(groups).metrics;
  Json figures;
  for (const char* name : {"loss", "kl", "entropy", "grad_norm"}) figures[name] = metrics.at(name);
  return figures;
}

Json DecodeSpeed(const Workload& work) {
  const auto loaded = launch::LoadModelFolder(
      work.model, work.device, launch::ScalarTypeOf(base::ValueNamed<launch::Dtype>(work.dtype, "dtype")));
  // Rows of the same length: no token ends one.
  model::ModelConfig config = loaded.weights->config();
  config.eos_token_ids.clear();
  const auto weights = std::make_shared<const model::WeightSet>(config, loaded.weights->parameters(), 0);
  engine::EngineConfig limits;
  limits.cache_tokens = 2 * work.groups * (work.prompt_tokens + work.rollouts * work.new_tokens);
  engine::Engine engine(limits, weights, *loaded.tokenizer);
  const auto seconds = [&](std::int64_t new_tokens) {
    std::vector<engine::GroupRequest> requests(static_cast<std::size_t>(work.groups));
    for (std::size_t g = 0; g < requests.size(); ++g) {
      requests[g].ticket = g;
      requests[g].prompt_ids = Ids(g, work.prompt_tokens, config.vocab_size);
      requests[g].num_rollouts = static_cast<std::uint32_t>(work.rollouts);
      requests[g].sampling.max_new_tokens = static_cast<std::int32_t>(new_tokens);
    }
    const auto start = base::Clock::now();
    for (const engine::GroupResult& result : engine::GenerateAll(engine, std::move(requests))) {
      if (!result.group.ok()) base::ThrowBadInput(result.group.failure().reason);
    }
    return base::SecondsSince(start);
  };
  seconds(work.new_tokens);
  std::vector<double> one_token, all_tokens;
  for (std::int64_t i = 0; i < work.repetitions; ++i) {
    one_token.push_back(seconds(1));
    all_tokens.push_back(seconds(work.new_tokens));
  }
  const double prefill = Median(one_token);
  const double rows = static_cast<double>(work.groups * work.rollouts);
  return {{"rows", work.groups * work.rollouts},
          {"prompt_tokens", work.prompt_tokens},
          {"new_tokens", work.new_tokens},
          {"dtype", work.dtype},
          {"prefill_seconds", prefill},
          {"tokens_per_second", rows * static_cast<double>(work.new_tokens) / Median(all_tokens)},
          {"decode_tokens_per_second",
           rows * static_cast<double>(work.new_tokens - 1) / std::max(Median(all_tokens) - prefill, 1e-9)},
          {"peak_gib", Gib(model::PeakDeviceBytes(at::Device(work.device)))}};
}

Json StepSpeed(const Workload& work) {
  const auto initial = model::LoadModel(
      work.model, launch::ScalarTypeOf(base::ValueNamed<launch::Dtype>(work.dtype, "dtype")), at::kCPU);
  const auto single = collective::MakeSingle();
  learner::PolicyTrainer trainer(TrainerFor(work), *initial, model::OnDevice(initial, at::Device(work.device)),
                                 *single);
  const auto groups = RandomGroups(work, initial->config().vocab_size, -12.0);
  std::vector<double> seconds;
  for (std::int64_t i = 0; i <= work.repetitions; ++i) {
    const auto start = base::Clock::now();
    trainer.Step(groups);  // its metrics are read from the device: it ends when the computation has
    if (i > 0) seconds.push_back(base::SecondsSince(start));
  }
  const double median = Median(seconds);
  const std::int64_t tokens = work.groups * (work.prompt_tokens + work.rollouts * work.new_tokens);
  return {{"groups", work.groups},
          {"rollouts", work.rollouts},
          {"prompt_tokens", work.prompt_tokens},
          {"new_tokens", work.new_tokens},
          {"dtype", work.dtype},
          {"seconds", median},
          {"tokens_per_second", static_cast<double>(tokens) / median},
          {"peak_gib", Gib(model::PeakDeviceBytes(at::Device(work.device)))}};
}

}  // namespace autodidact::gpu_check
