#include "learner/learner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <thread>

#include "base/format.h"
#include "schema/codec.h"
#include "tests/learner/tiny_model.h"
#include "tests/waits.h"

namespace autodidact::learner {
namespace {

namespace fs = std::filesystem;
using schema::RunState;
using testing::ElementsAre;
using testing::HasSubstr;
using tests::kSoon;

constexpr int kRollouts = 4;

// What an actor makes of a lease: the same for the same ticket.
schema::ScoredGroup GroupFor(const schema::Lease& lease) {
  auto scored = RandomGroups(1, kRollouts, lease.ticket + 1).front();
  scored.actor = "actor-0";
  scored.group.ticket = lease.ticket;
  for (schema::Rollout& rollout : scored.group.rollouts) {
    rollout.first_version = rollout.last_version = lease.min_version;
  }
  scored.rewards.front() = 1.0;  // one differs from the others at least
  scored.rewards.back() = 0.0;
  return scored;
}

schema::ScoredGroup FailureFor(const schema::Lease& lease) {
  schema::ScoredGroup scored;
  scored.actor = "actor-0";
  scored.group.ticket = lease.ticket;
  scored.reference = base::Failure{base::ErrorKind::kBadInput, "the prompt is too long"};
  return scored;
}

// Asks for prompts and answers them as it is told, until it hears that the run is over.
class ScriptedActor {
 public:
  using Answer = std::function<schema::ScoredGroup(const schema::Lease&)>;

  ScriptedActor(net::Context& context, Answer answer)
      : learner_(context, {"inproc://learner"}, {}, {.name = "actor-0", .peer = "learner"}),
        answer_(std::move(answer)),
        thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested() && Work()) {
          }
        }) {}
  ~ScriptedActor() { learner_.Close(); }

  // Whether it has heard that the run is over.
  bool HasHeardTheEnd() {
    thread_.join();
    return heard_end_;
  }

 private:
  template <class Reply>
  std::optional<Reply> Ask(const schema::Message& message) {
    const auto bytes = learner_.Call(schema::Encode(message), base::Deadline::In(kSoon), "asking");
    if (!bytes.ok()) return std::nullopt;
    const schema::Message reply = schema::Decode(*bytes);
    const auto* expected = std::get_if<Reply>(&reply);
    EXPECT_TRUE(expected) << schema::Describe(reply);
    return expected ? std::optional(*expected) : std::nullopt;
  }
  bool Work() {
    const auto reply = Ask<schema::LeaseReply>(schema::LeaseRequest{.actor = "actor-0", .max_groups = 1});
    if (!reply) return false;
    heard_end_ = reply->state == RunState::kFinished;
    for (const schema::Lease& lease : reply->leases) Ask<schema::SubmitReply>(answer_(lease));
    return !heard_end_;
  }

  net::Client learner_;
  const Answer answer_;
  bool heard_end_ = false;
  std::jthread thread_;
};

// Learners of a tiny model that take two groups a step, with all that rank 0 has.
class LearnerTest : public testing::Test {
 protected:
  LearnerTest() {
    fs::remove_all(folder_);
    config_.trainer.loss.beta = 0;
    config_.trainer.optimizer.learning_rate = 0.01;
    config_.max_steps = 3;
    config_.save_steps = 0;
    config_.step_timeout = kSoon;
    config_.run_folder = folder_;
    hooks_.progress = [this](std::int64_t step, const base::Metrics& metrics) {
      EXPECT_EQ(step, std::ssize(metrics_) + first_step_ + 1);
      metrics_.push_back(metrics);
    };
  }
  ~LearnerTest() override { fs::remove_all(folder_); }

  void ActorAnswers(ScriptedActor::Answer answer = GroupFor) { answer_ = std::move(answer); }
  void NobodyAnswers() { answer_ = nullptr; }
  void GoesOnFrom(std::int64_t step) { first_step_ = step; }

  // The whole life of the run, on so many ranks; the same end on all of them.
  RunEnd Runs(int ranks = 1) {
    net::Context context;
    PromptQueue queue(
        {.groups_per_step = 2, .first_step = first_step_, .max_steps = config_.max_steps, .shuffle = false},
        {{.id = "a", .text = "a", .messages = {}}, {.id = "b", .text = "b", .messages = {}}});
    Coordinator coordinator(
        context, {},
        {.hold = base::Milliseconds(20),
         .groups = {.num_rollouts = kRollouts, .vocab_size = 20, .max_completion = 8, .context = 64}},
        std::move(queue));
    weights::WeightStore store;
    data::RunFolder run_folder(folder_, first_step_ > 0, first_step_);
    RankZero rank_zero{coordinator, store, run_folder, hooks_};
    std::optional<ScriptedActor> actor;
    if (answer_) actor.emplace(context, answer_);
    std::vector<std::optional<RunEnd>> ends(static_cast<std::size_t>(ranks));
    collective::SpawnRanks(ranks, [&](collective::Communicator& communicator) {
      const bool first = communicator.rank() == 0;
      Learner learner(config_, TinyModel(1), communicator, first ? &rank_zero : nullptr);
      if (first_step_ > 0) learner.Resume(CheckpointOf(first_step_));
      ends[static_cast<std::size_t>(communicator.rank())] = learner.Run(stop_.get_token());
      if (first) steps_done_ = learner.steps_done();
    });
    for (const auto& end : ends) EXPECT_EQ(end, ends[0]);
    EXPECT_TRUE(!actor || actor->HasHeardTheEnd());
    published_ = store.WaitFor(0, base::Deadline::In(kSoon)).value();
    return *ends[0];
  }
  // Why a run breaks off.
  base::Failure RunFails(int ranks = 1) {
    try {
      Runs(ranks);
    } catch (const base::Error& error) {
      return {error.kind(), error.message()};
    }
    return {base::ErrorKind::kBug, "it has come to its end"};
  }

  fs::path CheckpointOf(std::int64_t step) const { return folder_ / "checkpoints" / base::Format("step_{:06}", step); }
  bool IsSaved(std::int64_t step) const { return fs::exists(CheckpointOf(step)); }
  std::int64_t LinesOfMetrics() const {
    std::ifstream file(folder_ / "metrics.jsonl");
    std::string line;
    std::int64_t lines = 0;
    while (std::getline(file, line)) ++lines;
    return lines;
  }
  at::Tensor PublishedWeights() const { return FlatParameters(*published_).flat().clone(); }

  const fs::path folder_ = fs::path(testing::TempDir()) /
                           (std::string("learner_") + testing::UnitTest::GetInstance()->current_test_info()->name());
  LearnerConfig config_;
  LearnerHooks hooks_;
  ScriptedActor::Answer answer_ = GroupFor;
  std::stop_source stop_;
  std::int64_t first_step_ = 0;

  // What came of it.
  std::int64_t steps_done_ = 0;
  model::SharedWeights published_;
  std::vector<base::Metrics> metrics_;  // of each step
};

TEST_F(LearnerTest, DoesItsStepsPublishesEachAndSavesTheLast) {
  ActorAnswers();
  EXPECT_EQ(Runs(), RunEnd::kFinished);
  EXPECT_EQ(steps_done_, 3);
  EXPECT_EQ(published_->version(), 3u);
  EXPECT_EQ(LinesOfMetrics(), 3);
  EXPECT_FALSE(IsSaved(2));
  EXPECT_TRUE(IsSaved(3));
  for (std::size_t step = 0; step < 3; ++step) {
    EXPECT_EQ(metrics_[step].at("weights/version"), static_cast<double>(step + 1));
    EXPECT_EQ(metrics_[step].at("groups/received"), 2);
    EXPECT_EQ(metrics_[step].at("groups/dropped"), 0);
    EXPECT_EQ(metrics_[step].at("intake/refused"), 0);
    EXPECT_EQ(metrics_[step].at("staleness/max"), 0);
    EXPECT_GT(metrics_[step].at("grad_norm"), 0);
    EXPECT_GT(metrics_[step].at("training_tok/s"), 0);
  }
}

TEST_F(LearnerTest, SavesEverySoManySteps) {
  config_.save_steps = 2;
  config_.max_steps = 5;
  Runs();
  EXPECT_FALSE(IsSaved(1));
  EXPECT_TRUE(IsSaved(2));
  EXPECT_FALSE(IsSaved(3));
  EXPECT_TRUE(IsSaved(4));
  EXPECT_TRUE(IsSaved(5));
}

TEST_F(LearnerTest, GoesOnFromACheckpointAsIfItHadNotStopped) {
  config_.max_steps = 4;
  config_.save_steps = 2;
  Runs();
  const auto whole = PublishedWeights();
  metrics_.clear();
  fs::remove_all(CheckpointOf(4));
  GoesOnFrom(2);
  EXPECT_EQ(Runs(), RunEnd::kFinished);
  EXPECT_TRUE(PublishedWeights().equal(whole));
  EXPECT_EQ(metrics_.size(), 2u);
  EXPECT_EQ(LinesOfMetrics(), 4);
  EXPECT_TRUE(IsSaved(4));
}

TEST_F(LearnerTest, SeveralRanksShareAStepAndLearnTheSame) {
  std::vector<std::vector<double>> advantages;
  hooks_.inspect = [&](const LearnerHooks::FinishedStep& step) {
    for (const auto& record : step.groups) advantages.push_back(record.advantages);
    return LearnerHooks::Findings{};
  };
  Runs();
  const auto alone = PublishedWeights();
  const auto alone_advantages = std::exchange(advantages, {});
  for (const int ranks : {2, 3}) {  // with three, one has no group
    fs::remove_all(folder_);
    metrics_.clear();
    EXPECT_EQ(Runs(ranks), RunEnd::kFinished);
    EXPECT_LT((PublishedWeights() - alone).abs().max().item<double>(), 1e-4) << ranks;
    EXPECT_EQ(std::exchange(advantages, {}), alone_advantages) << ranks;
    EXPECT_EQ(metrics_.at(2).at("groups/received"), 2) << ranks;
  }
}

TEST_F(LearnerTest, ARequestToStopEndsTheRunBehindItsStep) {
  hooks_.inspect = [this](const LearnerHooks::FinishedStep& step) {
    if (step.step == 2) stop_.request_stop();
    return LearnerHooks::Findings{};
  };
  EXPECT_EQ(Runs(), RunEnd::kStopped);
  EXPECT_EQ(steps_done_, 2);
  EXPECT_EQ(LinesOfMetrics(), 2);
  EXPECT_TRUE(IsSaved(2));
}

TEST_F(LearnerTest, ARequestToStopIsHeardWhileNobodyAnswers) {
  NobodyAnswers();
  stop_.request_stop();
  EXPECT_EQ(Runs(2), RunEnd::kStopped);
  EXPECT_EQ(steps_done_, 0);
  EXPECT_TRUE(IsSaved(0));
}

TEST_F(LearnerTest, AStepThatDoesNotComeInTimeEndsTheRunWithADiagnosis) {
  NobodyAnswers();
  config_.step_timeout = base::Milliseconds(1);
  int looked = 0;
  hooks_.on_no_progress = [&] { ++looked; };
  for (const int ranks : {1, 2}) {
    fs::remove_all(folder_);
    const auto failure = RunFails(ranks);
    EXPECT_EQ(failure.kind, base::ErrorKind::kRetryLater);
    EXPECT_THAT(failure.reason, HasSubstr("no progress: step 0: 0 of 2 groups are in"));
    EXPECT_THAT(failure.reason, HasSubstr("no role was ever heard of"));
    EXPECT_EQ(LinesOfMetrics(), 0);
    EXPECT_EQ(std::exchange(looked, 0), 1) << "rank 0 looks once at what its threads are doing";
  }
}

TEST_F(LearnerTest, AStepOfFailuresIsCountedAndLeavesTheWeightsAsTheyAre) {
  ActorAnswers([](const schema::Lease& lease) { return lease.ticket < 2 ? FailureFor(lease) : GroupFor(lease); });
  EXPECT_EQ(Runs(), RunEnd::kFinished);
  EXPECT_EQ(metrics_[0].at("anchor/failed"), 1);
  EXPECT_EQ(metrics_[0].at("weights/version"), 0);
  EXPECT_EQ(metrics_[1].at("anchor/failed"), 0);
  EXPECT_EQ(metrics_[2].at("weights/version"), 2);
  EXPECT_EQ(published_->version(), 2u);
}

TEST_F(LearnerTest, RecordsEachGroupWithItsPromptAndAdvantages) {
  ActorAnswers([](const schema::Lease& lease) {
    auto scored = GroupFor(lease);
    scored.rewards[1] = base::Failure{base::ErrorKind::kRetryLater, "no verdict"};
    return scored;
  });
  int seen = 0;
  hooks_.inspect = [&](const LearnerHooks::FinishedStep& step) {
    for (const auto& record : step.groups) {
      EXPECT_EQ(record.prompt.id, record.scored.group.ticket % 2 == 0 ? "a" : "b");
      EXPECT_EQ(record.advantages.size(), static_cast<std::size_t>(kRollouts));
      EXPECT_GT(record.advantages.front(), 0);
      EXPECT_TRUE(std::isnan(record.advantages[1]));
      EXPECT_LT(record.advantages.back(), 0);
      ++seen;
    }
    return LearnerHooks::Findings{};
  };
  Runs();
  EXPECT_EQ(seen, 6);
  EXPECT_TRUE(fs::exists(folder_ / "rollouts" / "step_000003.jsonl"));
}

TEST_F(LearnerTest, AHookMayEndTheRun) {
  hooks_.inspect = [](const LearnerHooks::FinishedStep& step) {
    LearnerHooks::Findings findings{.metrics = {{"found", 7}}, .alarm = "it collapses", .end = std::nullopt};
    if (step.step == 2) findings.end = RunEnd::kAlarm;
    return findings;
  };
  EXPECT_EQ(Runs(2), RunEnd::kAlarm);
  EXPECT_EQ(steps_done_, 2);
  EXPECT_EQ(metrics_.back().at("found"), 7);
  EXPECT_TRUE(IsSaved(2));
}

TEST_F(LearnerTest, HowARunEndsThatIsDoneIsSaidByAHook) {
  hooks_.conclude = [] { return RunEnd::kEmpty; };
  EXPECT_EQ(Runs(), RunEnd::kEmpty);
  EXPECT_EQ(steps_done_, 3);
}

TEST_F(LearnerTest, EvaluatesEverySoManyStepsAndAtTheEnd) {
  config_.evaluate_steps = 2;
  std::vector<std::int64_t> steps;
  hooks_.evaluate = [&](std::int64_t step, const model::SharedWeights& weights) {
    EXPECT_EQ(weights->version(), static_cast<schema::WeightVersion>(step));
    steps.push_back(step);
    return base::Metrics{{"accuracy/single", 0.5}};
  };
  Runs();
  EXPECT_THAT(steps, ElementsAre(2, 3));
  EXPECT_FALSE(metrics_[0].contains("accuracy/single"));
  EXPECT_EQ(metrics_[1].at("accuracy/single"), 0.5);
}

TEST_F(LearnerTest, TheHooksFindTheirNotesAgain) {
  hooks_.save_notes = [] { return std::map<std::string, std::string>{{"watch", "all is well"}}; };
  Runs();
  std::map<std::string, std::string> found;
  hooks_.restore_notes = [&](const std::map<std::string, std::string>& notes) { found = notes; };
  config_.max_steps = 4;
  metrics_.clear();
  GoesOnFrom(3);
  Runs();
  EXPECT_EQ(found.at("watch"), "all is well");
}

TEST_F(LearnerTest, WhatIsLateIsCounted) {
  ActorAnswers([](const schema::Lease& lease) {
    auto scored = GroupFor(lease);
    if (lease.ticket == 2 && lease.attempt == 1) {  // of the second step, by the weights before the first
      for (auto& rollout : scored.group.rollouts) rollout.first_version = rollout.last_version = 0;
    }
    return scored;
  });
  Runs();
  EXPECT_EQ(metrics_[0].at("groups/stale"), 0);
  EXPECT_EQ(metrics_[1].at("groups/stale"), 1);
  EXPECT_EQ(metrics_[1].at("staleness/max"), 0);
}

}  // namespace
}  // namespace autodidact::learner
