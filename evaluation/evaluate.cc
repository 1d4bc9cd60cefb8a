#include "evaluation/evaluate.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "answers/extract.h"
#include "base/format.h"
#include "base/log.h"
#include "base/reasons.h"
#include "estimators/question.h"
#include "evaluation/position_vote.h"

namespace autodidact::evaluation {
namespace {

using estimators::EstimatorKind;

void Check(const std::vector<data::Row>& rows, const EvalConfig& config) {
  if (config.group_sizes.empty()) base::ThrowBadInput("an evaluation needs at least one group size");
  for (const int size : config.group_sizes) {
    if (size < 1) base::ThrowBadInput(base::Format("a group size must be at least 1, found {}", size));
  }
  if (rows.empty()) base::ThrowBadInput("an evaluation needs at least one row");
}

// Those whose estimates are made, in the order of the table.
std::vector<EstimatorKind> EstimatorsOf(const EvalConfig& config, bool by_labels) {
  const auto& asked = config.estimators;
  std::vector<EstimatorKind> kinds;
  if (by_labels) kinds.push_back(EstimatorKind::kMajority);
  if (std::find(asked.begin(), asked.end(), EstimatorKind::kSynthesis) != asked.end()) {
    kinds.push_back(EstimatorKind::kSynthesis);
  }
  for (const EstimatorKind kind : asked) {
    const bool taken = by_labels || estimators::IsSelection(kind);
    if (taken && std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
  }
  return kinds;
}

Compared WhatIsCompared(const EvalConfig& config, const std::vector<EstimatorKind>& kinds, bool by_labels) {
  Compared compared{.group_sizes = config.group_sizes,
                    .estimates = {},
                    .by_labels = by_labels,
                    .seed = config.generation.seed,
                    .bootstrap_resamples = config.bootstrap_resamples};
  for (const EstimatorKind kind : kinds) compared.estimates.push_back(base::NameIn(kind));
  if (by_labels && config.position_vote) {
    const auto others = std::min<std::ptrdiff_t>(compared.Has(kSynthesis) ? 2 : 1, std::ssize(compared.estimates));
    compared.estimates.insert(compared.estimates.begin() + others, kPositionVote);
  }
  return compared;
}

// The rows and what they bring with them. Metrics by physicians' rubrics and by self-made ones are not to be mixed.
struct Rows {
  std::vector<data::Row> rows;
  std::vector<std::optional<schema::Target>> targets;
};

Rows RowsToScore(const std::vector<data::Row>& all, const Scoring& scoring) {
  Rows found{all, {}};
  for (const data::Row& row : all) found.targets.push_back(scoring.target(row));
  const bool own_rubrics = std::any_of(found.targets.begin(), found.targets.end(), [](const auto& target) {
    return target && std::holds_alternative<schema::Rubric>(*target);
  });
  if (!own_rubrics) return found;
  Rows own;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!found.targets[i]) continue;
    own.rows.push_back(all[i]);
    own.targets.push_back(std::move(found.targets[i]));
  }
  return own;
}

std::vector<Question> QuestionsOf(const std::vector<data::Row>& rows) {
  std::vector<Question> questions;
  for (const data::Row& row : rows) {
    questions.push_back({.id = row.prompt.id, .prompt = estimators::QuestionText(row.prompt), .labels = row.answers});
  }
  return questions;
}

// A table that is made of failures alone is no measurement.
void SayWhatFailed(const Groups& groups, bool by_labels) {
  base::Reasons failures;
  for (const auto& group : groups) {
    if (!group.ok()) failures.Add(group.failure().reason);
  }
  if (failures.total() == 0) return;
  const std::string text = base::Format("{} of {} questions could not be sampled: {}", failures.total(), groups.size(),
                                        failures.Commonest());
  if (failures.total() == std::ssize(groups)) base::ThrowBadInput(text);
  base::LogWarning("{}; they {}", text, by_labels ? "count as wrong" : "are left out");
}

Groups Sample(const std::vector<data::Row>& rows, const Models& models, const EvalConfig& config,
              const OnProgress& on_progress, std::vector<Question>& questions) {
  const auto prompts = RenderRows(models.render, rows);
  const int largest = *std::max_element(config.group_sizes.begin(), config.group_sizes.end());
  engine::Engine engine(models.engine, models.policy, models.tokenizer);
  Sampling sampling{.num_rollouts = static_cast<std::uint32_t>(largest),
                    .params = config.generation.sampling,
                    .seed = config.generation.seed};
  Groups groups = SampleGroups(engine, prompts, sampling, on_progress);
  sampling.phase = "greedy";
  sampling.num_rollouts = 1;
  sampling.params.temperature = 0;
  const Groups greedy = SampleGroups(engine, prompts, sampling, on_progress);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].ok()) questions[i].rollouts = estimators::TextsOf(*groups[i]);
    if (greedy[i].ok()) questions[i].greedy = greedy[i]->rollouts.front().text;
  }
  return groups;
}

// A vote per position among the answers of the first rollouts.
ReferencesBySize PositionVotes(answers::Extractor extractor, const std::vector<std::string>& rollouts,
                               const std::vector<int>& group_sizes) {
  ReferencesBySize votes;
  for (const int size : group_sizes) {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < std::min(rollouts.size(), static_cast<std::size_t>(size)); ++i) {
      if (auto answer = answers::Extract(extractor, rollouts[i])) found.push_back(std::move(*answer));
    }
    schema::Reference reference;
    if (const auto vote = PositionVote(found)) reference.text = answers::LabelText(extractor, {*vote});
    votes.emplace(size, schema::WithTarget(std::move(reference)));
  }
  return votes;
}

// What the question's texts are held against. A self-made target by rubrics has no criteria yet.
void SetTarget(const std::optional<schema::Target>& target, Question& question) {
  if (target) {
    question.target = *target;
    question.target_source = TargetSource::kLabel;
    if (const auto* rubric = std::get_if<schema::Rubric>(&*target)) {
      question.target_source = TargetSource::kOwnRubric;
      question.reference.rubric = rubric->criteria;
    } else if (const auto* text = std::get_if<schema::WholeText>(&*target)) {
      question.reference.text = text->text;
    } else if (const auto* tests = std::get_if<schema::Tests>(&*target)) {
      question.reference.text = tests->code;
    }
    return;
  }
  const auto syntheses = question.estimates.find(kSynthesis);
  if (syntheses == question.estimates.end() || syntheses->second.empty()) return;
  const auto& largest = syntheses->second.rbegin()->second;
  if (!largest.ok()) return;
  question.reference = largest->reference;
  question.target = largest->target;
  question.target_source = TargetSource::kSelfMade;
}

// The anchor writes the criteria of the self-made targets; a question that gets none is not scored.
void WriteOwnRubrics(const Models& models, const EvalConfig& config, const OnProgress& on_progress,
                     std::vector<Question>& questions) {
  std::map<schema::Ticket, schema::Reference> references;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    if (questions[i].target_source == TargetSource::kSelfMade) references[i] = questions[i].reference;
  }
  if (references.empty()) return;
  GroupEstimator anchor(models, config.generation, config.group_sizes);
  for (auto& [i, written] : anchor.WriteRubrics(std::move(references), on_progress)) {
    if (written.ok()) {
      questions[i].target = schema::TargetOf(*written);
      questions[i].reference = std::move(*written);
    } else {
      questions[i].target_source = TargetSource::kNone;
    }
  }
}

}  // namespace

const char* Name(TargetSource source) {
  switch (source) {
    case TargetSource::kNone:
      return "none";
    case TargetSource::kOwnRubric:
      return "own_rubric";
    case TargetSource::kLabel:
      return "label";
    case TargetSource::kSelfMade:
      return "self_made";
  }
  return "unknown";
}

const Score* Question::ScoreOf(const std::string& estimate, int size) const {
  const auto by_size = scores.find(estimate);
  if (by_size == scores.end()) return nullptr;
  const auto found = by_size->second.find(size);
  return found == by_size->second.end() ? nullptr : &found->second;
}

bool Compared::Has(const std::string& estimate) const {
  return std::find(estimates.begin(), estimates.end(), estimate) != estimates.end();
}

Evaluation Evaluate(const std::vector<data::Row>& all_rows, const Models& models, const EvalConfig& config,
                    const Scoring& scoring, const OnProgress& on_progress) {
  Check(all_rows, config);
  const auto [rows, targets] = RowsToScore(all_rows, scoring);
  const bool by_labels = scoring.scorer->compares_answers();
  const auto kinds = EstimatorsOf(config, by_labels);
  Evaluation result{.compared = WhatIsCompared(config, kinds, by_labels), .questions = QuestionsOf(rows), .table = {}};
  auto& questions = result.questions;
  {
    Generation texts_only = config.generation;
    texts_only.synthesis.rubric.reset();  // a synthesis counts whether or not criteria can be made of it
    GroupEstimator estimator(models, texts_only, config.group_sizes);
    for (const EstimatorKind kind : kinds) estimator.Check(kind);
    const Groups groups = Sample(rows, models, config, on_progress, questions);
    SayWhatFailed(groups, by_labels);
    for (const EstimatorKind kind : kinds) {
      auto made = estimator.Make(kind, rows, groups, 0, on_progress);
      for (std::size_t i = 0; i < made.size(); ++i) questions[i].estimates[base::NameIn(kind)] = std::move(made[i]);
    }
  }
  for (std::size_t i = 0; i < questions.size(); ++i) {
    if (result.compared.Has(kPositionVote) && !questions[i].rollouts.empty()) {
      questions[i].estimates[kPositionVote] =
          PositionVotes(config.generation.comparison.rule.extractor, questions[i].rollouts, config.group_sizes);
    }
    SetTarget(targets[i], questions[i]);
  }
  if (config.generation.synthesis.rubric) WriteOwnRubrics(models, config, on_progress, questions);
  ScoreQuestions(*scoring.scorer, config.generation.comparison.rule.comparator, questions);
  result.table = Tabulate(questions, result.compared, std::ssize(all_rows) - std::ssize(rows));
  return result;
}

}  // namespace autodidact::evaluation
