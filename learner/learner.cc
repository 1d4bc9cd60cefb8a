#include "learner/learner.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "learner/step_metrics.h"
#include "schema/codec.h"

namespace autodidact::learner {
namespace {

// Above this mean difference between the actors' and the learner's log-probabilities of the same tokens under the same
// weights, something is broken: one implementation computes both.
constexpr double kLogprobAlarm = 0.01;

std::string PackGroups(const std::vector<const schema::ScoredGroup*>& groups) {
  std::string bytes;
  for (const schema::ScoredGroup* group : groups) {
    const std::string one = schema::Encode(*group);
    const std::uint64_t size = one.size();
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes += one;
  }
  return bytes;
}

std::vector<schema::ScoredGroup> UnpackGroups(std::string_view bytes) {
  std::vector<schema::ScoredGroup> groups;
  while (!bytes.empty()) {
    std::uint64_t size = 0;
    AD_CHECK(bytes.size() >= sizeof size, "a cut list of groups");
    std::memcpy(&size, bytes.data(), sizeof size);
    groups.push_back(schema::DecodeReply<schema::ScoredGroup>(bytes.substr(sizeof size, size)).value());
    bytes.remove_prefix(sizeof size + size);
  }
  return groups;
}

// Advantages as doubles, none as NaN: one rank's, in the order of its groups.
std::string PackAdvantages(const std::vector<std::vector<std::optional<double>>>& advantages) {
  std::string bytes;
  for (const auto& group : advantages) {
    for (const auto& advantage : group) {
      const double value = advantage.value_or(std::numeric_limits<double>::quiet_NaN());
      bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
  }
  return bytes;
}

}  // namespace

// What rank 0 tells all ranks at the start of a step.
struct Learner::Order {
  enum class Kind : char { kTrain, kEnd, kFail };
  Kind kind = Kind::kTrain;
  std::string reason;              // of kFail
  RunEnd end = RunEnd::kFinished;  // of kEnd

  std::string Pack() const { return std::string{static_cast<char>(kind), static_cast<char>(end)} + reason; }
  static Order Unpack(const std::string& bytes) {
    return {static_cast<Kind>(bytes.at(0)), bytes.substr(2), static_cast<RunEnd>(bytes.at(1))};
  }
};

Learner::Learner(LearnerConfig config, const model::SharedWeights& initial, collective::Communicator& communicator,
                 RankZero* rank_zero)
    : config_(std::move(config)),
      communicator_(communicator),
      rank_zero_(rank_zero),
      trainer_(config_.trainer, *initial, config_.trainer.loss.beta != 0 ? initial : nullptr, communicator),
      writer_(trainer_.parameters()) {
  AD_CHECK((communicator.rank() == 0) == (rank_zero != nullptr), "rank 0 alone has the coordinator");
  if (rank_zero_) initial_ = initial;
}

void Learner::Resume(const std::filesystem::path& checkpoint) {
  const CheckpointState state = ReadCheckpointState(checkpoint);
  RestoreCheckpoint(checkpoint, state, trainer_.parameters(), trainer_.optimizer());
  step_ = state.step;
  saved_step_ = step_;
  if (rank_zero_ && rank_zero_->hooks.restore_notes) rank_zero_->hooks.restore_notes(state.notes);
}

Learner::Order Learner::NextOrder(const std::stop_token& stop, StepBatch& batch, base::Metrics& metrics) {
  if (step_ >= config_.max_steps) {
    const auto& conclude = rank_zero_->hooks.conclude;
    return {Order::Kind::kEnd, {}, conclude ? conclude() : RunEnd::kFinished};
  }
  const auto start = base::Clock::now();
  auto next = rank_zero_->coordinator.WaitForStep(base::Deadline::In(config_.step_timeout), stop);
  if (!next.ok()) {
    if (stop.stop_requested()) return {Order::Kind::kEnd, {}, RunEnd::kStopped};
    if (rank_zero_->hooks.on_no_progress) rank_zero_->hooks.on_no_progress();
    return {Order::Kind::kFail, next.failure().reason};
  }
  batch = std::move(*next);
  metrics["time/wait_for_groups"] = base::SecondsSince(start);
  metrics["groups/dropped"] = static_cast<double>(batch.dropped.size());
  metrics["groups/expired_leases"] = static_cast<double>(batch.expired_leases);
  metrics["groups/duplicates"] = static_cast<double>(batch.duplicates);
  metrics["groups/stale"] = static_cast<double>(batch.stale);
  for (const std::string& why : batch.dropped) base::LogWarning("step {}: a group is dropped: {}", step_, why);
  return {};
}

RunEnd Learner::Run(const std::stop_token& stop) {
  if (rank_zero_) PublishWeights();
  while (true) {
    const auto start = base::Clock::now();
    StepBatch batch;
    base::Metrics metrics;
    Order order;
    if (rank_zero_) order = NextOrder(stop, batch, metrics);
    order = Order::Unpack(communicator_.BroadcastBytes(order.Pack(), 0));
    if (order.kind == Order::Kind::kFail) throw base::Error(base::ErrorKind::kRetryLater, order.reason);
    if (order.kind == Order::Kind::kEnd) return End(order.end);

    std::vector<schema::ScoredGroup> dealt;
    if (communicator_.size() > 1) dealt = Deal(batch.groups);
    if (rank_zero_) {
      metrics.merge(GroupMetrics(batch.groups, static_cast<schema::WeightVersion>(trainer_.optimizer().steps())));
    }
    const PolicyTrainer::Result result = trainer_.Step(communicator_.size() > 1 ? dealt : batch.groups, stop);
    if (result.given_up) return End(RunEnd::kStopped);
    ++step_;
    if (rank_zero_) PublishWeights();
    const auto advantages = communicator_.AllGather(PackAdvantages(result.advantages));

    std::optional<RunEnd> end;
    if (rank_zero_) {
      metrics.insert(result.metrics.begin(), result.metrics.end());
      metrics["step_time"] = base::SecondsSince(start);
      end = FinishStep(std::move(batch), advantages, std::move(metrics));
    }
    if (config_.save_steps > 0 && step_ % config_.save_steps == 0) Save(config_.save_behind);
    if (rank_zero_) writer_.Check();
    Order after;
    if (end) after = {Order::Kind::kEnd, {}, *end};
    after = Order::Unpack(communicator_.BroadcastBytes(after.Pack(), 0));
    if (after.kind == Order::Kind::kEnd) return End(after.end);
  }
}

std::vector<schema::ScoredGroup> Learner::Deal(const std::vector<schema::ScoredGroup>& all) {
  // Whole groups go to the ranks in turn, by ticket.
  std::vector<std::vector<const schema::ScoredGroup*>> split(static_cast<std::size_t>(communicator_.size()));
  for (std::size_t g = 0; g < all.size(); ++g) split[g % split.size()].push_back(&all[g]);
  std::vector<std::string> parts(split.size());
  for (std::size_t r = 1; rank_zero_ && r < parts.size(); ++r) parts[r] = PackGroups(split[r]);
  const std::string received = communicator_.Scatter(parts, 0);
  if (!rank_zero_) return UnpackGroups(received);
  std::vector<schema::ScoredGroup> own;
  for (const schema::ScoredGroup* group : split[0]) own.push_back(*group);
  return own;
}

RunEnd Learner::End(RunEnd end) {
  Save(/*behind=*/false);
  if (rank_zero_) rank_zero_->coordinator.Finish();
  communicator_.Barrier();
  return end;
}

void Learner::PublishWeights() {
  const auto version = static_cast<schema::WeightVersion>(trainer_.optimizer().steps());
  bool publish = false;
  // A step without any group to train on leaves the weights as they are.
  if (!published_ || published_->version() != version) {
    const bool untouched = initial_ && initial_->version() == version && !config_.publish_to;
    published_ = untouched ? initial_ : trainer_.parameters().Snapshot(version, config_.publish_to);
    initial_ = nullptr;
    publish = true;
  }
  // Announced first: what an actor makes of weights that it has just got must not look as if there were none yet.
  rank_zero_->coordinator.Announce(version);
  if (publish) rank_zero_->store.Publish(published_);
}

std::optional<RunEnd> Learner::FinishStep(StepBatch batch, const std::vector<std::string>& advantages,
                                          base::Metrics metrics) {
  std::vector<schema::ScoredGroup>& groups = batch.groups;
  metrics.merge(rank_zero_->coordinator.TakeReports());
  metrics["weights/version"] = static_cast<double>(trainer_.optimizer().steps());
  metrics["training_tok/s"] = metrics["num_tokens"] / metrics["step_time"];

  std::vector<data::GroupRecord> records;
  std::vector<std::size_t> next(advantages.size(), 0);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    data::GroupRecord record;
    record.prompt = rank_zero_->coordinator.PromptOf(groups[g].group.ticket);
    const std::size_t rank = g % advantages.size();
    for (std::size_t r = 0; r < groups[g].rewards.size(); ++r) {
      double value = 0;
      AD_CHECK(next[rank] + sizeof value <= advantages[rank].size(), "rank {} returned too few advantages", rank);
      std::memcpy(&value, advantages[rank].data() + next[rank], sizeof value);
      next[rank] += sizeof value;
      record.advantages.push_back(value);
    }
    record.scored = std::move(groups[g]);
    records.push_back(std::move(record));
  }

  LearnerHooks::Findings findings;
  if (rank_zero_->hooks.inspect) {
    findings =
        rank_zero_->hooks.inspect({.step = step_, .groups = records, .dropped = batch.dropped, .metrics = metrics});
    metrics.merge(findings.metrics);
  }
  const auto difference = metrics.find("rollout_logprob_diff/mean");
  if (difference != metrics.end() && difference->second > kLogprobAlarm && metrics["staleness/max"] == 0) {
    base::LogError("step {}: actors and learner disagree on the same tokens by {:.4f} on average (alarm above {})",
                   step_, difference->second, kLogprobAlarm);
  }
  if (!findings.alarm.empty()) base::LogError("step {}: {}", step_, findings.alarm);

  if (rank_zero_->hooks.evaluate && config_.evaluate_steps > 0 &&
      (step_ % config_.evaluate_steps == 0 || step_ == config_.max_steps)) {
    metrics.merge(rank_zero_->hooks.evaluate(step_, published_));
  }
  rank_zero_->run_folder.WriteRollouts(step_, records);
  rank_zero_->run_folder.WriteMetrics(step_, metrics);
  if (rank_zero_->hooks.progress) rank_zero_->hooks.progress(step_, metrics);
  return findings.end;
}

void Learner::Save(bool behind) {
  if (rank_zero_) writer_.Wait(base::Deadline::In(config_.step_timeout));
  if (saved_step_ == step_) return;
  CheckpointState state{.step = step_,
                        .version = static_cast<std::uint64_t>(trainer_.optimizer().steps()),
                        .optimizer_steps = trainer_.optimizer().steps(),
                        .run = config_.run,
                        .notes = {}};
  if (rank_zero_ && rank_zero_->hooks.save_notes) state.notes = rank_zero_->hooks.save_notes();
  const CheckpointPlace place{.root = config_.run_folder / "checkpoints",
                              .tokenizer_from = config_.initial_model,
                              .keep = config_.keep_checkpoints};
  saved_step_ = step_;
  if (behind) {
    auto copy = CopyForCheckpoint(std::move(state), published_, trainer_.optimizer(), rank_zero_ != nullptr);
    if (copy) writer_.Begin(place, std::move(*copy));
    return;
  }
  WriteCheckpoint(place, state, trainer_.parameters(), trainer_.optimizer(), rank_zero_ != nullptr);
  if (rank_zero_) base::LogInfo("checkpoint of step {} written", step_);
}

}  // namespace autodidact::learner
