// The config of a run: the components' own configs, and what several of them share. Every default stands in these
// structs; the description (describe_run.h) gives each key its name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/names.h"
#include "data/rows.h"
#include "engine/config.h"
#include "estimators/config.h"
#include "evaluation/collapse.h"
#include "judge_service/config.h"
#include "launch/config/judge_config.h"
#include "learner/trainer_config.h"
#include "programs/verifier.h"
#include "text/chat_source.h"

namespace autodidact::launch {

struct DataConfig {
  std::string train = {};  // JSONL of prompts
  // JSONL that `synthesize` wrote: each prompt's reference, by id, made before the run. With it the estimator is not
  // asked during training. Empty: references are made from the groups of each step.
  std::string references = {};
  double min_agreement = 0;  // leaves out prompts of whose candidates a smaller share gives the reference's answer
  std::string labels = {};   // JSONL of answers joined by id; read by ground_truth and for measuring only
  data::RowKeys columns = {};
  bool shuffle = true;
  std::int64_t limit = 0;  // so many rows, spread evenly over the file; 0: all
};

// How a row's prompt stands before a model.
struct PromptConfig {
  text::ChatChoice chat = {};
  std::string system = {};        // system turn; empty: none
  std::string text = "{prompt}";  // the user turn, "{prompt}" being the row's text
};

// Programs as answers (comparator: code): Python, run in a sandbox.
struct CodeConfig {
  judge_service::CodeJudgeConfig judge = {};
  std::string inputs = {};                  // column of the row: a list of texts; empty: the anchor writes them
  std::string entry_point = "entry_point";  // column of the row: the function that a label's check(candidate) gets
};

// When two answers are equal.
enum class Comparison { kExact, kMathematics, kCode };
constexpr auto NamesOf(Comparison) {
  return base::NameTable<Comparison, 3>{
      {{Comparison::kExact, "exact"}, {Comparison::kMathematics, "math"}, {Comparison::kCode, "code"}}};
}

struct AnswerConfig {
  answers::Extractor extractor = answers::Extractor::kBoxed;
  Comparison comparator = Comparison::kExact;
  programs::VerifierConfig verifier = {};  // compares instead; without a command: none
  CodeConfig code = {};

  bool programs() const { return comparator == Comparison::kCode; }
  // How answers are found and compared as texts. Programs are their texts: what they do is the judge's to see.
  estimators::AnswerRule rule() const {
    if (programs()) return {answers::Extractor::kWholeText, answers::Comparator::kExact};
    return {extractor,
            comparator == Comparison::kMathematics ? answers::Comparator::kMathematics : answers::Comparator::kExact};
  }
};

struct TrainConfig {
  std::int64_t max_steps = 1000;
  std::int64_t groups_per_step = 32;
  std::int64_t num_generations = 8;
  // What a step does. What follows from other keys (temperature, max_completion_length, total_steps) is not set here.
  learner::TrainerConfig trainer;
  std::int64_t max_staleness = 0;     // steps; 0: synchronous, the same bits in every run
  std::int64_t save_steps = 100;      // 0: only at the end
  bool save_behind = true;            // those of save_steps
  std::int64_t keep_checkpoints = 3;  // 0: all
  std::int64_t max_empty_steps = 5;   // steps in a row that teach nothing end the run; 0: they do not
};

struct EvalConfig {
  std::string data = {};   // labelled JSONL; empty: no evaluation during training
  std::int64_t steps = 0;  // during training every so many steps and at the end; 0: never
  std::int64_t limit = 0;  // so many rows, spread evenly over the file; 0: all
  std::vector<std::int64_t> group_sizes = {1, 2, 4, 8, 16};
  std::vector<estimators::EstimatorKind> estimators = {estimators::EstimatorKind::kSynthesis,
                                                       estimators::EstimatorKind::kMajority};  // of `eval`
  bool position_vote = false;  // a vote per position of space-separated symbols, as a further line
};

// The alarm against runs that collapse: every prompt gets one answer while the self-made reward rises.
struct CollapseConfig {
  bool stop = false;  // end the run at the alarm
  evaluation::CollapseRule rule = {};
};

struct ThreadConfig {  // libtorch's intra-op threads of each role; 0: all cores
  std::int64_t learner = 0;
  std::int64_t actor = 0;
  std::int64_t anchor = 0;
  std::int64_t judge = 1;  // of a local judge model
};

struct PlacementConfig {
  // Under mpirun or srun, one of three. `ranks`: the role of each place (-n), learners first ("learner*6" is six of
  // them), on the host where the launcher puts the place. `hosts`: the roles of each host, as in "learner*2 actor@2";
  // "@2" names a GPU of the host; how many places each host has does not matter. Neither: with `learners`, so many of
  // each role are dealt out to hosts and GPUs; else all places beyond three are learners, then an actor, an anchor and
  // a judge.
  std::vector<std::string> ranks = {};
  std::vector<std::string> hosts = {};
  std::int64_t learners = 0;
  // Of each role, in one process too.
  std::int64_t actors = 1;
  std::int64_t anchors = 1;
  std::int64_t judges = 1;
};

// Of a run whose roles are processes: where they listen and reach each other.
struct NetworkConfig {
  // At most one of them is not "auto" (net::AddressChoice).
  std::string interface = "auto";  // "ib0", or a network as "10.0.0.0/24"
  std::string address = "auto";
  std::string ports = "*";  // "40000-40100": those that a firewall lets through
};

struct TimeoutConfig {      // seconds
  double lease = 120;       // a prompt not returned by then is given out again
  double step = 600;        // a step without progress ends the run with a diagnosis
  double call = 120;        // one call of anchor or judge
  double collective = 900;  // ranks waiting for each other
};

enum class Dtype { kFloat32, kBFloat16 };
constexpr auto NamesOf(Dtype) {
  return base::NameTable<Dtype, 2>{{{Dtype::kFloat32, "float32"}, {Dtype::kBFloat16, "bfloat16"}}};
}

struct RunConfig {
  std::string name = "run";
  std::string folder = "runs";  // the run writes folder/name
  std::int64_t seed = 0;
  std::string model = {};           // Hugging Face folder: initial policy, anchor and KL reference
  std::string device = "cpu";       // cpu, cuda; cuda:N: that GPU, and under mpirun no other
  Dtype dtype = Dtype::kFloat32;    // what all roles compute in; master weights are fp32
  double device_memory_gib = 80.0;  // of a GPU, for the memory plan
  estimators::EstimatorKind estimator = estimators::EstimatorKind::kSynthesis;  // where references come from
  DataConfig data;
  PromptConfig prompt;
  engine::SamplingParams rollout;
  estimators::SynthesisConfig anchor;
  estimators::SelfSelectPrompt select;
  AnswerConfig answer;
  estimators::RubricConfig rubric;
  JudgeConfig judge;
  TrainConfig train;
  EvalConfig eval;
  CollapseConfig collapse;
  engine::EngineConfig engine;
  std::int64_t max_groups = 64;  // an actor holds at once
  ThreadConfig threads;
  PlacementConfig placement;
  NetworkConfig network;
  TimeoutConfig timeouts;

  std::filesystem::path run_folder() const { return std::filesystem::path(folder) / name; }
};

enum class Files { kRequired, kAnywhere };  // kAnywhere: those of data need not be there (to look at a config)

// Reads and checks the whole config: values out of range, names that do not exist, files that are missing are
// Error(kBadInput), which lists all of them, each with file and line (or the override), key, what was found, what was
// expected and what to do. What is odd but may be meant is logged as a warning. Nothing is written.
RunConfig ReadRunConfig(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                        Files files = Files::kRequired);

// Every key of a kind of config, in the order of its description (launch/config/visitor.h).
struct KeyInfo;
std::vector<KeyInfo> RunKeys();

// The full names of the keys of a run's config that are meant by an option of this name ("lr": train.learning_rate).
std::vector<std::string> KeysMeantBy(const std::string& name);

// The same file read for its judge alone (`grade`): only the keys of the judge are checked, and there must be a judge
// that is not a program.
RunConfig ReadJudgeConfig(const std::filesystem::path& file, const std::vector<std::string>& overrides);

// The resolved config, every key with its value, as YAML that ReadRunConfig takes.
std::string ToYaml(const RunConfig& config);

}  // namespace autodidact::launch
