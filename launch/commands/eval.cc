#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/reasons.h"
#include "evaluation/evaluate.h"
#include "evaluation/synthesize.h"
#include "json/json.h"
#include "launch/commands/commands.h"
#include "launch/wiring/judge.h"
#include "launch/wiring/preflight.h"
#include "launch/wiring/progress.h"
#include "launch/wiring/scoring.h"
#include "launch/wiring/wiring.h"
#include "model/folder.h"
#include "process/output.h"

namespace autodidact::launch {
namespace {

using estimators::EstimatorKind;

// The policy and the anchor, which is always the config's model. One tokenizer serves both.
struct PolicyAndAnchor {
  LoadedModel anchor;
  model::SharedWeights policy;
};

PolicyAndAnchor LoadBoth(const RunConfig& config, const std::string& policy) {
  PolicyAndAnchor both{LoadModelFolder(config.model, config.device, ScalarTypeOf(config.dtype)), nullptr};
  both.policy =
      policy.empty() ? both.anchor.weights : LoadModelFolder(policy, config.device, ScalarTypeOf(config.dtype)).weights;
  if (both.policy->config().vocab_size != both.anchor.weights->config().vocab_size) {
    base::ThrowBadInput(base::Format("{}: its vocabulary has {} tokens, that of {} has {}", policy,
                                     both.policy->config().vocab_size, config.model,
                                     both.anchor.weights->config().vocab_size));
  }
  return both;
}

// A progress line per phase.
evaluation::OnProgress ShowProgress() {
  struct State {
    std::string phase;
    std::unique_ptr<ProgressLine> line;
  };
  return [state = std::make_shared<State>()](const evaluation::Progress& progress) {
    if (state->phase != progress.phase) {
      state->phase = progress.phase;
      state->line = std::make_unique<ProgressLine>(state->phase, progress.total);
    }
    state->line->Show(progress.done, {});
  };
}

// What a command on rows reads: all that the config names, and what its options name instead.
process::NamedPaths ReadBy(const RunConfig& config, const std::string& file, const std::string& model,
                           const std::string& data) {
  process::NamedPaths read = FilesRead(config);
  read.insert(read.end(), {{"the config", file}, {"--model", model}, {"--data", data}});
  return read;
}

// Metrics of failures are no measurement.
void RequireScores(const evaluation::Evaluation& evaluated) {
  if (std::get<evaluation::Metric>(evaluated.table.Find("single")->metrics).value) return;
  base::Reasons reasons;
  for (const evaluation::Question& question : evaluated.questions) {
    if (question.target_source == evaluation::TargetSource::kNone)
      reasons.Add("the row has no rubric, label or reference");
    question.ForEachScore([&](const evaluation::Score& score) {
      for (const schema::Verdict& verdict : score.verdicts) {
        if (verdict.kind == schema::VerdictKind::kInvalid) reasons.Add(verdict.reason);
      }
    });
  }
  throw base::Error(base::ErrorKind::kRetryLater, base::Format("not one of the texts of {} questions has a score: {}",
                                                               evaluated.questions.size(), reasons.Commonest()));
}

std::vector<EstimatorKind> EstimatorsOf(const RunConfig& config, const EvalCommand& command) {
  if (command.estimators.empty()) return config.eval.estimators;
  std::vector<EstimatorKind> kinds;
  for (const std::string& name : command.estimators) {
    kinds.push_back(base::ValueNamed<EstimatorKind>(name, "--estimators"));
  }
  return kinds;
}

// Zeros that the form of the answers makes, not what they say.
void WarnOfNoAnswers(const RunConfig& config, const evaluation::Evaluation& evaluated) {
  const auto* single = evaluated.table.Find("no_answer/single");
  if (single && std::get<evaluation::Metric>(single->metrics).value == 1.0) {
    base::LogWarning("no rollout has an answer in the form \"{}\" (answer.extractor): the figures measure nothing else",
                     base::NameIn(config.answer.extractor));
  }
  base::Reasons failures;
  bool any = false;
  for (const evaluation::Question& question : evaluated.questions) {
    const auto syntheses = question.estimates.find(base::NameIn(EstimatorKind::kSynthesis));
    if (syntheses == question.estimates.end()) continue;
    for (const auto& [size, synthesis] : syntheses->second) {
      any = any || synthesis.ok();
      if (!synthesis.ok()) failures.Add(synthesis.failure().reason);
    }
  }
  if (!any && failures.total() > 0) {
    base::LogWarning("not one of {} syntheses succeeded: {} (anchor.instruction, anchor.context, answer.extractor)",
                     failures.total(), failures.Commonest());
  }
}

evaluation::EvalConfig EvalOf(const RunConfig& config, std::vector<EstimatorKind> kinds,
                              const text::ChatTemplate& format) {
  evaluation::EvalConfig eval{.group_sizes = {},
                              .generation = GenerationOf(config, format),
                              .estimators = std::move(kinds),
                              .position_vote = config.eval.position_vote};
  eval.group_sizes.assign(config.eval.group_sizes.begin(), config.eval.group_sizes.end());
  return eval;
}

// The writing of a run of `eval`: `table` on standard output last.
void Write(const EvalCommand& command, const evaluation::Evaluation& evaluated) {
  if (!command.json.empty()) json::WriteFile(command.json, evaluation::ToJson(evaluated.table).dump(2) + "\n");
  if (!command.records.empty()) evaluation::WriteRecords(evaluated, command.records);
  process::Output().Write(evaluation::ToText(evaluated.table));
}

}  // namespace

void RunEval(const RunConfig& config, const EvalCommand& command) {
  UseThreads(config.threads.actor);
  const std::string& file = command.data.empty() ? config.eval.data : command.data;
  if (config.judge.by_program() && !config.answer.verifier.command.empty()) {
    base::ThrowBadInput(
        base::Format("answer.verifier: got {}, which eval does not ask: it compares by answer.comparator ({}); write "
                     "--set answer.verifier=[] to measure by that",
                     config.answer.verifier.command.front(), base::NameIn(config.answer.comparator)));
  }
  process::RequireOutputs({{"--json", command.json}, {"--records", command.records}},
                          ReadBy(config, command.config, command.model, command.data));
  if (file.empty()) base::ThrowBadInput("eval: name a labelled JSONL file by --data or eval.data");
  const auto rows =
      SpreadRows(data::ReadRows(file, config.data.columns), command.limit > 0 ? command.limit : config.eval.limit);
  const std::vector<EstimatorKind> kinds = EstimatorsOf(config, command);
  CheckBeforeRows(
      config, command.model,
      {.rows = rows, .file = file, .labels = true, .anchor = std::ranges::count(kinds, EstimatorKind::kSynthesis) > 0});
  const PolicyAndAnchor both = LoadBoth(config, command.model);
  const auto format = LoadChatTemplate(config.prompt.chat, config.model);

  const evaluation::Models models{both.policy, both.anchor.weights, *both.anchor.tokenizer,
                                  MakeRenderer(config.prompt, format, *both.anchor.tokenizer), config.engine};
  const auto evaluated =
      evaluation::Evaluate(rows, models, EvalOf(config, kinds, format), ScoringOf(config), ShowProgress());
  Write(command, evaluated);
  RequireScores(evaluated);
  WarnOfNoAnswers(config, evaluated);
}

void RunSynthesize(const RunConfig& config, const SynthesizeCommand& command) {
  UseThreads(config.threads.actor);
  const std::string& file = command.data.empty() ? config.data.train : command.data;
  process::RequireOutputs({{"--out", command.out}}, ReadBy(config, command.config, command.model, command.data));
  if (file.empty()) base::ThrowBadInput("synthesize: name a JSONL file of prompts by --data or data.train");
  const auto rows = SpreadRows(data::ReadRows(file, config.data.columns), command.limit);
  const auto estimator = config.estimator;
  CheckBeforeRows(config, command.model,
                  {.rows = rows,
                   .file = file,
                   .labels = estimators::ReadsOf(estimator).label,
                   .anchor = estimator == EstimatorKind::kSynthesis});
  const PolicyAndAnchor both = LoadBoth(config, command.model);
  const auto format = LoadChatTemplate(config.prompt.chat, config.model);

  evaluation::SynthesizeConfig synthesize{.generation = GenerationOf(config, format),
                                          .estimator = estimator,
                                          .num_generations = static_cast<std::uint32_t>(config.train.num_generations)};
  if (auto judge = MakeJudgeTexts(config)) {
    synthesize.scorer = std::make_shared<evaluation::JudgeScorer>(std::move(judge));
  }
  const evaluation::Models models{both.policy, both.anchor.weights, *both.anchor.tokenizer,
                                  MakeRenderer(config.prompt, format, *both.anchor.tokenizer), config.engine};

  process::Output out(command.out);
  if (!out.partial().empty()) base::LogInfo("{}: what is done so far", out.partial().string());
  base::Reasons failures;
  const auto write = [&](const evaluation::SynthesizedRow& row) {
    if (!row.reference.ok()) failures.Add(row.reference.failure().reason);
    out.Write(json::Dump(evaluation::ToRecord(row)) + "\n");
  };
  evaluation::SynthesizeRows(rows, models, synthesize, write, ShowProgress());
  out.Finish();
  if (failures.total() == 0) return;
  const std::string text =
      base::Format("{} of {} rows have no reference: {}", failures.total(), rows.size(), failures.Commonest());
  if (failures.total() == std::ssize(rows)) throw base::Error(base::ErrorKind::kRetryLater, text);
  base::LogWarning("{}", text);
}

}  // namespace autodidact::launch
