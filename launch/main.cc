// The program: one binary, its roles and its tools as subcommands.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/log.h"
#include "collective/collective.h"
#include "launch/commands.h"
#include "launch/config.h"
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
  bool resume = false;
  bool resume_if_possible = false;
  bool overwrite = false;
  std::string connect;
  std::int64_t index = 0;
  std::string path;
  launch::EvalCommand eval;
  launch::SynthesizeCommand synthesize;
  launch::LinesCommand lines;
  launch::DemoDataCommand demo;
};

void AddConfig(CLI::App* command, Arguments& arguments) {
  command->add_option("config", arguments.config, "YAML file")->required();
  command->add_option("--set", arguments.overrides, "KEY=VALUE put over the config, as in --set train.max_steps=10");
}

void AddLines(CLI::App* command, Arguments& arguments) {
  command->add_option("model", arguments.lines.model, "model folder")->required();
  command->add_option("--chat-format", arguments.lines.format, "auto, plain, llama3, qwen3, qwen2, chatml, gemma3");
  command->add_option("--threads", arguments.lines.threads, "0: all cores");
}

void AddSampling(CLI::App* command, launch::SamplingKeys& sampling) {
  command->add_option("--temperature", sampling.temperature, "0: greedy");
  command->add_option("--top-k", sampling.top_k, "0: off");
  command->add_option("--top-p", sampling.top_p, "1: off");
  command->add_option("--min-p", sampling.min_p, "0: off");
  command->add_option("--repetition-penalty", sampling.repetition_penalty, "1: off");
  command->add_option("--max-new-tokens", sampling.max_completion_length, "tokens");
  command->add_option("--stop", sampling.stop, "string that ends a completion; may be repeated");
}

int EndCode(learner::RunEnd end) {
  switch (end) {
    case learner::RunEnd::kFinished:
      return EXIT_SUCCESS;
    case learner::RunEnd::kStopped:
      return kInterrupted;
    case learner::RunEnd::kAlarm:
      return kAlarm;
  }
  return EXIT_FAILURE;
}

int Train(const Arguments& arguments, const char* binary, const std::stop_token& stop) {
  if (arguments.dry_run) {
    std::cout << launch::DryRun(arguments.config, arguments.overrides);
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
  } else if (name == "inspect") {
    launch::RunInspect(arguments.path);
  } else if (name == "demo-data") {
    launch::RunDemoData(arguments.demo);
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
  train->add_flag("--dry-run", arguments.dry_run, "print the resolved config and the memory plan, and stop");
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
  tokenize->add_flag("!--no-special", arguments.lines.special, "without the special tokens of the post-processor");
  auto* generate = app.add_subcommand("generate", "{\"prompt\"} or {\"messages\"} to completions, as JSON lines");
  AddLines(generate, arguments);
  AddSampling(generate, arguments.lines.sampling);
  generate->add_option("--n", arguments.lines.n, "completions of each")->check(CLI::PositiveNumber);
  generate->add_option("--seed", arguments.lines.seed);
  auto* score = app.add_subcommand("score", "{\"ids\"} or {\"prompt\", \"completion\"} to log-probabilities");
  AddLines(score, arguments);

  app.add_subcommand("inspect", "What a model folder, a checkpoint, a safetensors file or a recorded message holds")
      ->add_option("path", arguments.path)
      ->required();
  auto* demo = app.add_subcommand("demo-data", "The made-up task of the demo as JSONL files");
  demo->add_option("folder", arguments.demo.folder)->required();
  demo->add_option("--seed", arguments.demo.seed);
  demo->add_option("--noise", arguments.demo.noise, "probability that a name of a training answer is wrong");
  demo->add_option("--labelled", arguments.demo.labelled, "rows");
  demo->add_option("--unlabelled", arguments.demo.unlabelled, "rows");
  demo->add_option("--dev", arguments.demo.dev, "rows");
  demo->add_option("--mixed-up", arguments.demo.mixed_up, "every label is the answer of one of so many other words");
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
  try {
    if (ranks) collective::InitMpi();
    code = Run(app, arguments, argv[0], stop.get_token());
  } catch (const base::Error& error) {
    base::LogError("{}", error.message());
    code = error.kind() == base::ErrorKind::kBadInput ? kBadInput : EXIT_FAILURE;
    if (stop.stop_requested()) code = kInterrupted;
  } catch (const std::exception& error) {
    base::LogError("unexpected: {}", error.what());
  }
  // A rank that failed must not leave the others waiting.
  if (ranks && code != EXIT_SUCCESS && code != kInterrupted && code != kAlarm) collective::AbortMpi(code);
  if (ranks) collective::FinalizeMpi();
  return code;
}
