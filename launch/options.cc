#include "launch/options.h"

#include <type_traits>

#include "estimators/estimator.h"
#include "launch/config/describe_common.h"
#include "launch/config/rules.h"
#include "text/chat.h"

namespace autodidact::launch {
namespace {

constexpr Whole kManyRows{0, 1'000'000'000};
constexpr const char* kExitCodes =
    "Exit codes: 0 done; 1 failed, or nobody reads the output; 2 the input is wrong, or a run's memory plan does "
    "not fit; 3 stopped by the collapse alarm; 129, 130, 143 ended by SIGHUP, SIGINT, SIGTERM.";

void AddConfig(CLI::App* command, Arguments& arguments) {
  command->add_option("config", arguments.config, "YAML file")->required();
  command->add_option("--set", arguments.overrides, "KEY=VALUE put over the config, as in --set train.max_steps=10");
}

// The text of an option obeys the rule of a config's key.
template <class Rule>
CLI::Validator Obeys(const Rule& rule) {
  return {[rule](const std::string& text) {
            std::conditional_t<std::is_same_v<Rule, Whole>, std::int64_t, double> value = 0;
            return Read({text, false}, rule, value).value_or("");
          },
          Expected(rule)};
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
      ->add_option("--chat-format", arguments.lines.chat.format,
                   "of messages: auto (the model's template), plain, llama3, qwen3, qwen2, chatml, smollm2, gemma3")
      ->check(Known([](const std::string& name) {
        if (name != "auto") text::ChatFormatNamed(name);
      }));
  command->add_option("--chat-template", arguments.lines.chat.file,
                      "a file of jinja2 in place of the model's template");
  command->add_option("--template-variables", arguments.lines.chat.variables,
                      "JSON object given to the template, as {\"enable_thinking\": false}");
  command->add_option("--python", arguments.lines.chat.python, "a Python that has jinja2; default: looked for");
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

void AddSampling(CLI::App* command, engine::SamplingParams& sampling) {
  command->add_option("--temperature", sampling.temperature)->check(Obeys(kTemperature));
  command->add_option("--top-k", sampling.top_k)->check(Obeys(kTopK));
  command->add_option("--top-p", sampling.top_p)->check(Obeys(kTopP));
  command->add_option("--min-p", sampling.min_p)->check(Obeys(kMinP));
  command->add_option("--repetition-penalty", sampling.repetition_penalty)->check(Obeys(kRepetitionPenalty));
  command->add_option("--max-new-tokens,--max-completion-length", sampling.max_new_tokens)->check(Obeys(kTokens));
  command->add_option("--stop", sampling.stop_strings, "string that ends a completion; may be repeated");
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

// How a run begins in its folder.
void AddBeginning(CLI::App* command, Arguments& arguments) {
  auto* resume = command->add_flag("--resume,--resume-if-possible", arguments.resume,
                                   "go on from the newest checkpoint; where the run has none, begin");
  auto* from = command
                   ->add_option("--resume-from", arguments.resume_from,
                                "go on from this checkpoint: the number of a step of this run, or a folder; with "
                                "--resume only where the run has none of its own")
                   ->check([](const std::string& text) { return text.empty() ? "got nothing" : ""; });
  auto* overwrite =
      command->add_flag("--overwrite", arguments.overwrite, "delete the run that the folder holds, and begin anew");
  overwrite->excludes(resume)->excludes(from);
}

void AddTrain(CLI::App& app, Arguments& arguments) {
  auto* train = app.add_subcommand("train", "Label-free training: in one process, or as ranks under mpirun");
  AddConfig(train, arguments);
  auto* dry_run =
      train->add_flag("--dry-run", arguments.dry_run,
                      "check all that can be checked, print the resolved config and the memory plan, and stop");
  train->add_flag("--probe", arguments.probe, "with --dry-run: ask the judge's endpoint too")->needs(dry_run);
  AddBeginning(train, arguments);
}

void AddSft(CLI::App& app, Arguments& arguments) {
  auto* sft = app.add_subcommand("sft", "Supervised training of a small base model");
  AddConfig(sft, arguments);
  auto* sft_resume = sft->add_flag("--resume", arguments.resume, "go on from the newest checkpoint, or begin");
  sft->add_flag("--overwrite", arguments.overwrite, "replace the model that output holds, and forget a begun training")
      ->excludes(sft_resume);
}

void AddEvalAndSynthesize(CLI::App& app, Arguments& arguments) {
  auto* eval = app.add_subcommand("eval", "Estimators x group sizes on a labelled JSONL file");
  AddConfig(eval, arguments);
  eval->add_option("--model", arguments.eval.model, "the policy's folder; the anchor is always the config's model");
  eval->add_option("--data", arguments.eval.data, "labelled JSONL");
  eval->add_option("--json", arguments.eval.json, "file for the figures");
  eval->add_option("--records", arguments.eval.records, "JSONL file with a line per question");
  eval->add_option("--estimators", arguments.eval.estimators, "what is compared; default: the config's")
      ->delimiter(',')
      ->check(Known([](const std::string& name) { base::ValueNamed<estimators::EstimatorKind>(name, "estimator"); }));
  eval->add_option("--limit", arguments.eval.limit, "so many rows, spread evenly over the file")
      ->check(Obeys(kManyRows));

  auto* synthesize = app.add_subcommand("synthesize", "References with their groups, no training");
  AddConfig(synthesize, arguments);
  synthesize->add_option("--model", arguments.synthesize.model, "the policy's folder");
  synthesize->add_option("--data", arguments.synthesize.data, "JSONL of prompts");
  synthesize->add_option("--out", arguments.synthesize.out, "JSONL file; default: standard output");
  synthesize->add_option("--limit", arguments.synthesize.limit, "so many rows, spread evenly over the file")
      ->check(Obeys(kManyRows));
}

void AddRoles(CLI::App& app, Arguments& arguments) {
  for (const char* role : {"actor", "anchor", "judge"}) {
    auto* command = app.add_subcommand(role, "One more role of a running job, as a process of its own");
    AddConfig(command, arguments);
    command->add_option("--join", arguments.join, "ticket of the run (autodidact ticket RUN); -: standard input")
        ->required();
    command
        ->add_option("--index", arguments.index, "its number among its kind; default: one that the ticket has a key of")
        ->check(Obeys(Whole{0, 1'000'000}));
  }
  auto* ticket = app.add_subcommand("ticket", "The ticket by which actor, anchor and judge join a running job");
  ticket->add_option("run", arguments.path, "folder of the run")->required();
  ticket->add_option("--out", arguments.join, "file, which its owner alone can read")->required();
}

// What a keeper and a supervisor start: not for people.
void AddParts(CLI::App& app, Arguments& arguments) {
  const std::string hidden;
  auto* learner = app.add_subcommand("learner", "A rank of the learner")->group(hidden);
  AddConfig(learner, arguments);
  AddBeginning(learner, arguments);
  learner->add_option("--join", arguments.join)->required();
  app.add_subcommand("supervisor", "Of the learner's ranks")->group(hidden)->add_flag("--again", arguments.again);
  app.add_subcommand("agent", "Of a host's roles")->group(hidden)->add_option("--host", arguments.host)->required();
  auto* start_on = app.add_subcommand("start-on", "A command on a host")->group(hidden)->prefix_command();
  start_on->add_option("ticket", arguments.path)->required();
  start_on->callback([start_on, &arguments] { arguments.words = start_on->remaining(); });
}

void AddLineCommands(CLI::App& app, Arguments& arguments) {
  auto* tokenize =
      app.add_subcommand("tokenize", "{\"text\"} to {\"ids\"} or {\"messages\"} to {\"ids\", \"text\"}, as JSON lines");
  AddLines(tokenize, arguments);
  tokenize->add_flag("--decode", arguments.lines.decode, "{\"ids\"} to {\"text\"}");
  tokenize->add_flag("!--no-generation-prompt", arguments.lines.generation_prompt,
                     "messages without the header of the assistant's turn at their end");
  auto* generate = app.add_subcommand("generate", "{\"prompt\"} or {\"messages\"} to completions, as JSON lines");
  AddModel(generate, arguments);
  AddSampling(generate, arguments.lines.sampling);
  generate->add_option("--n", arguments.lines.n, "completions of each line")->check(Obeys(Whole{1, 1024}));
  generate->add_option("--seed", arguments.lines.seed, "the same seed and line give the same completions")
      ->check(Obeys(kSeed));
  auto* score = app.add_subcommand("score", "{\"ids\"} or {\"prompt\", \"completion\"} to log-probabilities");
  AddModel(score, arguments);
  score->add_option("--temperature", arguments.lines.sampling.temperature)
      ->check(Obeys(Real{kTemperature.least, kTemperature.most}));
}

void AddGrade(CLI::App& app, Arguments& arguments) {
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
  grade->add_option("--timeout", arguments.grade.timeout, "for a program")->check(Obeys(Real{1e-3, 86'400, "seconds"}));
  grade->add_option("--jobs", arguments.grade.jobs, "lines at a time")->check(Obeys(Whole{1, 1024}));
  auto* judge =
      grade->add_option("--config", arguments.grade.config, "YAML file whose judge answers {\"response\", \"rubric\"}");
  grade->add_option("--set", arguments.grade.overrides, "KEY=VALUE put over the config")->needs(judge);
}

void AddTools(CLI::App& app, Arguments& arguments) {
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
      ->check(Obeys(Real{0, 1}));
  demo->add_option("--labelled", arguments.demo.labelled, "rows")->check(Obeys(kManyRows));
  demo->add_option("--unlabelled", arguments.demo.unlabelled, "rows")->check(Obeys(kManyRows));
  demo->add_option("--dev", arguments.demo.dev, "rows")->check(Obeys(kManyRows));
  demo->add_option("--mixed-up", arguments.demo.mixed_up, "every label is the answer of one of so many other words")
      ->check(Obeys(kManyRows));
  app.add_subcommand("demo-summary", "The demo's before/after table and its summary.json")
      ->add_option("run", arguments.path, "folder of the demo's run")
      ->required();
}

void AddDoctor(CLI::App& app, Arguments& arguments) {
  auto* doctor = app.add_subcommand(
      "doctor", "What is good and bad about this host, or under mpirun or srun about all hosts of the job");
  auto* config = doctor->add_option("--config", arguments.doctor.config, "YAML file of the run that is meant");
  doctor->add_option("--set", arguments.doctor.overrides, "KEY=VALUE put over the config")->needs(config);
  doctor->add_option("--folder", arguments.doctor.folder,
                     "that all hosts share; default: the config's run folder, else the working folder");
  doctor->add_option("--interface", arguments.doctor.interface,
                     "auto, an interface that every host has, or a network as 10.0.0.0/24");
  doctor->add_option("--ports", arguments.doctor.ports, "that a firewall leaves open, as 40000-40100; *: any");
}

void AddSlurm(CLI::App& app, Arguments& arguments) {
  auto* slurm = app.add_subcommand("slurm", "A run as a job of Slurm: prints the job script, or submits it");
  AddConfig(slurm, arguments);
  slurm->get_option("--set")->allow_extra_args(false);  // it would take the -- for its own end
  JobScript& job = arguments.slurm.job;
  slurm->add_option("--nodes", job.nodes)->check(Obeys(Whole{1, 100'000}));
  slurm
      ->add_option_function<std::int64_t>(
          "--gpus-per-node",
          [&](const std::int64_t& gpus) {
            job.gpus_per_node = gpus;
            arguments.slurm.gpus_given = true;
          },
          "default: as many as the config's placement needs")
      ->check(Obeys(Whole{0, 1024}));
  slurm->add_option("--cpus-per-node", job.cpus_per_node, "default: the whole node, and nobody else's job beside it")
      ->check(Obeys(Whole{1, 100'000}));
  slurm->add_option("--mem", job.memory, "of a node, as 64G; default: the memory plan's, with a margin; 0: all");
  slurm->add_option("--time", job.time, "limit, as 24:00:00");
  slurm->add_option("--notice", job.notice, "seconds before the limit at which the run is asked to stop and to save")
      ->check(Obeys(Whole{0, 86'400}));
  slurm->add_option("--partition", job.partition);
  slurm->add_option("--account", job.account);
  slurm->add_flag("--requeue", job.requeue, "a job that was asked to stop goes on in the queue");
  slurm->add_option("--program", job.program, "this program, as the nodes find it; default: as it is here");
  auto* what = slurm->add_option_group("what");
  what->add_flag("--dry-run", arguments.dry_run, "print the job script");
  what->add_flag("--submit", arguments.slurm.submit, "hand it to sbatch, and print the job's number");
  what->require_option(1);
  slurm->add_option("sbatch", job.further, "behind --: further options of sbatch, as -- --qos=high --mail-type=END");
}

}  // namespace

void Describe(CLI::App& app, Arguments& arguments) {
  app.require_subcommand(1);
  app.set_version_flag("--version", AUTODIDACT_VERSION);
  app.add_flag("--verbose", arguments.verbose, "log every group and heartbeat");
  app.footer(kExitCodes);
  AddTrain(app, arguments);
  AddSft(app, arguments);
  AddEvalAndSynthesize(app, arguments);
  AddRoles(app, arguments);
  AddParts(app, arguments);
  AddLineCommands(app, arguments);
  AddGrade(app, arguments);
  AddTools(app, arguments);
  AddDoctor(app, arguments);
  AddSlurm(app, arguments);
}

}  // namespace autodidact::launch
