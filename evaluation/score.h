// What texts are worth: by labels, by a judge, by the tests of programs. `eval`, `synthesize`, `grade` and the
// evaluations during a run score by nothing else.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "answers/compare.h"
#include "answers/extract.h"
#include "base/error.h"
#include "data/rows.h"
#include "json/json.h"
#include "schema/types.h"

namespace autodidact::evaluation {

// Of one text. 1 is right, or all of a rubric; a rubric's may be negative.
struct Score {
  std::optional<double> value;            // none: nothing can be said about the text, which is not a 0
  std::string reason;                     // one line: why it is what it is, or is not there
  std::optional<std::string> answer;      // by labels: what was found in the text
  std::vector<schema::Verdict> verdicts;  // by a judge or tests: `rollout` is the text's place in its request
  std::string outcome;                    // by tests: how the program ended

  bool right() const { return value && *value >= 1; }
  // The value in [0, 1], as rewards are.
  std::optional<double> Clipped() const;
};

// The value as a number; null where there is none: how every file says that something was not measured.
json::Json Value(const std::optional<Score>& score);

// A request that holds every text against the target.
schema::JudgeRequest MakeJudgeRequest(schema::Ticket ticket, schema::Target target, std::vector<std::string> texts);

class Scorer {
 public:
  virtual ~Scorer() = default;

  // One list per request, in order, with a Score for each of its responses. Blocks; may run on several threads at once.
  // Error(kBadInput) for a target that is not this scorer's, Error(kRetryLater) soon after a stop.
  virtual std::vector<std::vector<Score>> ScoreAll(std::vector<schema::JudgeRequest> requests) const = 0;

  // Whether it is answers that are compared: a text that is not there is then a wrong one, while a judge leaves it out.
  virtual bool compares_answers() const { return false; }
};

// By labels. Targets: Labels, as the rows have them.
class LabelScorer : public Scorer {
 public:
  // Without an extractor an answer is what a text of any form states (answers/automatic.h).
  LabelScorer(std::optional<answers::Extractor> extractor, answers::Comparator comparator)
      : extractor_(extractor), comparator_(comparator) {}

  // 1: the answer equals a label. 0: it equals none, or there is no answer. None: it has no value that could be
  // compared.
  std::vector<std::vector<Score>> ScoreAll(std::vector<schema::JudgeRequest> requests) const override;
  bool compares_answers() const override { return true; }

  // Why the labels hold nothing to compare with: "is more than a number (extractor last_number)"; empty where they do.
  std::string WhyNoLabel(const schema::Labels& labels) const;

 private:
  std::string name() const;

  const std::optional<answers::Extractor> extractor_;
  const answers::Comparator comparator_;
};

// Judges texts against a target each, in the order of the requests. Thread-safe.
using JudgeTexts = std::function<std::vector<schema::JudgeReply>(std::vector<schema::JudgeRequest>)>;

// By the verdicts of a judge. Targets: what it takes.
class JudgeScorer : public Scorer {
 public:
  explicit JudgeScorer(JudgeTexts judge) : judge_(std::move(judge)) {}

  // The points of the criteria that are met (answers::PointsScore); none without a valid verdict.
  std::vector<std::vector<Score>> ScoreAll(std::vector<schema::JudgeRequest> requests) const override;

 private:
  const JudgeTexts judge_;
};

// How a program fared on tests.
struct ProgramRun {
  std::optional<bool> passed;  // none: it was not run, or the tests say nothing about any program
  std::string outcome;         // "passed", "failed", "timed_out", …
  std::string reason;          // one line; empty when passed
};
// Runs each program on the tests. Thread-safe.
using RunPrograms =
    std::function<std::vector<ProgramRun>(const schema::Tests& tests, const std::vector<std::string>& programs)>;

// By running programs. Targets: Tests.
class TestScorer : public Scorer {
 public:
  explicit TestScorer(RunPrograms run) : run_(std::move(run)) {}

  // 1: every test held. 0: the program is wrong. None: nothing is known about it.
  std::vector<std::vector<Score>> ScoreAll(std::vector<schema::JudgeRequest> requests) const override;

 private:
  const RunPrograms run_;
};

// How the rows of an evaluation are scored.
struct Scoring {
  std::shared_ptr<const Scorer> scorer;
  // What a row's texts are held against; nothing where it has nothing that the scorer could go by. Error(kBadInput)
  // naming a row that cannot be scored.
  std::function<std::optional<schema::Target>(const data::Row&)> target;
};

// By labels, which every row must have.
Scoring ScoringByLabels(answers::Extractor extractor, answers::Comparator comparator);
// By a judge: against the rows' own rubrics, or against their first labels.
Scoring ScoringByJudge(JudgeTexts judge, bool by_rubric);

}  // namespace autodidact::evaluation
