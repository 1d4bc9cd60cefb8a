// The config of a run, as the YAML file says it. Every default and unit stands here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "launch/config/judge_keys.h"
#include "launch/config/sampling_keys.h"
#include "learner/trainer_config.h"

namespace autodidact::launch {

struct DataKeys {
  std::string train = {};  // JSONL of prompts
  // JSONL that `synthesize` wrote: each prompt's reference, by id, made before the run. With it the estimator is not
  // asked during training. Empty: references are made from the groups of each step.
  std::string references = {};
  double min_agreement = 0;  // leaves out prompts of whose candidates a smaller share gives the reference's answer
  std::string labels = {};   // JSONL of answers joined by id; read by ground_truth and for measuring only
  std::vector<std::string> id = {};  // names of the columns; empty: the usual ones
  std::vector<std::string> prompt = {};
  std::vector<std::string> answer = {};
  std::vector<std::string> answers = {};
  bool shuffle = true;
  std::int64_t limit = 0;  // so many rows, spread evenly over the file; 0: all
};

struct PromptKeys {
  // Chat format: auto (the model's template), or one of text/chat.h: plain, llama3, qwen3, qwen2, chatml, smollm2,
  // gemma3
  std::string format = "auto";
  std::string chat_template = {};       // key template: a file of jinja2 in place of the model's; empty: the model's
  std::string template_variables = {};  // a mapping, kept as JSON: what the template is given; empty: nothing
  std::string python = {};              // the Python that has jinja2; empty: looked for
  std::string system = {};              // system turn; empty: none
  std::string text = "{prompt}";        // the user turn, "{prompt}" being the row's text
};

struct AnchorKeys {
  std::string system = {};
  std::string instruction = "{candidates}";
  std::string candidate = "{text}";
  std::string separator = "\n";
  std::string order = "given";  // of the candidates: given (random), frequency, counted (estimators/estimator.h)
  std::string heading = {};     // only text under its last occurrence is the reference; empty: all
  std::int64_t context = 0;     // tokens; 0: the model's own limit
  SamplingKeys sampling{.temperature = 0.0};
};

// Programs as answers (comparator: code): Python, run in a sandbox.
struct CodeKeys {
  std::string python = "python3";
  std::string inputs = {};                  // column of the row: a list of texts; empty: the anchor writes them
  std::string input_kind = "calls";         // calls (expressions), stdin
  std::string entry_point = "entry_point";  // column of the row: the function that a label's check(candidate) gets
  double timeout = 30;                      // seconds for a program
  double cpu = 10;                          // seconds of processor time
  std::int64_t memory = 512;                // MiB
  std::int64_t jobs = 2;                    // programs at a time
};

// The prompt of estimator: self_select.
struct SelectKeys {
  std::string system = {};
  std::string instruction =
      "{prompt}\n\nBelow are answers to this, each with its number.\n\n{candidates}\n\n"
      "Which answer is the best? Reply with its number and nothing else.";
  std::string candidate = "Answer {index}:\n{text}";
  std::string separator = "\n\n";
  std::vector<std::string> choices = {};  // what the answers are called; empty: 1, 2, …
};

struct AnswerKeys {
  std::string extractor = "boxed";         // boxed, last_number, hashes, whole
  std::string comparator = "exact";        // exact, math, code
  std::vector<std::string> verifier = {};  // a command that compares instead, by JSON lines; empty: none
  double verifier_timeout = 10;            // seconds for a comparison
  CodeKeys code;
};

struct TrainKeys {
  std::int64_t max_steps = 1000;
  std::int64_t groups_per_step = 32;
  std::int64_t num_generations = 8;
  // What a step does. What follows from other keys (temperature, max_completion_length, total_steps) is not set here.
  learner::TrainerConfig trainer;
  std::int64_t max_staleness = 0;     // steps; 0: synchronous, the same bits in every run
  std::int64_t save_steps = 100;      // 0: only at the end
  std::int64_t keep_checkpoints = 3;  // 0: all
  std::int64_t max_empty_steps = 5;   // steps in a row that teach nothing end the run; 0: they do not
};

struct EvalKeys {
  std::string data = {};   // labelled JSONL; empty: no evaluation during training
  std::int64_t steps = 0;  // during training every so many steps and at the end; 0: never
  std::int64_t limit = 0;  // so many rows, spread evenly over the file; 0: all
  std::vector<std::int64_t> group_sizes = {1, 2, 4, 8, 16};
  std::vector<std::string> estimators = {"synthesis", "majority"};  // of `eval`; any of the names of `estimator`
  bool position_vote = false;  // a vote per position of space-separated symbols, as a further line
};

// The alarm against runs that collapse: every prompt gets one answer while the self-made reward rises.
struct CollapseKeys {
  bool stop = false;          // end the run at the alarm
  double rise = 0.2;          // of the likeness of answers to different prompts, over the first steps' …
  double kappa = 0.2;         // … while answers to the same prompt agree less than this beyond it
  double certain = 0.9;       // or a likeness this high by itself
  std::int64_t patience = 3;  // steps in a row
};

struct EngineKeys {
  std::int64_t cache_tokens = 131072;  // keys and values kept at once
  std::int64_t max_rows = 1024;        // rollouts decoded at once
  std::int64_t max_groups = 64;        // groups an actor holds at once
};

struct ThreadKeys {  // libtorch's intra-op threads of each role; 0: all cores
  std::int64_t learner = 0;
  std::int64_t actor = 0;
  std::int64_t anchor = 0;
  std::int64_t judge = 1;  // of a local judge model
};

struct PlacementKeys {
  // Under mpirun: the role of each rank, learners first ("learner*6" is six of them); empty: all ranks beyond three are
  // learners, then an actor, an anchor and a judge. In one process: how many of each there are.
  std::vector<std::string> ranks = {};
  std::int64_t actors = 1;
  std::int64_t anchors = 1;
  std::int64_t judges = 1;
};

struct NetworkKeys {
  std::string address = "127.0.0.1";  // that roles bind, on the loopback
};

struct TimeoutKeys {        // seconds
  double lease = 120;       // a prompt not returned by then is given out again
  double step = 600;        // a step without progress ends the run with a diagnosis
  double call = 120;        // one call of anchor or judge
  double collective = 900;  // ranks waiting for each other
};

struct RunConfig {
  std::string name = "run";
  std::string folder = "runs";  // the run writes folder/name
  std::int64_t seed = 0;
  std::string model = {};           // Hugging Face folder: initial policy, anchor and KL reference
  std::string device = "cpu";       // cpu, cuda; cuda:N: that GPU, and under mpirun no other
  std::string dtype = "float32";    // float32, bfloat16: what all roles compute in; master weights are fp32
  double device_memory_gib = 80.0;  // of a GPU, for the memory plan
  // Where references come from: synthesis, majority, min_perplexity, self_select, mutual_predictability, ground_truth.
  std::string estimator = "synthesis";
  DataKeys data;
  PromptKeys prompt;
  SamplingKeys rollout;
  AnchorKeys anchor;
  SelectKeys select;
  AnswerKeys answer;
  RubricKeys rubric;
  JudgeKeys judge;
  TrainKeys train;
  EvalKeys eval;
  CollapseKeys collapse;
  EngineKeys engine;
  ThreadKeys threads;
  PlacementKeys placement;
  NetworkKeys network;
  TimeoutKeys timeouts;

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
std::vector<KeyInfo> SftKeys();

// The full names of the keys of a run's config that are meant by an option of this name ("lr": train.learning_rate).
std::vector<std::string> KeysMeantBy(const std::string& name);

// The same file read for its judge alone (`grade`): only the keys of the judge are checked, and there must be a judge
// that is not a program.
RunConfig ReadJudgeConfig(const std::filesystem::path& file, const std::vector<std::string>& overrides);

// The resolved config, every key with its value, as YAML that ReadRunConfig takes.
std::string ToYaml(const RunConfig& config);

// One file of pairs in a mixture.
struct SftSource {
  std::string file = {};
  double weight = 1.0;  // relative number of rows drawn from it
};

// The skill of reconciling: candidates are sampled from models that were not trained on their rows.
struct ReconcileKeys {
  bool enabled = false;
  std::int64_t folds = 2;
  bool apart = false;  // the first fold is for reconciling alone, the others for answering alone
  // JSONL of prompts without labels: candidates are sampled on these in place of folds, from one model that learned all
  // pairs, and what most candidates of a prompt equal is what is right (sft/crossfit.h). Empty: folds of the pairs.
  std::string prompts = {};
  std::int64_t max_prompts = 0;      // so many of them, spread evenly over the file; 0: all
  std::int64_t fold_steps = 1000;    // of supervised training of each fold's model
  std::int64_t num_candidates = 16;  // sampled per row; groups are drawn from them
  std::vector<std::int64_t> group_sizes = {1, 2, 4, 8, 16};
  std::int64_t max_unsupported = -1;  // pairs of the right answer that a group may lack (sft/examples.h); -1: any
  double exchanged = 0;               // share of rows whose symbols change places, so that no answer can be recalled
  bool continue_from_fold = true;     // the final model goes on from a fold's; else from where the folds began
  double share = 0.33;                // of the rows of a batch
};

struct SftConfig {
  std::string output = {};  // Hugging Face folder to write
  std::int64_t seed = 0;
  std::string model = {};  // folder to start from; empty: from nothing, with the shape below
  std::vector<SftSource> data = {};
  std::string tokenizer = "symbols";            // symbols, bpe (from nothing only)
  std::int64_t vocab_size = 4096;               // of bpe
  std::vector<std::string> extra_symbols = {};  // beside those of the data (separators of the anchor's prompt)
  std::int64_t hidden_size = 128;
  std::int64_t intermediate_size = 352;
  std::int64_t num_layers = 4;
  std::int64_t num_heads = 4;
  std::int64_t num_kv_heads = 4;
  std::int64_t max_position_embeddings = 512;
  double rope_theta = 10000;
  bool tie_word_embeddings = false;
  double initializer_range = 0.02;  // standard deviation of the first weights
  PromptKeys prompt;
  AnchorKeys anchor;     // how candidates stand in the anchor's prompt
  SamplingKeys rollout;  // how candidates are sampled
  ReconcileKeys reconcile;
  std::int64_t max_steps = 1000;
  std::int64_t batch_size = 64;  // rows
  double learning_rate = 3e-3;
  learner::Schedule lr_scheduler = learner::Schedule::kCosine;
  double final_fraction = 0.02;
  std::int64_t warmup_steps = 100;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.95;
  double weight_decay = 0.1;
  double max_grad_norm = 1.0;
  std::int64_t save_steps = 500;  // a checkpoint every so many steps; 0: only when it is stopped
  double held_out = 0;            // share of each file's rows that is only measured on; 0: none
  std::string eval_data = {};     // JSONL of further rows to measure on; empty: none
  std::int64_t eval_steps = 100;  // the held-out loss every so many steps and at the end: the best weights are kept
  std::int64_t threads = 0;
};
SftConfig ReadSftConfig(const std::filesystem::path& file, const std::vector<std::string>& overrides);
std::string ToYaml(const SftConfig& config);

}  // namespace autodidact::launch
