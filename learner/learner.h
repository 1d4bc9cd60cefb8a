// The learner: takes complete steps from the coordinator, runs GRPO over all ranks, publishes the new weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "collective/collective.h"
#include "data/run_folder.h"
#include "learner/checkpoint.h"
#include "learner/checkpoint_writer.h"
#include "learner/coordinator.h"
#include "learner/policy_trainer.h"
#include "learner/run_end.h"
#include "weights/weights.h"

namespace autodidact::learner {

struct LearnerConfig {
  TrainerConfig trainer;
  std::int64_t max_steps = 1000;
  std::int64_t save_steps = 100;      // a checkpoint every so many steps, and at the end
  bool save_behind = true;            // those are copied, and written to the disk while the training goes on
  std::int64_t keep_checkpoints = 0;  // 0: all
  std::int64_t evaluate_steps = 0;    // hooks.evaluate every so many steps and at the end; 0: never
  base::Milliseconds step_timeout{600'000};
  std::filesystem::path run_folder;
  std::filesystem::path initial_model;   // whose tokenizer files go into checkpoints
  data::RunFacts run;                    // for checkpoints; rank 0's alone
  std::optional<at::Device> publish_to;  // where published weights lie; default: where they are trained
};

// What launch adds, on rank 0's thread. Each may be empty.
struct LearnerHooks {
  struct FinishedStep {
    std::int64_t step = 0;
    const std::vector<data::GroupRecord>& groups;  // as they were trained on
    const std::vector<std::string>& dropped;       // why groups of the step are missing
    const base::Metrics& metrics;                  // so far
  };
  struct Findings {
    base::Metrics metrics;
    std::string alarm;          // not empty: something is wrong, say so
    std::optional<RunEnd> end;  // and end the run like this
  };
  // A step has not come by its deadline: before the run ends for it.
  std::function<void()> on_no_progress;
  // After every step.
  std::function<Findings(const FinishedStep& step)> inspect;
  // How a run ends that has done all of its steps; kFinished where it is empty.
  std::function<RunEnd()> conclude;
  // Measurement on data apart, with the newest weights. Blocks the learner.
  std::function<base::Metrics(std::int64_t step, const model::SharedWeights& weights)> evaluate;
  // One line per finished step.
  std::function<void(std::int64_t step, const base::Metrics& metrics)> progress;
  // Their state in checkpoints.
  std::function<std::map<std::string, std::string>()> save_notes;
  std::function<void(const std::map<std::string, std::string>&)> restore_notes;
};

// What rank 0 has and the other ranks have not.
struct RankZero {
  Coordinator& coordinator;
  weights::WeightStore& store;
  data::RunFolder& run_folder;
  LearnerHooks hooks;
};

// One rank. Lifecycle: constructed -> (Resume) -> Run, once. The rank's own thread.
class Learner {
 public:
  // `rank_zero` is null on other ranks; what it refers to must outlive the learner.
  Learner(LearnerConfig config, const model::SharedWeights& initial, collective::Communicator& communicator,
          RankZero* rank_zero);

  // Goes on from a checkpoint of the same run (launch has compared them), with fewer steps than max_steps; all ranks
  // name the same one.
  void Resume(const std::filesystem::path& checkpoint);

  // Blocks until max_steps are done, `stop` is requested (on rank 0, or in the middle of a step on any rank, which is
  // given up), or a hook ends the run; then a checkpoint is written. All ranks return the same. Throws
  // Error(kRetryLater) with a diagnosis when a step makes no progress within step_timeout, or the disk takes no
  // checkpoint.
  RunEnd Run(const std::stop_token& stop);

  std::int64_t steps_done() const { return step_; }

 private:
  struct Order;

  Order NextOrder(const std::stop_token& stop, StepBatch& batch, base::Metrics& metrics);
  // This rank's groups of a step: rank 0 has all of them and keeps its own.
  std::vector<schema::ScoredGroup> Deal(const std::vector<schema::ScoredGroup>& all);
  void PublishWeights();
  // Metrics, records and hooks of a step, on rank 0; returns how it ends the run, if it does.
  std::optional<RunEnd> FinishStep(StepBatch batch, const std::vector<std::string>& advantages, base::Metrics metrics);
  // All ranks: the last checkpoint, and the roles hear that the run is over.
  RunEnd End(RunEnd end);
  // All ranks: a checkpoint of the step that is done, unless it is there. With `behind`, rank 0 may still be writing it
  // when this returns.
  void Save(bool behind);

  LearnerConfig config_;
  collective::Communicator& communicator_;
  RankZero* rank_zero_;
  PolicyTrainer trainer_;
  std::int64_t step_ = 0;
  std::int64_t saved_step_ = -1;
  model::SharedWeights initial_;    // rank 0, until the first weights are published
  model::SharedWeights published_;  // rank 0
  CheckpointWriter writer_;         // rank 0
};

}  // namespace autodidact::learner
