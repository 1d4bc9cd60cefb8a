// The program: one binary, its roles and its tools as subcommands.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <type_traits>

#include "base/error.h"
#include "base/fault.h"
#include "base/format.h"
#include "base/log.h"
#include "collective/collective.h"
#include "launch/commands/commands.h"
#include "launch/commands/demo_summary.h"
#include "launch/config/rules.h"
#include "launch/config/run_config.h"
#include "launch/job/job.h"
#include "launch/options.h"
#include "launch/train/training.h"
#include "process/ending.h"
#include "process/limits.h"
#include "process/output.h"
#include "process/program.h"

namespace {

using namespace autodidact;  // NOLINT(google-build-using-namespace): the program's own file

// `train` under mpirun or srun is a keeper, `learner` a rank of the learner's own job.
bool RunsAsRanks(const CLI::App& app) {
  return collective::LaunchedByMpi() && (app.got_subcommand("train") || app.got_subcommand("learner"));
}

launch::SftStart SftStartOf(const launch::Arguments& arguments) {
  if (arguments.resume) return launch::SftStart::kResume;
  return arguments.overwrite ? launch::SftStart::kOverwrite : launch::SftStart::kFresh;
}

int DryRun(const launch::Arguments& arguments, const launch::TrainOptions& options) {
  process::RequireOutputs({}, {{"the config", arguments.config}});
  const launch::DryRunResult result = launch::DryRun(options, arguments.overrides, arguments.probe);
  process::Output().Write(result.text);
  return result.fits ? process::kExitDone : process::kExitBadInput;
}

int Train(const launch::Arguments& arguments, process::Ending& ending, bool as_rank) {
  const launch::TrainOptions options{.resume = arguments.resume,
                                     .resume_from = arguments.resume_from,
                                     .overwrite = arguments.overwrite,
                                     .config_file = arguments.config,
                                     .stop = ending.stop()};
  if (arguments.dry_run) return DryRun(arguments, options);
  const launch::RunConfig config = launch::ReadRunConfig(arguments.config, arguments.overrides);
  if (as_rank) return launch::TrainAsRank(config, options, arguments.join, ending);
  const bool placed = !config.placement.hosts.empty() || config.placement.learners > 0;
  if (!collective::LaunchedByMpi() || (collective::MpiSize() == 1 && !placed)) {
    return launch::ExitCodeOf(launch::TrainInOneProcess(config, options, ending), ending);
  }
  launch::JobCall call{.binary = process::ProgramFile(arguments.called),
                       .config_file = arguments.config,
                       .arguments = {},
                       .verbose = arguments.verbose};
  for (const std::string& text : arguments.overrides) call.arguments.insert(call.arguments.end(), {"--set", text});
  if (arguments.resume) call.arguments.emplace_back("--resume");
  if (!arguments.resume_from.empty()) {
    call.arguments.insert(call.arguments.end(), {"--resume-from", arguments.resume_from});
  }
  if (arguments.overwrite) call.arguments.emplace_back("--overwrite");
  return launch::KeepRun(config, call, ending);
}

// Supervisor and agent get the run's plan by standard input.
launch::JobPlan PlanFromInput() {
  return launch::ParsePlan(launch::TicketLine(base::Deadline::In(std::chrono::seconds(30))));
}

int Run(CLI::App& app, launch::Arguments& arguments, process::Ending& ending) {
  const CLI::App* command = app.get_subcommands().front();
  const std::string name = command->get_name();
  if (name == "train" || name == "learner") return Train(arguments, ending, name == "learner");
  if (name == launch::kSupervisor) return launch::Supervise(PlanFromInput(), arguments.again, ending);
  if (name == "agent") return launch::RunAgent(PlanFromInput(), arguments.host, ending);
  if (name == "start-on") return launch::StartOn(arguments.path, arguments.words);
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
    arguments.slurm.called = arguments.called;
    launch::RunSlurm(arguments.slurm);
  } else if (name == "demo-data") {
    launch::RunDemoData(arguments.demo);
  } else if (name == "demo-summary") {
    process::Output().Write(launch::SummariseDemo(arguments.path));
  } else if (name == "ticket") {
    launch::CopyTicket(arguments.path, arguments.join);
  } else {
    launch::JoinRun(launch::ReadRunConfig(arguments.config, arguments.overrides), name,
                    {arguments.join, arguments.index}, ending);
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
    base::CheckFaults();
    launch::Describe(app, arguments);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return Explain(app, error);
    }
    if (arguments.verbose) base::SetUpLog({.level = base::LogLevel::kDebug, .file = {}});
    if (RunsAsRanks(app)) collective::InitMpi();
    arguments.called = argv[0];
    const int code = Run(app, arguments, ending);
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
  process::RaiseOpenFiles();  // a connection is one, and a run may have many
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
