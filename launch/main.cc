// The program: one binary, its roles and its tools as subcommands.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <type_traits>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "collective/collective.h"
#include "launch/commands/commands.h"
#include "launch/commands/demo_summary.h"
#include "launch/config/rules.h"
#include "launch/config/run_config.h"
#include "launch/options.h"
#include "launch/train/training.h"
#include "process/ending.h"
#include "process/output.h"

namespace {

using namespace autodidact;  // NOLINT(google-build-using-namespace): the program's own file

bool RunsAsRanks(const CLI::App& app) {
  return collective::LaunchedByMpi() && app.got_subcommand("train");
}

launch::SftStart SftStartOf(const launch::Arguments& arguments) {
  if (arguments.resume) return launch::SftStart::kResume;
  return arguments.overwrite ? launch::SftStart::kOverwrite : launch::SftStart::kFresh;
}

int EndCode(learner::RunEnd end, const process::Ending& ending) {
  switch (end) {
    case learner::RunEnd::kFinished:
    case learner::RunEnd::kNothingLeft:
      return process::kExitDone;
    case learner::RunEnd::kStopped:
      return process::ExitCodeAfter(ending.requested().value());
    case learner::RunEnd::kAlarm:
      return process::kExitAlarm;
    case learner::RunEnd::kEmpty:
      return process::kExitFailed;
    case learner::RunEnd::kRefused:
      return process::kExitBadInput;
  }
  return process::kExitFailed;
}

int DryRun(const launch::Arguments& arguments, const launch::TrainOptions& options) {
  process::RequireOutputs({}, {{"the config", arguments.config}});
  const launch::DryRunResult result = launch::DryRun(options, arguments.overrides, arguments.probe);
  process::Output().Write(result.text);
  return result.fits ? process::kExitDone : process::kExitBadInput;
}

int Train(const launch::Arguments& arguments, const char* binary, process::Ending& ending) {
  const launch::TrainOptions options{.resume = arguments.resume,
                                     .resume_from = arguments.resume_from,
                                     .overwrite = arguments.overwrite,
                                     .config_file = arguments.config,
                                     .binary = binary,
                                     .verbose = arguments.verbose,
                                     .stop = ending.stop()};
  if (arguments.dry_run) return DryRun(arguments, options);
  const launch::RunConfig config = launch::ReadRunConfig(arguments.config, arguments.overrides);
  const bool ranks = collective::LaunchedByMpi() && collective::MpiSize() > 1;
  return EndCode(
      ranks ? launch::TrainUnderMpi(config, options, ending) : launch::TrainInOneProcess(config, options, ending),
      ending);
}

int Run(CLI::App& app, launch::Arguments& arguments, const char* binary, process::Ending& ending) {
  const CLI::App* command = app.get_subcommands().front();
  const std::string name = command->get_name();
  if (name == "train") return Train(arguments, binary, ending);
  if (name == "sft") {
    return launch::RunSft(launch::ReadSftConfig(arguments.config, arguments.overrides), SftStartOf(arguments), ending);
  } else if (name == "eval") {
    arguments.eval.config = arguments.config;
    launch::RunEval(launch::ReadRunConfig(arguments.config, arguments.overrides), arguments.eval);
  } else if (name == "synthesize") {
    arguments.synthesize.config = arguments.config;
    launch::RunSynthesize(launch::ReadRunConfig(arguments.config, arguments.overrides), arguments.synthesize);
  } else if (name == "tokenize") {
    launch::RunTokenize(arguments.lines);
  } else if (name == "generate") {
    launch::RunGenerate(arguments.lines);
  } else if (name == "score") {
    launch::RunScore(arguments.lines);
  } else if (name == "grade") {
    return launch::RunGrade(arguments.grade) ? process::kExitDone : process::kExitBadInput;
  } else if (name == "inspect") {
    launch::RunInspect(arguments.path);
  } else if (name == "report") {
    launch::RunReport(arguments.report);
  } else if (name == "config") {
    launch::RunConfigCommand(arguments.keys);
  } else if (name == "doctor") {
    return launch::RunDoctor(arguments.doctor);
  } else if (name == "slurm") {
    arguments.slurm.config = arguments.config;
    arguments.slurm.overrides = arguments.overrides;
    arguments.slurm.called = binary;
    launch::RunSlurm(arguments.slurm);
  } else if (name == "demo-data") {
    launch::RunDemoData(arguments.demo);
  } else if (name == "demo-summary") {
    process::Output().Write(launch::SummariseDemo(arguments.path));
  } else {
    launch::JoinRun(launch::ReadRunConfig(arguments.config, arguments.overrides), name, arguments.index,
                    arguments.connect, ending);
  }
  return process::kExitDone;
}

// What was meant by a word of the command line that nothing takes: an option, a command, or a key of the config.
std::string AdviceOn(const CLI::App& app) {
  const std::vector<std::string> unknown = app.remaining(/*recurse=*/true);
  if (unknown.empty()) return "";
  std::string word = unknown.front().substr(0, unknown.front().find('='));
  const std::vector<CLI::App*> given = app.get_subcommands();
  std::vector<std::string> names;
  if (!word.starts_with("-")) {
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(command->get_name());
    }
    const auto nearest = given.empty() ? launch::Nearest(word, names) : std::nullopt;
    return nearest ? "did you mean " + *nearest + "?\n" : "";
  }
  word.erase(0, word.find_first_not_of('-'));
  const CLI::App& command = given.empty() ? app : *given.front();
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  }
  if (const auto nearest = launch::Nearest(word, names)) return "did you mean --" + *nearest + "?\n";
  const auto keys = launch::KeysMeantBy(word);
  return keys.empty() ? "" : "keys of the config are set as in --set " + keys.front() + "=VALUE\n";
}

// What the parser has to say: help, or what is wrong with the arguments.
int Explain(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = app.exit(error, out, err) == 0 ? process::kExitDone : process::kExitBadInput;
  process::Output().Write(out.str());
  std::fputs(err.str().c_str(), stderr);
  if (code != process::kExitDone) std::fputs(AdviceOn(app).c_str(), stderr);
  return code;
}

// `agreed`: of ranks, whether all end with this code.
int ParseAndRun(CLI::App& app, int argc, char** argv, process::Ending& ending, bool& agreed) {
  launch::Arguments arguments;
  try {
    launch::Describe(app, arguments);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return Explain(app, error);
    }
    if (arguments.verbose) base::SetUpLog({.level = base::LogLevel::kDebug, .file = {}});
    if (RunsAsRanks(app)) collective::InitMpi();
    const int code = Run(app, arguments, argv[0], ending);
    agreed = !arguments.dry_run;
    return code;
  } catch (const base::Error& error) {
    base::LogError("{}", error.message());
    return error.kind() == base::ErrorKind::kBadInput ? process::kExitBadInput : process::kExitFailed;
  } catch (const std::exception& error) {
    base::LogError("unexpected: {}", error.what());
    return process::kExitFailed;
  }
}

}  // namespace

int main(int argc, char** argv) {
  base::SetUpLog({});
  process::Ending ending;
  CLI::App app("Autodidact: label-free training of language models (Compute as Teacher, arXiv 2509.14234)");
  bool agreed = false;
  const int code = ParseAndRun(app, argc, argv, ending, agreed);
  if (!RunsAsRanks(app)) return code;
  // A rank that failed must not leave the others waiting.
  if (!agreed && code != process::kExitDone) collective::AbortMpi(code);
  collective::FinalizeMpi();
  return code;
}
