// The program: one binary, its roles and its tools as subcommands.
#include <CLI/CLI.hpp>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "collective/collective.h"
#include "launch/commands.h"
#include "launch/config.h"
#include "launch/demo_summary.h"
#include "launch/training.h"
#include "process/signals.h"

namespace {

using namespace autodidact;  // NOLINT(google-build-using-namespace): the program's own file

constexpr int kBadInput = 2;
constexpr int kAlarm = 3;
constexpr int kInterrupted = 130;

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  bool verbose = false;
  bool dry_run = false;
  bool probe = false;
  bool resume = false;
  bool resume_if_possible = false;
  bool overwrite = false;
  std::string connect;
  std::int64_t index = 0;
  std::string path;
  launch::EvalCommand eval;
  launch::SynthesizeCommand synthesize;
  launch::LinesCommand lines;
  launch::GradeCommand grade;
  launch::ReportCommand report;
  launch::DemoDataCommand demo;
};

void AddConfig(CLI::App* command, Arguments& arguments) {
  command->add_option("config", arguments.config, "YAML file")->required();
  command->add_option("--set", arguments.overrides, "KEY=VALUE put over the config, as in --set train.max_steps=10");
}

// Unlike CLI::Range it refuses what is not a number.
CLI::Validator Within(double low, double high) {
  return {[low, high](const std::string& text) {
            double value = NAN;
            const bool good = CLI::detail::lexical_cast(text, value) && value >= low && value <= high;
            return good ? std::string() : base::Format("got {}, expected a number from {} to {}", text, low, high);
          },
          base::Format("{} to {}", low, high)};
}

bool IsDevice(const std::string& text) {
  const std::string numbered = "cuda:";
  if (text == "cpu" || text == "cuda") return true;
  return text.starts_with(numbered) && text.size() > numbered.size() && text.size() < numbered.size() + 3 &&
         text.find_first_not_of("0123456789", numbered.size()) == std::string::npos;
}

void AddLines(CLI::App* command, Arguments& arguments) {
  command->add_option("model", arguments.lines.model, "model folder")->required();
  command->add_option(
      "--chat-format", arguments.lines.format,
      "of messages: auto (by the model's template), plain, llama3, qwen3, qwen2, chatml, smollm2, gemma3");
  command->add_flag(
      "!--no-special", arguments.lines.special,
      "texts without the special tokens (BOS, say) of the tokenizer; with --decode: keep those of the ids");
}

void AddModel(CLI::App* command, Arguments& arguments) {
  AddLines(command, arguments);
  command->add_option("--device", arguments.lines.device, "cpu, cuda, cuda:N")
      ->check(CLI::Validator([](const std::string& text) { return IsDevice(text) ? "" : "expected cpu, cuda, cuda:N"; },
                             "DEVICE"));
  command->add_option("--dtype", arguments.lines.dtype, "to compute in: float32, bfloat16")
      ->check(CLI::IsMember({"float32", "bfloat16"}));
  command->add_option("--threads", arguments.lines.threads, "0: all cores")->check(CLI::NonNegativeNumber);
}

void AddSampling(CLI::App* command, launch::SamplingKeys& sampling) {
  command->add_option("--temperature", sampling.temperature, "0: greedy")->check(Within(0.0, 1e6));
  command->add_option("--top-k", sampling.top_k, "0: off")->check(CLI::Range(0, INT32_MAX));
  command->add_option("--top-p", sampling.top_p, "1: off")->check(Within(0.0, 1.0));
  command->add_option("--min-p", sampling.min_p, "0: off")->check(Within(0.0, 1.0));
  command->add_option("--repetition-penalty", sampling.repetition_penalty, "1: off")->check(Within(1e-3, 1e3));
  command->add_option("--max-new-tokens,--max-completion-length", sampling.max_completion_length, "tokens")
      ->check(CLI::Range(1, INT32_MAX));
  command->add_option("--stop", sampling.stop, "string that ends a completion; may be repeated");
}

int EndCode(learner::RunEnd end) {
  switch (end) {
    case learner::RunEnd::kFinished:
    case learner::RunEnd::kNothingLeft:
      return EXIT_SUCCESS;
    case learner::RunEnd::kStopped:
      return kInterrupted;
    case learner::RunEnd::kAlarm:
      return kAlarm;
    case learner::RunEnd::kEmpty:
      return EXIT_FAILURE;
    case learner::RunEnd::kRefused:
      return kBadInput;
  }
  return EXIT_FAILURE;
}

int Train(const Arguments& arguments, const char* binary, const std::stop_token& stop) {
  if (arguments.dry_run) {
    std::cout << launch::DryRun(arguments.config, arguments.overrides, arguments.probe);
    return EXIT_SUCCESS;
  }
  const launch::RunConfig config = launch::ReadRunConfig(arguments.config, arguments.overrides);
  using Start = launch::TrainOptions::Start;
  launch::TrainOptions options{.start = Start::kFresh, .binary = binary};
  if (arguments.resume) options.start = Start::kResume;
  if (arguments.resume_if_possible) options.start = Start::kResumeIfPossible;
  if (arguments.overwrite) options.start = Start::kOverwrite;
  const bool ranks = collective::LaunchedByMpi() && collective::MpiSize() > 1;
  const auto end =
      ranks ? launch::TrainUnderMpi(config, options, stop) : launch::TrainInOneProcess(config, options, stop);
  if (end == learner::RunEnd::kStopped) base::LogWarning("stopped on request; --resume goes on from the checkpoint");
  return EndCode(end);
}

int Run(CLI::App& app, Arguments& arguments, const char* binary, const std::stop_token& stop) {
  const CLI::App* command = app.get_subcommands().front();
  const std::string name = command->get_name();
  if (name == "train") return Train(arguments, binary, stop);
  if (name == "sft") {
    launch::RunSft(launch::ReadSftConfig(arguments.config, arguments.overrides), stop);
  } else if (name == "eval") {
    launch::RunEval(launch::ReadRunConfig(arguments.config, arguments.overrides), arguments.eval, stop);
  } else if (name == "synthesize") {
    launch::RunSynthesize(launch::ReadRunConfig(arguments.config, arguments.overrides), arguments.synthesize, stop);
  } else if (name == "tokenize") {
    launch::RunTokenize(arguments.lines);
  } else if (name == "generate") {
    launch::RunGenerate(arguments.lines);
  } else if (name == "score") {
    launch::RunScore(arguments.lines);
  } else if (name == "grade") {
    return launch::RunGrade(arguments.grade) ? EXIT_SUCCESS : kBadInput;
  } else if (name == "inspect") {
    launch::RunInspect(arguments.path);
  } else if (name == "report") {
    launch::RunReport(arguments.report);
  } else if (name == "demo-data") {
    launch::RunDemoData(arguments.demo);
  } else if (name == "demo-summary") {
    std::cout << launch::SummariseDemo(arguments.path);
  } else {
    launch::JoinRun(launch::ReadRunConfig(arguments.config, arguments.overrides), name, arguments.index,
                    arguments.connect, stop);
  }
  return EXIT_SUCCESS;
}

void Describe(CLI::App& app, Arguments& arguments) {
  app.require_subcommand(1);
  app.set_version_flag("--version", AUTODIDACT_VERSION);
  app.add_flag("--verbose", arguments.verbose, "log more");
  auto* train = app.add_subcommand("train", "Label-free training: in one process, or as ranks under mpirun");
  AddConfig(train, arguments);
  auto* dry_run =
      train->add_flag("--dry-run", arguments.dry_run,
                      "check all that can be checked, print the resolved config and the memory plan, and stop");
  train->add_flag("--probe", arguments.probe, "with --dry-run: ask the judge's endpoint too")->needs(dry_run);
  auto* resume = train->add_flag("--resume", arguments.resume, "go on from the newest checkpoint");
  auto* maybe = train->add_flag("--resume-if-possible", arguments.resume_if_possible, "the same, or start afresh");
  auto* overwrite = train->add_flag("--overwrite", arguments.overwrite, "delete what the run folder holds");
  resume->excludes(maybe)->excludes(overwrite);
  maybe->excludes(overwrite);

  AddConfig(app.add_subcommand("sft", "Supervised training of a small base model"), arguments);

  auto* eval = app.add_subcommand("eval", "Estimators x group sizes on a labelled JSONL file");
  AddConfig(eval, arguments);
  eval->add_option("--model", arguments.eval.model, "the policy's folder; the anchor is always the config's model");
  eval->add_option("--data", arguments.eval.data, "labelled JSONL");
  eval->add_option("--json", arguments.eval.json, "file for the figures");
  eval->add_option("--records", arguments.eval.records, "JSONL file with a line per question");
  eval->add_option("--estimators", arguments.eval.estimators, "what is compared; default: the config's")
      ->delimiter(',');
  eval->add_option("--limit", arguments.eval.limit, "so many rows, spread evenly over the file");

  auto* synthesize = app.add_subcommand("synthesize", "References with their groups, no training");
  AddConfig(synthesize, arguments);
  synthesize->add_option("--model", arguments.synthesize.model, "the policy's folder");
  synthesize->add_option("--data", arguments.synthesize.data, "JSONL of prompts");
  synthesize->add_option("--out", arguments.synthesize.out, "JSONL file; default: standard output");
  synthesize->add_option("--limit", arguments.synthesize.limit, "so many rows, spread evenly over the file");

  for (const char* role : {"actor", "anchor", "judge"}) {
    auto* command = app.add_subcommand(role, "One more role of a running job, as a process of its own");
    AddConfig(command, arguments);
    command->add_option("--connect", arguments.connect, "endpoint of the learner")->required();
    command->add_option("--index", arguments.index, "its number among its kind");
  }

  auto* tokenize = app.add_subcommand("tokenize", "{\"text\"} or {\"messages\"} to {\"ids\"}, as JSON lines");
  AddLines(tokenize, arguments);
  tokenize->add_flag("--decode", arguments.lines.decode, "{\"ids\"} to {\"text\"}");
  tokenize->add_flag("!--no-generation-prompt", arguments.lines.generation_prompt,
                     "messages without the header of the assistant's turn at their end");
  auto* generate = app.add_subcommand("generate", "{\"prompt\"} or {\"messages\"} to completions, as JSON lines");
  AddModel(generate, arguments);
  AddSampling(generate, arguments.lines.sampling);
  generate->add_option("--n", arguments.lines.n, "completions of each line")->check(CLI::Range(1, 1024));
  generate->add_option("--seed", arguments.lines.seed, "the same seed and line give the same completions")
      ->check(CLI::NonNegativeNumber);
  auto* score = app.add_subcommand("score", "{\"ids\"} or {\"prompt\", \"completion\"} to log-probabilities");
  AddModel(score, arguments);
  score->add_option("--temperature", arguments.lines.sampling.temperature)->check(Within(1e-3, 1e6));

  auto* grade = app.add_subcommand(
      "grade",
      "{\"gold\", \"answer\"}, {\"program\", \"tests\"} or, with --config, {\"response\", \"rubric\"} to verdicts and "
      "reasons, as JSON lines");
  grade->add_option("--extractor", arguments.grade.extractor,
                    "auto (the box if there is one, a formula among words, else the whole text), boxed, last_number, "
                    "hashes, whole");
  grade->add_option("--comparator", arguments.grade.comparator, "exact, math");
  grade->add_option("--timeout", arguments.grade.timeout, "seconds for a program")->check(CLI::PositiveNumber);
  grade->add_option("--jobs", arguments.grade.jobs, "lines at a time")->check(CLI::PositiveNumber);
  grade->add_option("--config", arguments.grade.config, "YAML file whose judge answers {\"response\", \"rubric\"}");
  grade->add_option("--set", arguments.grade.overrides, "KEY=VALUE put over the config");

  app.add_subcommand("inspect", "What a model folder, a checkpoint, a safetensors file or a recorded message holds")
      ->add_option("path", arguments.path)
      ->required();
  auto* report = app.add_subcommand("report", "One HTML page about a run: plots, tables, rollouts");
  report->add_option("run", arguments.report.run, "folder of the run")->required();
  report->add_option("--out", arguments.report.out, "file; default: report.html in the folder");
  report->add_option("--eval", arguments.report.evaluations,
                     "JSON of `eval` beside those in the folder; may be repeated");
  auto* demo = app.add_subcommand("demo-data", "The made-up task of the demo as JSONL files");
  demo->add_option("folder", arguments.demo.folder)->required();
  demo->add_option("--seed", arguments.demo.seed);
  demo->add_option("--noise", arguments.demo.noise, "probability that a name of a training answer is wrong");
  demo->add_option("--labelled", arguments.demo.labelled, "rows");
  demo->add_option("--unlabelled", arguments.demo.unlabelled, "rows");
  demo->add_option("--dev", arguments.demo.dev, "rows");
  demo->add_option("--mixed-up", arguments.demo.mixed_up, "every label is the answer of one of so many other words");
  app.add_subcommand("demo-summary", "The demo's before/after table and its summary.json")
      ->add_option("run", arguments.path, "folder of the demo's run")
      ->required();
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Autodidact: label-free training of language models (Compute as Teacher, arXiv 2509.14234)");
  Describe(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : kBadInput;
  }
  base::LogConfig log;
  if (arguments.verbose) log.level = base::LogLevel::kDebug;
  base::SetUpLog(log);

  std::stop_source stop;
  const process::SignalWatch signals([&](int, int count) {
    if (count >= 3) std::_Exit(kInterrupted);
    base::LogWarning("{}", count == 1 ? "stopping: what is under way is finished and saved" : "once more ends at once");
    stop.request_stop();
  });
  const bool ranks = collective::LaunchedByMpi() && app.got_subcommand("train");
  int code = EXIT_FAILURE;
  bool ended = false;  // and every rank knows it
  try {
    if (ranks) collective::InitMpi();
    code = Run(app, arguments, argv[0], stop.get_token());
    ended = true;
  } catch (const base::Error& error) {
    base::LogError("{}", error.message());
    code = error.kind() == base::ErrorKind::kBadInput ? kBadInput : EXIT_FAILURE;
    if (stop.stop_requested()) code = kInterrupted;
  } catch (const std::exception& error) {
    base::LogError("unexpected: {}", error.what());
  }
  // A rank that failed must not leave the others waiting.
  if (ranks && !ended && code != kInterrupted) collective::AbortMpi(code);
  if (ranks) collective::FinalizeMpi();
  return code;
}
