#include "evaluation/score.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <variant>

#include "answers/automatic.h"
#include "answers/label.h"
#include "answers/points_score.h"
#include "base/check.h"
#include "base/format.h"
#include "data/row_rubric.h"

namespace autodidact::evaluation {
namespace {

using answers::Sameness;

template <class Target>
const Target& TargetOf(const schema::JudgeRequest& request, const char* expected) {
  const auto* target = std::get_if<Target>(&request.target);
  if (!target) base::ThrowBadInput(base::Format("group {}: it is not held against {}", request.ticket, expected));
  return *target;
}

std::vector<std::string> Extracted(answers::Extractor extractor, const std::vector<std::string>& labels) {
  return answers::ReferenceAnswers(extractor, answers::LabelText(extractor, labels));
}

// An answer as it was found and the labels as they were read.
struct Reading {
  std::optional<std::string> answer;
  std::vector<std::string> labels;
  Sameness sameness = Sameness::kUnequal;
};
// Reads texts; the labels are read once.
using Reader = std::function<Reading(const std::string& text)>;

Reader ReadStated(answers::Comparator comparator, const std::vector<std::string>& labels) {
  std::vector<answers::StatedAnswer> stated;
  std::vector<std::string> texts;
  for (const std::string& label : labels) {
    if (auto found = answers::LabelStated(label)) {
      texts.push_back(found->text);
      stated.push_back(std::move(*found));
    }
  }
  return [=](const std::string& text) {
    const auto answer = answers::FindStated(text);
    if (!answer) return Reading{{}, texts, {}};
    return Reading{answer->text, texts, answers::CompareStated(comparator, *answer, stated)};
  };
}

Reader ReadExtracted(answers::Extractor extractor, answers::Comparator comparator,
                     const std::vector<std::string>& labels) {
  return [=, read = Extracted(extractor, labels)](const std::string& text) {
    const auto answer = answers::Extract(extractor, text);
    if (!answer) return Reading{{}, read, {}};
    return Reading{*answer, read, answers::CompareAny(comparator, *answer, read)};
  };
}

Score ToScore(Reading reading, answers::Comparator comparator, const std::string& extractor) {
  Score score;
  std::string gold;
  for (const std::string& label : reading.labels) gold += (gold.empty() ? "'" : " or '") + label + "'";
  const std::string how = base::NameIn(comparator);
  if (!reading.answer) {
    score.value = 0;
    score.reason = "the text holds no answer (" + extractor + ")";
  } else if (reading.sameness == Sameness::kUndecided) {
    score.reason = base::Format("'{}' has no value that could be told from {} ({})", *reading.answer, gold, how);
  } else {
    const bool equal = reading.sameness == Sameness::kEqual;
    score.value = equal ? 1 : 0;
    score.reason = base::Format("'{}' {} {} ({})", *reading.answer, equal ? "equals" : "does not equal", gold, how);
  }
  score.answer = std::move(reading.answer);
  return score;
}

std::vector<Score> ScoresOf(const schema::JudgeRequest& request, schema::JudgeReply reply) {
  std::vector<double> points;
  if (const auto* rubric = std::get_if<schema::Rubric>(&request.target)) {
    for (const schema::Criterion& criterion : rubric->criteria) points.push_back(criterion.points);
  }
  if (points.empty()) points.push_back(1);
  const std::size_t num_texts = request.responses.size();
  std::vector<Score> scores(num_texts);
  std::vector<std::vector<std::optional<bool>>> met(num_texts, std::vector<std::optional<bool>>(points.size()));
  for (schema::Verdict& verdict : reply.verdicts) {
    if (verdict.kind != schema::VerdictKind::kInvalid) {
      met.at(verdict.rollout).at(verdict.criterion) = verdict.kind == schema::VerdictKind::kMet;
    }
    scores.at(verdict.rollout).verdicts.push_back(std::move(verdict));
  }
  for (std::size_t i = 0; i < num_texts; ++i) {
    Score& score = scores[i];
    score.value = answers::PointsScore(points, met[i]);
    if (!score.value) {
      const bool said = i < reply.rewards.size() && !reply.rewards[i].ok();
      score.reason = said ? reply.rewards[i].failure().reason : "no valid verdict";
      continue;
    }
    const auto valid = std::count_if(met[i].begin(), met[i].end(), [](const auto& one) { return one.has_value(); });
    const auto invalid = std::ssize(score.verdicts) - valid;
    score.reason =
        base::Format("{} of {} criteria met", std::count(met[i].begin(), met[i].end(), true), score.verdicts.size());
    if (invalid > 0) score.reason += base::Format(", {} without a valid verdict left out", invalid);
  }
  return scores;
}

Score ScoreOf(ProgramRun run, std::size_t place) {
  Score score;
  score.reason = run.passed == true ? "every test held" : std::move(run.reason);
  score.outcome = std::move(run.outcome);
  schema::Verdict& verdict = score.verdicts.emplace_back();
  verdict.rollout = static_cast<std::uint32_t>(place);
  if (!run.passed) {
    verdict.reason = score.reason;
    return score;
  }
  score.value = *run.passed ? 1 : 0;
  verdict.kind = *run.passed ? schema::VerdictKind::kMet : schema::VerdictKind::kNotMet;
  return score;
}

}  // namespace

std::optional<double> Score::Clipped() const {
  return value ? std::optional(std::clamp(*value, 0.0, 1.0)) : std::nullopt;
}

json::Json Value(const std::optional<Score>& score) {
  return json::OrNull(score ? score->value : std::nullopt);
}

schema::JudgeRequest MakeJudgeRequest(schema::Ticket ticket, schema::Target target, std::vector<std::string> texts) {
  schema::JudgeRequest request{
      .ticket = ticket, .target = std::move(target), .responses = std::move(texts), .lengths = {}};
  request.lengths.assign(request.responses.size(), 0);  // a length penalty belongs to training
  return request;
}

std::vector<std::vector<Score>> LabelScorer::ScoreAll(std::vector<schema::JudgeRequest> requests) const {
  std::vector<std::vector<Score>> all;
  for (const schema::JudgeRequest& request : requests) {
    const auto& labels = TargetOf<schema::Labels>(request, "labels").answers;
    const Reader read = extractor_ ? ReadExtracted(*extractor_, comparator_, labels) : ReadStated(comparator_, labels);
    std::vector<Score>& scores = all.emplace_back();
    for (const std::string& text : request.responses) scores.push_back(ToScore(read(text), comparator_, name()));
  }
  return all;
}

std::string LabelScorer::WhyNoLabel(const schema::Labels& labels) const {
  const auto read = [&](const std::string& label) {
    return extractor_ ? !Extracted(*extractor_, {label}).empty() : answers::LabelStated(label).has_value();
  };
  if (std::any_of(labels.answers.begin(), labels.answers.end(), read)) return {};
  return extractor_ && !labels.answers.empty() ? answers::WhyNoLabel(*extractor_, labels.answers.front())
                                               : "holds no answer (" + name() + ")";
}

std::string LabelScorer::name() const {
  return extractor_ ? base::NameIn(*extractor_) : "auto";
}

std::vector<std::vector<Score>> JudgeScorer::ScoreAll(std::vector<schema::JudgeRequest> requests) const {
  auto replies = judge_(requests);
  AD_CHECK(replies.size() == requests.size(), "{} replies to {} requests", replies.size(), requests.size());
  std::vector<std::vector<Score>> all;
  for (std::size_t i = 0; i < requests.size(); ++i) all.push_back(ScoresOf(requests[i], std::move(replies[i])));
  return all;
}

std::vector<std::vector<Score>> TestScorer::ScoreAll(std::vector<schema::JudgeRequest> requests) const {
  std::vector<std::vector<Score>> all;
  for (const schema::JudgeRequest& request : requests) {
    std::vector<Score>& scores = all.emplace_back();
    for (ProgramRun& run : run_(TargetOf<schema::Tests>(request, "tests"), request.responses)) {
      scores.push_back(ScoreOf(std::move(run), scores.size()));
    }
    AD_CHECK(scores.size() == request.responses.size(), "{} runs of {} programs", scores.size(),
             request.responses.size());
  }
  return all;
}

Scoring ScoringByLabels(answers::Extractor extractor, answers::Comparator comparator) {
  return {std::make_shared<LabelScorer>(extractor, comparator),
          [](const data::Row& row) -> std::optional<schema::Target> {
            if (row.answers.empty())
              base::ThrowBadInput(base::Format("row '{}' has no label to compare with", row.prompt.id));
            return schema::Labels{row.answers};
          }};
}

Scoring ScoringByJudge(JudgeTexts judge, bool by_rubric) {
  return {std::make_shared<JudgeScorer>(std::move(judge)),
          [by_rubric](const data::Row& row) -> std::optional<schema::Target> {
            if (!by_rubric) {
              if (row.answers.empty()) return std::nullopt;
              return schema::WholeText{row.answers.front()};
            }
            auto criteria = data::RowRubric(row.prompt);
            if (criteria.empty()) return std::nullopt;
            return schema::Rubric{std::move(criteria)};
          }};
}

}  // namespace autodidact::evaluation
