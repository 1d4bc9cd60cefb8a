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
#include "estimators/estimator.h"
#include "launch/commands/commands.h"
#include "launch/commands/demo_summary.h"
#include "launch/config/run_config.h"
#include "launch/train/training.h"
#include "process/ending.h"
#include "process/output.h"
#include "text/chat.h"

namespace {

using namespace autodidact;  // NOLINT(google-build-using-namespace): the program's own file

constexpr const char* kExitCodes =
    "Exit codes: 0 done; 1 failed, or nobody reads the output; 2 the input is wrong, or a run's memory plan does "
    "not fit; 3 stopped by the collapse alarm; 129, 130, 143 ended by SIGHUP, SIGINT, SIGTERM.";
constexpr launch::Whole kThreads{0, 4096};
constexpr launch::Whole kSeed{0, INT64_MAX};
constexpr launch::Whole kRows{0, 1'000'000'000};

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  bool verbose = false;
  bool dry_run = false;
  bool probe = false;
  bool resume = false;
  std::string resume_from;
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
  launch::ConfigCommand keys;
};

void AddConfig(CLI::App* command, Arguments& arguments) {
  command->add_option("config", arguments.config, "YAML file")->required();
  command->add_option("--set", arguments.overrides, "KEY=VALUE put over the config, as in --set train.max_steps=10");
}

// The text of an option obeys the rule of a config's key.
template <class Rule>
CLI::Validator Obeys(const Rule& rule) {
  return {[rule](const std::string& text) {
            std::conditional_t<std::is_same_v<Rule, launch::Whole>, std::int64_t, double> value = 0;
            return launch::Read({text, false}, rule, value).value_or("");
          },
          launch::Expected(rule)};
}

// The text of an option is a name that `find` knows.
template <class Find>
CLI::Validator Known(Find find) {
  return {[find](const std::string& text) -> std::string {
            try {
              find(text);
            } catch (const base::Error& error) {
              return error.message();
            }
            return "";
          },
          ""};
}

bool IsDevice(const std::string& text) {
  const std::string numbered = "cuda:";
  if (text == "cpu" || text == "cuda") return true;
  return text.starts_with(numbered) && text.size() > numbered.size() && text.size() < numbered.size() + 3 &&
         text.find_first_not_of("0123456789", numbered.size()) == std::string::npos;
}

void AddLines(CLI::App* command, Arguments& arguments) {
  command->add_option("model", arguments.lines.model, "model folder")->required();
  command
      ->add_option("--chat-format", arguments.lines.prompt.format,
                   "of messages: auto (the model's template), plain, llama3, qwen3, qwen2, chatml, smollm2, gemma3")
      ->check(Known([](const std::string& name) {
        if (name != "auto") text::ChatFormatNamed(name);
      }));
  command->add_option("--chat-template", arguments.lines.prompt.chat_template,
                      "a file of jinja2 in place of the model's template");
  command->add_option("--template-variables", arguments.lines.prompt.template_variables,
                      "JSON object given to the template, as {\"enable_thinking\": false}");
  command->add_option("--python", arguments.lines.prompt.python, "a Python that has jinja2; default: looked for");
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
  command->add_option("--threads", arguments.lines.threads, "0: all cores")->check(Obeys(kThreads));
}

void AddSampling(CLI::App* command, launch::SamplingKeys& sampling) {
  command->add_option("--temperature", sampling.temperature)->check(Obeys(launch::kTemperature));
  command->add_option("--top-k", sampling.top_k)->check(Obeys(launch::kTopK));
  command->add_option("--top-p", sampling.top_p)->check(Obeys(launch::kTopP));
  command->add_option("--min-p", sampling.min_p)->check(Obeys(launch::kMinP));
  command->add_option("--repetition-penalty", sampling.repetition_penalty)->check(Obeys(launch::kRepetitionPenalty));
  command->add_option("--max-new-tokens,--max-completion-length", sampling.max_completion_length)
      ->check(Obeys(launch::kTokens));
  command->add_option("--stop", sampling.stop, "string that ends a completion; may be repeated");
}

bool RunsAsRanks(const CLI::App& app) {
  return collective::LaunchedByMpi() && app.got_subcommand("train");
}

launch::SftStart SftStartOf(const Arguments& arguments) {
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

int DryRun(const Arguments& arguments, const launch::TrainOptions& options) {
  process::RequireOutputs({}, {{"the config", arguments.config}});
  const launch::DryRunResult result = launch::DryRun(options, arguments.overrides, arguments.probe);
  process::Output().Write(result.text);
  return result.fits ? process::kExitDone : process::kExitBadInput;
}

int Train(const Arguments& arguments, const char* binary, process::Ending& ending) {
  const launch::TrainOptions options{.resume = arguments.resume,
                                     .resume_from = arguments.resume_from,
                                     .overwrite = arguments.overwrite,
                                     .config_file = arguments.config,
                                     .binary = binary,
                                     .stop = ending.stop()};
  if (arguments.dry_run) return DryRun(arguments, options);
  const launch::RunConfig config = launch::ReadRunConfig(arguments.config, arguments.overrides);
  const bool ranks = collective::LaunchedByMpi() && collective::MpiSize() > 1;
  return EndCode(
      ranks ? launch::TrainUnderMpi(config, options, ending) : launch::TrainInOneProcess(config, options, ending),
      ending);
}

int Run(CLI::App& app, Arguments& arguments, const char* binary, process::Ending& ending) {
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

void AddConfigCommand(CLI::App& app, Arguments& arguments) {
  auto* config = app.add_subcommand("config", "What may be written in a config: help, defaults, a schema for editors");
  config->set_help_flag();
  auto* what = config->add_option_group("what");
  what->add_option("--help,-h", arguments.keys.keys,
                   "about these keys or sections, as in --help train.beta; without KEY: about all")
      ->type_name("KEY")
      ->expected(0, -1);
  what->add_flag("--defaults", arguments.keys.defaults, "a config of every key with its default");
  what->add_flag("--schema", arguments.keys.schema, "JSON Schema, for an editor's completion and checks");
  what->add_flag("--page", arguments.keys.page, "every key as a page of Markdown");
  what->require_option(1);
  config->add_flag("--sft", arguments.keys.sft, "of the config of `sft`");
}

void Describe(CLI::App& app, Arguments& arguments) {
  app.require_subcommand(1);
  app.set_version_flag("--version", AUTODIDACT_VERSION);
  app.add_flag("--verbose", arguments.verbose, "log more");
  app.footer(kExitCodes);
  auto* train = app.add_subcommand("train", "Label-free training: in one process, or as ranks under mpirun");
  AddConfig(train, arguments);
  auto* dry_run =
      train->add_flag("--dry-run", arguments.dry_run,
                      "check all that can be checked, print the resolved config and the memory plan, and stop");
  train->add_flag("--probe", arguments.probe, "with --dry-run: ask the judge's endpoint too")->needs(dry_run);
  auto* resume = train->add_flag("--resume,--resume-if-possible", arguments.resume,
                                 "go on from the newest checkpoint; where the run has none, begin");
  auto* from = train
                   ->add_option("--resume-from", arguments.resume_from,
                                "go on from this checkpoint: the number of a step of this run, or a folder; with "
                                "--resume only where the run has none of its own")
                   ->check([](const std::string& text) { return text.empty() ? "got nothing" : ""; });
  auto* overwrite =
      train->add_flag("--overwrite", arguments.overwrite, "delete the run that the folder holds, and begin anew");
  overwrite->excludes(resume)->excludes(from);

  auto* sft = app.add_subcommand("sft", "Supervised training of a small base model");
  AddConfig(sft, arguments);
  auto* sft_resume = sft->add_flag("--resume", arguments.resume, "go on from the newest checkpoint, or begin");
  sft->add_flag("--overwrite", arguments.overwrite, "replace the model that output holds, and forget a begun training")
      ->excludes(sft_resume);

  auto* eval = app.add_subcommand("eval", "Estimators x group sizes on a labelled JSONL file");
  AddConfig(eval, arguments);
  eval->add_option("--model", arguments.eval.model, "the policy's folder; the anchor is always the config's model");
  eval->add_option("--data", arguments.eval.data, "labelled JSONL");
  eval->add_option("--json", arguments.eval.json, "file for the figures");
  eval->add_option("--records", arguments.eval.records, "JSONL file with a line per question");
  eval->add_option("--estimators", arguments.eval.estimators, "what is compared; default: the config's")
      ->delimiter(',')
      ->check(Known([](const std::string& name) { estimators::EstimatorNamed(name); }));
  eval->add_option("--limit", arguments.eval.limit, "so many rows, spread evenly over the file")->check(Obeys(kRows));

  auto* synthesize = app.add_subcommand("synthesize", "References with their groups, no training");
  AddConfig(synthesize, arguments);
  synthesize->add_option("--model", arguments.synthesize.model, "the policy's folder");
  synthesize->add_option("--data", arguments.synthesize.data, "JSONL of prompts");
  synthesize->add_option("--out", arguments.synthesize.out, "JSONL file; default: standard output");
  synthesize->add_option("--limit", arguments.synthesize.limit, "so many rows, spread evenly over the file")
      ->check(Obeys(kRows));

  for (const char* role : {"actor", "anchor", "judge"}) {
    auto* command = app.add_subcommand(role, "One more role of a running job, as a process of its own");
    AddConfig(command, arguments);
    command->add_option("--connect", arguments.connect, "endpoint of the learner")->required();
    command->add_option("--index", arguments.index, "its number among its kind")
        ->check(Obeys(launch::Whole{0, 1'000'000}));
  }

  auto* tokenize =
      app.add_subcommand("tokenize", "{\"text\"} to {\"ids\"} or {\"messages\"} to {\"ids\", \"text\"}, as JSON lines");
  AddLines(tokenize, arguments);
  tokenize->add_flag("--decode", arguments.lines.decode, "{\"ids\"} to {\"text\"}");
  tokenize->add_flag("!--no-generation-prompt", arguments.lines.generation_prompt,
                     "messages without the header of the assistant's turn at their end");
  auto* generate = app.add_subcommand("generate", "{\"prompt\"} or {\"messages\"} to completions, as JSON lines");
  AddModel(generate, arguments);
  AddSampling(generate, arguments.lines.sampling);
  generate->add_option("--n", arguments.lines.n, "completions of each line")->check(Obeys(launch::Whole{1, 1024}));
  generate->add_option("--seed", arguments.lines.seed, "the same seed and line give the same completions")
      ->check(Obeys(kSeed));
  auto* score = app.add_subcommand("score", "{\"ids\"} or {\"prompt\", \"completion\"} to log-probabilities");
  AddModel(score, arguments);
  score->add_option("--temperature", arguments.lines.sampling.temperature)
      ->check(Obeys(launch::Real{launch::kTemperature.least, launch::kTemperature.most}));

  auto* grade = app.add_subcommand(
      "grade",
      "{\"gold\", \"answer\"}, {\"program\", \"tests\"} or, with --config, {\"response\", \"rubric\"} to verdicts and "
      "reasons, as JSON lines");
  grade
      ->add_option(
          "--extractor", arguments.grade.extractor,
          "auto (the boxes, else an <answer>, what is announced as the answer, what the last sentence comes to, "
          "or the whole text), boxed, last_number, hashes, whole")
      ->check(CLI::IsMember({"auto", "boxed", "last_number", "hashes", "whole"}));
  grade->add_option("--comparator", arguments.grade.comparator, "exact, math")->check(CLI::IsMember({"exact", "math"}));
  grade->add_option("--timeout", arguments.grade.timeout, "for a program")
      ->check(Obeys(launch::Real{1e-3, 86'400, "seconds"}));
  grade->add_option("--jobs", arguments.grade.jobs, "lines at a time")->check(Obeys(launch::Whole{1, 1024}));
  auto* judge =
      grade->add_option("--config", arguments.grade.config, "YAML file whose judge answers {\"response\", \"rubric\"}");
  grade->add_option("--set", arguments.grade.overrides, "KEY=VALUE put over the config")->needs(judge);

  app.add_subcommand("inspect", "What a model folder, a checkpoint, a safetensors file or a recorded message holds")
      ->add_option("path", arguments.path)
      ->required();
  auto* report = app.add_subcommand("report", "One HTML page about a run: plots, tables, rollouts");
  report->add_option("run", arguments.report.run, "folder of the run")->required();
  report->add_option("--out", arguments.report.out, "file; default: report.html in the folder");
  report->add_option("--eval", arguments.report.evaluations,
                     "JSON of `eval` beside those in the folder; may be repeated");
  AddConfigCommand(app, arguments);
  auto* demo = app.add_subcommand("demo-data", "The made-up task of the demo as JSONL files");
  demo->add_option("folder", arguments.demo.folder)->required();
  demo->add_option("--seed", arguments.demo.seed)->check(Obeys(kSeed));
  demo->add_option("--noise", arguments.demo.noise, "probability that a name of a training answer is wrong")
      ->check(Obeys(launch::Real{0, 1}));
  demo->add_option("--labelled", arguments.demo.labelled, "rows")->check(Obeys(kRows));
  demo->add_option("--unlabelled", arguments.demo.unlabelled, "rows")->check(Obeys(kRows));
  demo->add_option("--dev", arguments.demo.dev, "rows")->check(Obeys(kRows));
  demo->add_option("--mixed-up", arguments.demo.mixed_up, "every label is the answer of one of so many other words")
      ->check(Obeys(kRows));
  app.add_subcommand("demo-summary", "The demo's before/after table and its summary.json")
      ->add_option("run", arguments.path, "folder of the demo's run")
      ->required();
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
  Arguments arguments;
  try {
    Describe(app, arguments);
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
