// Estimators against group sizes on a file of questions: sample, estimate, score, tabulate.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/rows.h"
#include "estimators/estimator.h"
#include "evaluation/estimate.h"
#include "evaluation/sample.h"
#include "evaluation/score.h"
#include "evaluation/table.h"

namespace autodidact::evaluation {

struct EvalConfig {
  std::vector<int> group_sizes = {1, 2, 4, 8, 16};
  Generation generation;
  // What is compared. By labels the majority, which costs nothing, is always there; a judge scores the synthesis and
  // the selections alone.
  std::vector<estimators::EstimatorKind> estimators = {estimators::EstimatorKind::kSynthesis,
                                                       estimators::EstimatorKind::kMajority};
  bool position_vote = false;      // by labels, the line of PositionVote too
  int bootstrap_resamples = 1000;  // 0: no intervals
};

// Where the target comes from that a question's texts are scored against.
enum class TargetSource { kNone, kOwnRubric, kLabel, kSelfMade };
const char* Name(TargetSource source);  // "none", "own_rubric", "label", "self_made"

// All that is known of one question.
struct Question {
  std::string id;
  std::string prompt = {};                 // for the records
  std::vector<std::string> labels = {};    // any of which is right
  std::vector<std::string> rollouts = {};  // as many as the largest group size; empty when the prompt did not fit
  std::optional<std::string> greedy = {};
  std::map<std::string, ReferencesBySize> estimates = {};  // by the estimator's name, or kPositionVote

  TargetSource target_source = TargetSource::kNone;
  schema::Reference reference = {};  // the target, for people
  schema::Target target = {};        // the same for the scorer

  std::vector<Score> rollout_scores = {};
  std::optional<Score> greedy_score = {};
  std::map<std::string, std::map<int, Score>> scores = {};  // of `estimates`
  std::map<int, bool> agree = {};  // whether majority and synthesis both have an answer, and the same one

  // Null where there is none.
  const Score* ScoreOf(const std::string& estimate, int size) const;
  // In the order of the texts; an estimate that is one of the rollouts has no score of its own.
  void ForEachScore(const std::function<void(const Score&)>& visit) const;
};

inline constexpr const char* kPositionVote = "position_vote";
inline const std::string kSynthesis = base::NameIn(estimators::EstimatorKind::kSynthesis);
inline const std::string kMajority = base::NameIn(estimators::EstimatorKind::kMajority);

// What is in the table, and how it is made.
struct Compared {
  std::vector<int> group_sizes;
  std::vector<std::string> estimates;  // the keys of Question::estimates, in the order of the table
  bool by_labels = true;
  std::uint64_t seed = 0;
  int bootstrap_resamples = 1000;

  bool Has(const std::string& estimate) const;
};

struct Evaluation {
  Compared compared;
  std::vector<Question> questions;  // in the order of the rows
  Table table;
};

// Samples max(group_sizes) rollouts per question once, decodes it greedily, and lets every estimator have the first G
// rollouts for every G, by the anchor's weights where it needs a model; all estimates of one G see the same rollouts.
// Then the scorer scores every text of a question against one target: what the row brings, else, by a judge, the
// largest synthesis (by rubrics the one that the anchor writes from it), which favours the synthesis that it was made
// from. Rows without a rubric of their own are left out where others have one. Depends on weights, rows, config, seed
// and scorer alone. Blocks for the computation, on the calling thread's intra-op threads. Error(kBadInput): no rows, a
// row that the scoring refuses, a prompt that the tokenizer cannot express, group sizes that are empty or below 1; and
// when no question at all could be sampled.
Evaluation Evaluate(const std::vector<data::Row>& rows, const Models& models, const EvalConfig& config,
                    const Scoring& scoring, const OnProgress& on_progress = {});

// The stages behind the generation. Scores the texts of every question that has a target.
void ScoreQuestions(const Scorer& scorer, answers::Comparator comparator, std::vector<Question>& questions);
// Means over questions. By labels every question counts in full: one without an answer, or whose group failed, is
// wrong. By a judge, what has no score is left out and counted. `left_out`: rows without a rubric of their own.
Table Tabulate(const std::vector<Question>& questions, const Compared& compared, std::int64_t left_out = 0);

// One question as a JSON object.
json::Json ToRecord(const Question& question, const Compared& compared);
// One such line per question, in order; the file appears as a whole. Errors as json::WriteFile.
void WriteRecords(const Evaluation& evaluation, const std::filesystem::path& file);

}  // namespace autodidact::evaluation
