// Estimators against group sizes on a labelled file: what a policy and its anchor are worth.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "data/rows.h"
#include "estimators/estimator.h"
#include "evaluation/figures.h"
#include "evaluation/generate.h"

namespace autodidact::evaluation {

struct EvalConfig {
  std::vector<int> group_sizes = {1, 2, 4, 8, 16};
  engine::SamplingParams sampling;        // of the rollouts; greedy decoding takes it at temperature 0
  estimators::SynthesisConfig synthesis;  // of the anchor
  estimators::AnswerRule rule;            // how answers are found and compared with labels
  std::uint64_t seed = 0;
  std::int64_t max_questions = 0;  // the first so many rows; 0: all
  // What is compared; the majority costs nothing and is always there.
  std::vector<estimators::EstimatorKind> estimators = {estimators::EstimatorKind::kSynthesis,
                                                       estimators::EstimatorKind::kMajority};
  estimators::SelectionConfig selection;
  bool position_vote = false;      // the line of PositionVote too
  int bootstrap_resamples = 1000;  // 0: no intervals
  bool texts_only = false;         // no labels are needed and nothing is graded
};

struct EvalResult {
  std::vector<QuestionTexts> texts;  // in the order of the rows
  std::vector<GradedQuestion> graded;
  EvalFigures figures;
  double rollout_seconds = 0;
  double greedy_seconds = 0;
  double synthesis_seconds = 0;
  double selection_seconds = 0;
};

// Samples max(group_sizes) rollouts per question once, decodes it greedily, and lets every estimator have the first G
// rollouts for every G, by the anchor's weights where it needs a model; all estimates of one G see the same rollouts.
// Depends on weights, rows, config and seed alone. Blocks for the computation, on the calling thread's intra-op
// threads. Error(kBadInput): no rows, a row without a label, a prompt that the tokenizer cannot express, group sizes
// that are empty or below 1; and when no question at all could be sampled.
EvalResult Evaluate(const std::vector<data::Row>& rows, const Models& models, const EvalConfig& config,
                    const OnProgress& on_progress = {});

// One JSON object per question, in order; the file appears as a whole. Errors as json::WriteFile.
void WriteRecords(const EvalResult& result, const std::filesystem::path& file);

}  // namespace autodidact::evaluation
