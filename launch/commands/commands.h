// The subcommands that are not `train`. Each blocks until it is done and throws base::Error; a signal ends the program
// in the middle of it (process/ending.h), but for `sft`, which saves first. An output that cannot be written is an
// error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "launch/commands/job_script.h"
#include "launch/config/run_config.h"
#include "launch/config/sft_config.h"
#include "process/ending.h"

namespace autodidact::launch {

// `sft`: trains a small model in the skills of the config and writes its folder: the weights with the best held-out
// loss, and those of the last step in last/, where something is held out, else the last ones. What it has done so far
// lies in OUTPUT.partial, from which kResume goes on with the same result as if it had not stopped. kFresh refuses an
// output or a begun training that is there, kOverwrite replaces what `sft` wrote and nothing else. Gives the exit code.
enum class SftStart { kFresh, kResume, kOverwrite };
int RunSft(const SftConfig& config, SftStart start, process::Ending& ending);

struct EvalCommand {
  std::string config;                   // its file, which no output may replace
  std::string model;                    // the policy's folder; empty: the config's model
  std::string data;                     // labelled JSONL; empty: the config's eval.data
  std::string json;                     // file for the figures; empty: none
  std::string records;                  // JSONL file with a line per question; empty: none
  std::int64_t limit = 0;               // rows, spread evenly over the file; 0: the config's
  std::vector<std::string> estimators;  // empty: the config's
};
// `eval`: estimators × group sizes; the table on standard output. Throws as well, after the table, when nothing was
// scored.
void RunEval(const RunConfig& config, const EvalCommand& command);

struct SynthesizeCommand {
  std::string config;  // its file, which no output may replace
  std::string model;   // the policy's folder; empty: the config's model
  std::string data;    // JSONL of prompts; empty: the config's data.train
  std::string out;     // JSONL file; empty: standard output
  std::int64_t limit = 0;
};
// `synthesize`: references with their groups, no training. Throws as well, after the last row, when every row failed.
void RunSynthesize(const RunConfig& config, const SynthesizeCommand& command);

// `tokenize`, `generate`, `score`: JSON lines on standard input, JSON lines on standard output in their order. Lines
// are answered as they arrive, those that are there together are computed together, and a result depends on its own
// line and its number alone. A line that cannot be answered ends the command, after the lines before it.
struct LinesCommand {
  std::string model;  // folder
  text::ChatChoice chat;
  engine::SamplingParams sampling;  // `score` has only the temperature
  std::int64_t n = 1;               // completions per line of `generate`
  std::int64_t seed = 0;
  bool decode = false;            // `tokenize`: ids to text
  bool special = true;            // special tokens: added to a text by the post-processor; dropped by `--decode`
  bool generation_prompt = true;  // messages end with the header of the assistant's turn
  std::string device = "cpu";
  std::string dtype = "float32";  // bfloat16
  std::int64_t threads = 0;       // 0: all cores
};
void RunTokenize(const LinesCommand& command);
void RunGenerate(const LinesCommand& command);
void RunScore(const LinesCommand& command);

// `grade`: JSON lines on standard input, verdicts and reasons as JSON lines on standard output, in the same order.
struct GradeCommand {
  std::string extractor = "auto";   // of {"gold", "answer"}: auto, or an extractor's name
  std::string comparator = "math";  // of {"gold", "answer"}
  double timeout = 30;              // of a program, seconds; a third of it of processor time
  std::int64_t jobs = 1;            // lines at a time
  std::string config;               // YAML file with a judge, for {"response", "rubric"}; empty: none
  std::vector<std::string> overrides;
};
// False when a line could not be read; its verdict says why.
bool RunGrade(const GradeCommand& command);

// `inspect`: one line about each file: a config of a model, a safetensors file, a checkpoint.
void RunInspect(const std::string& path);

// `report`: the page of a run.
struct ReportCommand {
  std::string run;                       // folder
  std::string out;                       // file; empty: report.html in the folder
  std::vector<std::string> evaluations;  // JSON files of `eval` beside those of the folder
};
void RunReport(const ReportCommand& command);

// `config`: what there is to say about the keys of a config. At least one of these is asked for.
struct ConfigCommand {
  bool sft = false;               // of `sft`'s config, not of a run's
  bool page = false;              // docs/config.md
  bool schema = false;            // a JSON Schema
  bool defaults = false;          // a config of every key with its default
  std::vector<std::string> keys;  // help about each
};
void RunConfigCommand(const ConfigCommand& command);

// `doctor`: a table of what is good and bad about the hosts of an allocation: alone about this one, under mpirun and
// srun about all. At most 15 seconds. Gives the exit code: failed when something is bad.
struct DoctorCommand {
  std::string config;                  // YAML file; empty: none
  std::vector<std::string> overrides;  // of the config
  std::string folder;                  // that the hosts share; empty: the config's run folder, else the working folder
  std::string interface = "auto";      // as network.interface
  std::string ports = "*";             // as network.ports
};
int RunDoctor(const DoctorCommand& command);

// `slurm`: writes the job script of a run to standard output, or hands it to sbatch and writes the job's number.
struct SlurmCommand {
  std::string config;
  std::vector<std::string> overrides;
  std::string called;  // the name by which this program was called
  JobScript job;       // empty: its program (this one) and its memory (by the memory plan, with a margin)
  bool gpus_given = false;
  bool submit = false;
};
void RunSlurm(const SlurmCommand& command);

// `demo-data`: the made-up task of the demo as JSONL files in a folder.
struct DemoDataCommand {
  std::string folder;
  std::int64_t seed = 0;
  double noise = 0.5;            // of each code of a training answer
  std::int64_t labelled = 3000;  // rows
  std::int64_t unlabelled = 4000;
  std::int64_t dev = 500;
  std::int64_t reconcile = 20000;
  std::int64_t mixed_up = 0;  // labels are the answers of so many other words, drawn at random; 0: off
};
void RunDemoData(const DemoDataCommand& command);

}  // namespace autodidact::launch
