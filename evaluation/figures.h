// The arithmetic of an evaluation: from texts and labels to figures with confidence intervals. No models here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "estimators/estimator.h"
#include "json/json.h"
#include "schema/types.h"

namespace autodidact::evaluation {

// All that was generated for one question, with its labels (any of which is right).
struct QuestionTexts {
  std::string id;
  std::string prompt;  // for the records
  std::vector<std::string> labels;
  std::vector<std::string> rollouts;  // as many as the largest group size; empty when the prompt did not fit
  std::optional<std::string> greedy;
  std::map<int, base::Outcome<schema::Reference>> syntheses;  // by group size, of the first G rollouts
  // What each selection picked, by group size.
  std::map<estimators::EstimatorKind, std::map<int, base::Outcome<schema::Reference>>> selections;
};

// Which estimates are graded and counted beside the majority, which always is.
struct Compared {
  bool synthesis = true;
  bool position_vote = false;
  std::vector<estimators::EstimatorKind> further;  // selections and the ground truth
};

// An answer found in a text, and whether it is equal to a label. No answer is never right.
struct GradedAnswer {
  std::optional<std::string> answer;
  bool right = false;
};

// The estimates from the first G rollouts of a question.
struct GradedGroup {
  GradedAnswer majority;
  GradedAnswer synthesis;
  GradedAnswer position_vote;  // only when asked for
  std::map<estimators::EstimatorKind, GradedAnswer> further;
  std::string synthesis_failure;  // why there is no synthesis; empty when there is one
  bool any_right = false;         // any of the G rollouts
  bool agree = false;             // majority and synthesis both have an answer, and the same one
};

struct GradedQuestion {
  std::vector<GradedAnswer> rollouts;
  GradedAnswer greedy;
  std::map<int, GradedGroup> groups;  // by group size
};

GradedQuestion Grade(const QuestionTexts& question, const std::vector<int>& group_sizes,
                     const estimators::AnswerRule& rule, const Compared& compared);

// A share with its 95 % confidence interval. Nothing (null, "-") where nothing was counted.
struct Figure {
  std::optional<double> value;
  std::optional<double> low;
  std::optional<double> high;
};

// As files have them: null where there is none; an interval is [low, high].
json::Json Value(const Figure& figure);
json::Json Interval(const Figure& figure);

// Figures by group size.
using FiguresByGroup = std::map<int, Figure>;

// Every question counts in full: one without an answer, or whose group failed, is wrong.
struct EvalFigures {
  std::int64_t questions = 0;
  std::vector<int> group_sizes;
  Figure single;  // mean accuracy over all rollouts of all questions
  Figure greedy;
  FiguresByGroup majority;
  FiguresByGroup synthesis;      // empty unless compared, as all that is said about it
  FiguresByGroup position_vote;  // empty unless asked for
  std::vector<std::pair<estimators::EstimatorKind, FiguresByGroup>> further;  // in the order asked for
  FiguresByGroup pass;                                                        // any of the first G rollouts is right
  // Share of the questions where the synthesis is right while none of the G rollouts is.
  FiguresByGroup right_when_all_wrong;
  // Of the questions where both majority and synthesis have an answer: the share where it is the same.
  FiguresByGroup agreement;
  // Of the questions where both have an answer and it is not the same: how often each is right.
  FiguresByGroup disagreement_synthesis;
  FiguresByGroup disagreement_majority;
  // Shares without an answer.
  Figure single_no_answer;
  Figure greedy_no_answer;
  FiguresByGroup synthesis_no_answer;
};

// Intervals by the bootstrap over questions (percentiles of `resamples` redraws, keyed by the seed; 0: no intervals).
EvalFigures Tabulate(const std::vector<GradedQuestion>& questions, const std::vector<int>& group_sizes,
                     const Compared& compared, std::uint64_t seed, int resamples = 1000);

// {"single", "greedy", "majority": {"1": …}, "synthesis", "pass", "right_when_all_wrong", "agreement", …, each further
// estimator under its name, "questions", "intervals": the same with [low, high] in place of each figure}.
json::Json ToJson(const EvalFigures& figures);

// The table for a terminal: a line per figure, a column per group size, in per cent with the half-width of the
// interval.
std::string ToTable(const EvalFigures& figures);

// One question as a JSON object for a JSONL file: id, prompt, labels, rollouts, and per group size the estimates.
json::Json ToRecord(const QuestionTexts& question, const GradedQuestion& graded);

}  // namespace autodidact::evaluation
