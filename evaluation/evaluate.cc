#include "evaluation/evaluate.h"

#include <algorithm>

#include "base/deadline.h"
#include "base/format.h"
#include "base/log.h"
#include "base/reasons.h"

namespace autodidact::evaluation {
namespace {

void Check(const std::vector<data::Row>& rows, const EvalConfig& config) {
  if (config.group_sizes.empty()) base::ThrowBadInput("an evaluation needs at least one group size");
  for (const int size : config.group_sizes) {
    if (size < 1) base::ThrowBadInput(base::Format("a group size must be at least 1, found {}", size));
  }
  if (rows.empty()) base::ThrowBadInput("an evaluation needs at least one row");
  for (const data::Row& row : rows) {
    if (row.answers.empty() && !config.texts_only)
      base::ThrowBadInput(base::Format("row '{}' has no label to compare with", row.prompt.id));
  }
}

using Groups = std::vector<base::Outcome<schema::RolloutGroup>>;

// A table that is made of failures alone is no measurement.
void SayWhatFailed(const base::Reasons& failures, std::size_t questions) {
  if (failures.total() == 0) return;
  const std::string text =
      base::Format("{} of {} questions could not be sampled: {}", failures.total(), questions, failures.Commonest());
  if (failures.total() == static_cast<std::int64_t>(questions)) base::ThrowBadInput(text);
  base::LogWarning("{}; they count as wrong", text);
}

Groups Rollouts(const std::vector<std::vector<schema::TokenId>>& prompts, const Models& models,
                const EvalConfig& config, const OnProgress& on_progress, EvalResult& result) {
  const int most = *std::max_element(config.group_sizes.begin(), config.group_sizes.end());
  engine::Engine engine(models.engine, models.policy, models.tokenizer);
  auto start = base::Clock::now();
  auto groups = SampleGroups(engine, prompts, static_cast<std::uint32_t>(most), config.sampling, config.seed, 0,
                             "rollouts", on_progress);
  result.rollout_seconds = base::SecondsSince(start);
  base::Reasons failures;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].ok()) {
      result.texts[i].rollouts = TextsOf(*groups[i]);
    } else {
      failures.Add(groups[i].failure().reason);
    }
  }
  SayWhatFailed(failures, groups.size());
  engine::SamplingParams greedy = config.sampling;
  greedy.temperature = 0;
  start = base::Clock::now();
  const auto singles = SampleGroups(engine, prompts, 1, greedy, config.seed, 0, "greedy", on_progress);
  result.greedy_seconds = base::SecondsSince(start);
  for (std::size_t i = 0; i < singles.size(); ++i) {
    if (singles[i].ok()) result.texts[i].greedy = singles[i]->rollouts.front().text;
  }
  return groups;
}

void Syntheses(const Models& models, const EvalConfig& config, const OnProgress& on_progress, EvalResult& result) {
  const std::size_t num_sizes = config.group_sizes.size();
  std::map<schema::Ticket, std::vector<std::string>> groups;
  for (std::size_t i = 0; i < result.texts.size(); ++i) {
    const auto& rollouts = result.texts[i].rollouts;
    for (std::size_t k = 0; k < num_sizes && !rollouts.empty(); ++k) {
      groups[i * num_sizes + k] = {rollouts.begin(), rollouts.begin() + config.group_sizes[k]};
    }
  }
  engine::Engine engine(models.engine, models.anchor, models.tokenizer);
  const auto start = base::Clock::now();
  auto references =
      SynthesizeGroups(engine, models.tokenizer, config.synthesis, models.anchor->config().max_position_embeddings,
                       std::move(groups), config.seed, on_progress);
  result.synthesis_seconds = base::SecondsSince(start);
  for (auto& [ticket, reference] : references) {
    result.texts[ticket / num_sizes].syntheses.emplace(config.group_sizes[ticket % num_sizes], std::move(reference));
  }
}

void Selections(const std::vector<data::Row>& rows, const Groups& groups, const Models& models,
                const EvalConfig& config, const OnProgress& on_progress, EvalResult& result) {
  const auto start = base::Clock::now();
  for (const estimators::EstimatorKind kind : config.estimators) {
    if (!estimators::IsSelection(kind)) continue;
    auto selections = SelectFromGroups(kind, models, config.selection, rows, groups, config.group_sizes, on_progress);
    for (std::size_t i = 0; i < selections.size(); ++i) result.texts[i].selections[kind] = std::move(selections[i]);
  }
  result.selection_seconds = base::SecondsSince(start);
}

Compared WhatIsCompared(const EvalConfig& config) {
  Compared compared{.synthesis = false, .position_vote = config.position_vote, .further = {}};
  for (const estimators::EstimatorKind kind : config.estimators) {
    if (kind == estimators::EstimatorKind::kSynthesis) {
      compared.synthesis = true;
    } else if (kind != estimators::EstimatorKind::kMajority) {
      compared.further.push_back(kind);
    }
  }
  return compared;
}

}  // namespace

EvalResult Evaluate(const std::vector<data::Row>& all_rows, const Models& models, const EvalConfig& config,
                    const OnProgress& on_progress) {
  std::vector<data::Row> rows = all_rows;
  if (config.max_questions > 0 && static_cast<std::size_t>(config.max_questions) < rows.size()) {
    rows.resize(static_cast<std::size_t>(config.max_questions));
  }
  Check(rows, config);
  const auto prompts = RenderRows(models.render, rows);
  EvalResult result;
  for (const data::Row& row : rows) {
    QuestionTexts& question = result.texts.emplace_back();
    question.id = row.prompt.id;
    question.prompt = estimators::QuestionText(row.prompt);
    question.labels = row.answers;
  }
  for (const estimators::EstimatorKind kind : config.estimators) {
    estimators::CheckSelection(
        kind, config.selection, models.tokenizer,
        static_cast<std::size_t>(*std::max_element(config.group_sizes.begin(), config.group_sizes.end())));
  }
  const Compared compared = WhatIsCompared(config);
  const Groups groups = Rollouts(prompts, models, config, on_progress, result);
  if (compared.synthesis) Syntheses(models, config, on_progress, result);
  Selections(rows, groups, models, config, on_progress, result);
  if (config.texts_only) return result;
  for (const QuestionTexts& question : result.texts) {
    result.graded.push_back(Grade(question, config.group_sizes, config.rule, compared));
  }
  result.figures = Tabulate(result.graded, config.group_sizes, compared, config.seed, config.bootstrap_resamples);
  return result;
}

void WriteRecords(const EvalResult& result, const std::filesystem::path& file) {
  std::string lines;
  for (std::size_t i = 0; i < result.texts.size(); ++i)
    lines += json::Dump(ToRecord(result.texts[i], result.graded[i])) + '\n';
  json::WriteFile(file, lines);
}

}  // namespace autodidact::evaluation
