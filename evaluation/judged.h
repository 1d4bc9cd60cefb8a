// An evaluation by a judge: what it thinks of single answers and of syntheses.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "evaluation/evaluate.h"

namespace autodidact::evaluation {

// What the judge holds a question's texts against.
enum class Yardstick { kNone, kOwnRubric, kLabel, kSelfMade };
const char* Name(Yardstick yardstick);  // "none", "own_rubric", "label", "self_made"

struct JudgedQuestion {
  Yardstick yardstick = Yardstick::kNone;
  schema::Reference reference;                  // of the yardstick, for people
  schema::Target target;                        // the same for the judge
  std::vector<schema::Verdict> verdicts;        // over texts in the order: rollouts, greedy, syntheses by size
  std::vector<std::optional<double>> rollouts;  // scores before clipping; nothing without a valid verdict
  std::optional<double> greedy;
  std::map<int, std::optional<double>> syntheses;
  // Of the rollout that each selection picked.
  std::map<estimators::EstimatorKind, std::map<int, std::optional<double>>> selections;
};

// Means over questions of the scores before clipping, the mean clipped to [0, 1] as HealthBench's official figure is; a
// text that has no score is left out and counted.
struct JudgedFigures {
  std::int64_t questions = 0;
  std::map<std::string, std::int64_t> yardsticks;  // questions by yardstick
  std::vector<int> group_sizes;
  Figure single;
  Figure greedy;
  FiguresByGroup synthesis;
  std::vector<std::pair<estimators::EstimatorKind, FiguresByGroup>> selections;  // those of EvalConfig::estimators
  FiguresByGroup best_of;     // the best score among the first G rollouts
  std::int64_t left_out = 0;  // rows without a full rubric of their own, where others have one
  double invalid = 0;         // share of the verdicts
  std::int64_t unscored = 0;  // texts that are there but have no score
};

struct JudgedResult {
  EvalResult texts;
  std::vector<JudgedQuestion> questions;
  JudgedFigures figures;
};

struct Judging {
  JudgeTexts judge;
  bool by_rubric = false;
  // A row's label as the judge reads it, nothing where it has none. Not called by rubric.
  std::function<std::optional<schema::Target>(const data::Row&)> label;
};

// Samples and synthesizes as Evaluate does, then lets the judge score every text of a question against one yardstick.
// By rubric: the row's own (rows without one are left out), or, where no row has one, the rubric that the anchor wrote
// for the question's largest synthesis. Otherwise: the row's label, else the largest synthesis. A self-made yardstick
// favours the synthesis that it was made from. Blocks; Error(kBadInput) as Evaluate, but for rows without labels.
JudgedResult EvaluateJudged(const std::vector<data::Row>& rows, const Models& models, const EvalConfig& config,
                            const Judging& judging, const OnProgress& on_progress = {});

json::Json ToJson(const JudgedFigures& figures);
std::string ToTable(const JudgedFigures& figures);
// One JSON object per question, in order; the file appears as a whole. Errors as json::WriteFile.
void WriteRecords(const JudgedResult& result, const std::filesystem::path& file);

}  // namespace autodidact::evaluation
