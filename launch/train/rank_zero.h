// What learner rank 0 owns in a run, put together from the config.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "data/rows.h"
#include "data/run_folder.h"
#include "data/run_place.h"
#include "evaluation/watch.h"
#include "launch/config/run_config.h"
#include "launch/train/lesson_watch.h"
#include "launch/train/training.h"
#include "launch/wiring/memory_plan.h"
#include "launch/wiring/preflight.h"
#include "launch/wiring/progress.h"
#include "launch/wiring/wiring.h"
#include "learner/coordinator.h"
#include "learner/learner.h"
#include "net/net.h"
#include "weights/weights.h"

namespace autodidact::launch {

// The folder of the run, held from now on; nothing of it is changed yet.
data::RunPlace PlaceOfRun(const RunConfig& config, const TrainOptions& options);

// What refuses a run in its place and can be known from the config alone: a key that may not change has changed since
// the checkpoint, no step is left, the disk has no room for a checkpoint. Error(kBadInput). The initial weights and the
// rows are compared once they are read, by RankZeroAssembly.
void CheckPlace(const RunConfig& config, const data::RunPlace& place, std::int64_t num_weights);

// Owns the run's records, the queue behind its coordinator, the weight store and the hooks. The context must outlive
// it. Used by the learner's thread; the coordinator is also served by its server's thread.
class RankZeroAssembly {
 public:
  struct Wire {
    net::Context& context;
    const net::Security& security;
    std::string endpoint;       // of the coordinator
    std::string weights = {};   // where the weights are asked for; empty: everything is in one process
    std::stop_token stop = {};  // breaks evaluations off
  };
  // Takes the checked data, compares the run with the checkpoint that it goes on from, opens the place and the
  // endpoints. `roles` is the kind of every role, empty in one process. Every error of the config or the data is thrown
  // before anything is written.
  RankZeroAssembly(const RunConfig& config, data::RunPlace& place, const Wire& wire, const LoadedModel& model,
                   const std::vector<std::string>& roles, RunData data);

  const std::string& endpoint() const { return coordinator_->endpoint(); }
  weights::WeightStore& store() { return store_; }
  learner::RankZero& rank_zero() { return *rank_zero_; }
  const data::RunFacts& facts() const { return facts_; }

  // outcome.json of the run folder: how the run ended, and why where something was wrong with it. WriteFailure is for
  // an error that ends the run, and throws none of its own.
  void WriteEnd(learner::RunEnd end) const;
  void WriteFailure(const std::string& message) const;

 private:
  void WriteOutcome(const std::string& end, const std::string& message) const;
  learner::LearnerHooks MakeHooks(const LoadedModel& model);

  const RunConfig& config_;
  net::Context& context_;
  const std::stop_token stop_;
  std::vector<data::Row> rows_;
  std::vector<data::Row> eval_rows_;
  data::RunFacts facts_;
  weights::WeightStore store_;
  std::unique_ptr<weights::WeightPublisher> publisher_;
  std::unique_ptr<data::RunFolder> run_folder_;
  std::unique_ptr<evaluation::RunWatch> watch_;
  LessonWatch lessons_;
  std::unique_ptr<ProgressLine> progress_;
  std::unique_ptr<MemoryWatch> memory_;
  std::unique_ptr<learner::Coordinator> coordinator_;
  std::optional<learner::RankZero> rank_zero_;
};

// The learner's config from the run's. `facts` go into its checkpoints: rank 0 alone has them.
learner::LearnerConfig LearnerOf(const RunConfig& config, const data::RunFacts& facts);

}  // namespace autodidact::launch
