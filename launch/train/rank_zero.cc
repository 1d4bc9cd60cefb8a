#include "launch/train/rank_zero.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "data/row_columns.h"
#include "json/json.h"
#include "launch/train/resume_rules.h"
#include "launch/train/run_identity.h"
#include "launch/wiring/judge.h"
#include "launch/wiring/references.h"
#include "launch/wiring/run_evaluation.h"
#include "process/stacks.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOutcomeFile = "outcome.json";
constexpr auto kStacksTimeout = std::chrono::seconds(5);

// The last checkpoint, on which all of a run's work hangs, is thought of first.
void RequireRoomForCheckpoints(const RunConfig& config, const data::RunPlace& place, std::int64_t num_weights) {
  const std::uint64_t each = learner::CheckpointBytes(num_weights, ScalarTypeOf(config.dtype));
  const std::uint64_t free = data::FreeBytes(place.path()) + place.BytesToFree();
  if (free < each) {
    base::ThrowBadInput(
        base::Format("{}: the disk has {} left, and one checkpoint of this model takes {}: make room, or "
                     "let folder be on another disk",
                     place.path().string(), data::SizeText(free), data::SizeText(each)));
  }
  if (config.train.save_steps <= 0 || config.train.keep_checkpoints <= 0) return;
  const std::int64_t written = config.train.max_steps / config.train.save_steps + 1;
  const auto kept = static_cast<std::uint64_t>(std::min(written, config.train.keep_checkpoints + 1));
  if (free / each < kept) {
    base::LogWarning("{}: the disk has {} left, and {} checkpoints (train.keep_checkpoints, and the next) take {}",
                     place.path().string(), data::SizeText(free), kept, data::SizeText(each * kept));
  }
}

// The step behind which the run begins. What the checkpoint was made of must be what this run is made of; what was read
// is compared where `facts` have it.
std::int64_t FirstStep(const RunConfig& config, const data::RunPlace& place, const data::RunFacts& facts,
                       std::vector<std::string>& changes) {
  if (!place.checkpoint()) return 0;
  const auto state = learner::ReadCheckpointState(*place.checkpoint());
  data::RunFacts then = state.run;
  if (facts.contents.empty()) then.contents.clear();
  changes = RequireSameRun(*place.checkpoint(), then, facts);
  if (state.step >= config.train.max_steps) {
    base::ThrowBadInput(
        base::Format("{}: {} steps are done and train.max_steps is {}: nothing is left to do; raise "
                     "train.max_steps to go on",
                     place.checkpoint()->string(), state.step, config.train.max_steps));
  }
  return state.step;
}

// An evaluation that a stop has cut short gives no figures, and the step that it was of is complete all the same.
decltype(learner::LearnerHooks::evaluate) UnlessStopped(PolicyEvaluation evaluate, const std::stop_token& stop) {
  return [evaluate = std::move(evaluate), stop](std::int64_t step, const model::SharedWeights& weights) {
    try {
      return evaluate(weights);
    } catch (const base::Error&) {
      if (!stop.stop_requested()) throw;
      base::LogWarning("the evaluation of step {} was not finished", step);
      return base::Metrics{};
    }
  };
}

}  // namespace

data::RunPlace PlaceOfRun(const RunConfig& config, const TrainOptions& options) {
  auto reads = FilesRead(config);
  if (!options.config_file.empty()) reads.emplace_back("the config", options.config_file);
  return data::RunPlace({.folder = config.folder,
                         .name = config.name,
                         .resume = options.resume,
                         .resume_from = options.resume_from,
                         .overwrite = options.overwrite,
                         .reads = std::move(reads)});
}

void CheckPlace(const RunConfig& config, const data::RunPlace& place, std::int64_t num_weights) {
  std::vector<std::string> changes;
  FirstStep(config, place, {KeysOf(config), {}}, changes);
  RequireRoomForCheckpoints(config, place, num_weights);
}

RankZeroAssembly::RankZeroAssembly(const RunConfig& config, data::RunPlace& place, const Wire& wire,
                                   const LoadedModel& model, const std::vector<std::string>& roles, RunData data)
    : config_(config),
      context_(wire.context),
      stop_(wire.stop),
      rows_(std::move(data.rows)),
      eval_rows_(std::move(data.eval_rows)),
      store_(/*keep_previous=*/!wire.weights.empty()),
      lessons_(config) {
  std::vector<schema::Prompt> prompts;
  std::vector<schema::Supervision> supervision;
  for (const data::Row& row : rows_) {
    prompts.push_back(data::WithoutRow(row.prompt));
    supervision.push_back(SupervisionOf(config, row));
  }
  facts_ = FactsOf(config, prompts, supervision, *model.weights);
  std::vector<std::string> changes;
  const std::int64_t first_step = FirstStep(config, place, facts_, changes);
  std::int64_t num_weights = 0;
  for (const auto& [name, tensor] : model.weights->parameters()) num_weights += tensor.numel();
  RequireRoomForCheckpoints(config, place, num_weights);

  std::string weights_endpoint;
  if (!wire.weights.empty()) {
    publisher_ = std::make_unique<weights::WeightPublisher>(store_, wire.context, wire.weights, wire.security);
    weights_endpoint = publisher_->endpoint();
  }
  learner::PromptQueue queue({.groups_per_step = config.train.groups_per_step,
                              .max_staleness = config.train.max_staleness,
                              .first_step = first_step,
                              .max_steps = config.train.max_steps,
                              .seed = static_cast<std::uint64_t>(config.seed),
                              .shuffle = config.data.shuffle,
                              .lease = base::Seconds(config.timeouts.lease)},
                             std::move(prompts), std::move(supervision));
  learner::CoordinatorConfig coordinator;
  coordinator.endpoint = wire.endpoint;
  coordinator.weights_endpoint = weights_endpoint;
  coordinator.config = ConfigChecksum(config);
  coordinator.groups = {.num_rollouts = static_cast<std::uint32_t>(config.train.num_generations),
                        .vocab_size = model.weights->config().vocab_size,
                        .max_completion = config.rollout.max_new_tokens,
                        .context = model.weights->config().max_position_embeddings,
                        .rewards = RewardsOf(config.judge.judging)};
  coordinator_ = std::make_unique<learner::Coordinator>(wire.context, wire.security, coordinator, std::move(queue));
  const MemoryPlan plan = PlanMemory(config, model.weights->config(), roles, data.longest_prompt);
  memory_ = std::make_unique<MemoryWatch>(plan.places.front(), config.device);

  place.Open();
  if (place.checkpoint()) base::LogInfo("goes on from {}", place.checkpoint()->string());
  for (const std::string& change : changes) base::LogInfo("changed since the checkpoint: {}", change);
  run_folder_ = std::make_unique<data::RunFolder>(place.path(), place.goes_on(), first_step);
  json::WriteFile(place.path() / "config.yaml", ToYaml(config));
  fs::remove(place.path() / kOutcomeFile);
  progress_ = std::make_unique<ProgressLine>("training", config.train.max_steps, first_step);
  rank_zero_.emplace(learner::RankZero{*coordinator_, store_, *run_folder_, MakeHooks(model)});
}

void RankZeroAssembly::WriteOutcome(const std::string& end, const std::string& message) const {
  json::WriteFile(config_.run_folder() / kOutcomeFile, json::Dump({{"end", end}, {"message", message}}) + "\n");
}

void RankZeroAssembly::WriteEnd(learner::RunEnd end) const {
  WriteOutcome(learner::Name(end), lessons_.diagnosis());
}

void RankZeroAssembly::WriteFailure(const std::string& message) const {
  try {
    WriteOutcome("failed", message);
  } catch (const base::Error& error) {
    base::LogError("{}", error.message());
  }
}

learner::LearnerHooks RankZeroAssembly::MakeHooks(const LoadedModel& model) {
  std::map<std::string, std::vector<std::string>> labels;
  for (const data::Row& row : rows_) {
    // Labels of programs are tests, not answers to compare with.
    if (!row.answers.empty() && !config_.answer.programs()) labels[row.prompt.id] = row.answers;
  }
  watch_ = std::make_unique<evaluation::RunWatch>(
      evaluation::WatchConfig{.rule = config_.answer.rule(),
                              .collapse = {.rise = config_.collapse.rule.rise,
                                           .kappa = config_.collapse.rule.kappa,
                                           .certain = config_.collapse.rule.certain,
                                           .patience = config_.collapse.rule.patience}},
      std::move(labels));

  learner::LearnerHooks hooks;
  hooks.on_no_progress = [] { process::LogStacks(base::Deadline::In(kStacksTimeout)); };
  hooks.inspect = [this](const learner::LearnerHooks::FinishedStep& step) {
    auto found = watch_->Look(step.groups);
    if (!found.warning.empty()) base::LogWarning("step {}: {}", step.step, found.warning);
    learner::LearnerHooks::Findings findings = lessons_.Look(step);
    findings.metrics.merge(found.metrics);
    findings.metrics.merge(memory_->AfterStep());
    if (publisher_) {
      findings.metrics["weights/refused"] = static_cast<double>(publisher_->TakeRefused());
      findings.metrics["net/strangers"] = static_cast<double>(context_.TakeStrangers());
    }
    findings.alarm = std::move(found.alarm);
    if (!findings.alarm.empty() && config_.collapse.stop) findings.end = learner::RunEnd::kAlarm;
    return findings;
  };
  hooks.conclude = [this] { return lessons_.Conclude(); };
  hooks.progress = [this](std::int64_t step, const base::Metrics& metrics) {
    progress_->Show(step, StepDetails(metrics));
  };
  hooks.save_notes = [this] {
    return std::map<std::string, std::string>{{"watch", watch_->Save()}, {"lessons", lessons_.Save()}};
  };
  hooks.restore_notes = [this](const std::map<std::string, std::string>& notes) {
    if (const auto found = notes.find("watch"); found != notes.end()) watch_->Restore(found->second);
    if (const auto found = notes.find("lessons"); found != notes.end()) lessons_.Restore(found->second);
  };
  if (auto evaluate = EvaluationOfRun(config_, eval_rows_, model, stop_)) {
    hooks.evaluate = UnlessStopped(std::move(evaluate), stop_);
  }
  return hooks;
}

learner::LearnerConfig LearnerOf(const RunConfig& config, const data::RunFacts& facts) {
  learner::LearnerConfig learner;
  learner.trainer = TrainerOf(config);
  learner.max_steps = config.train.max_steps;
  learner.save_steps = config.train.save_steps;
  learner.save_behind = config.train.save_behind;
  learner.keep_checkpoints = config.train.keep_checkpoints;
  learner.evaluate_steps = config.eval.data.empty() ? 0 : config.eval.steps;
  learner.step_timeout = base::Seconds(config.timeouts.step);
  learner.run_folder = config.run_folder();
  learner.initial_model = config.model;
  learner.run = facts;
  return learner;
}

}  // namespace autodidact::launch
