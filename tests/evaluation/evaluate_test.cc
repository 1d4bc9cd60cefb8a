#include "evaluation/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "evaluation/synthesize.h"
#include "tests/engine/test_models.h"

namespace autodidact::evaluation {
namespace {

using engine::testing::RandomWeights;
using engine::testing::SmallConfig;
using engine::testing::SymbolTokenizer;

// A random model on questions of three symbols: it is never right, but everything else is real.
class EvaluateTest : public testing::Test {
 protected:
  EvaluateTest()
      : models_{RandomWeights(SmallConfig("llama"), 1),
                RandomWeights(SmallConfig("llama"), 2),
                SymbolTokenizer(),
                [](const schema::Prompt& prompt) { return SymbolTokenizer().Encode(prompt.text); },
                {.cache_tokens = 4096, .max_rows = 64}} {
    for (int i = 0; i < 6; ++i) {
      data::Row row;
      row.prompt.id = "row" + std::to_string(i);
      row.prompt.text = "a" + std::to_string(i) + " a5 a" + std::to_string(2 * i + 7);
      row.answers = {"a1 a2"};
      rows_.push_back(row);
    }
    config_.group_sizes = {1, 2, 4};
    config_.sampling.max_new_tokens = 5;
    config_.synthesis = Synthesis();
    config_.rule = config_.synthesis.rule;
    config_.seed = 11;
    config_.bootstrap_resamples = 50;
  }

  static estimators::SynthesisConfig Synthesis() {
    estimators::SynthesisConfig synthesis;
    synthesis.prompt.candidate = "a70 {text}";
    synthesis.prompt.separator = " ";
    synthesis.prompt.instruction = "{candidates} a71";
    synthesis.sampling.max_new_tokens = 6;
    synthesis.rule.extractor = answers::Extractor::kWholeText;
    return synthesis;
  }

  static estimators::SelectionConfig Selection() {
    estimators::SelectionConfig selection;
    selection.self_select.instruction = "{prompt} {candidates} a71";
    selection.self_select.candidate = "{index} {text}";
    selection.self_select.separator = " ";
    selection.self_select.choices = {"a72", "a73", "a74", "a75"};
    selection.rule.extractor = answers::Extractor::kWholeText;
    return selection;
  }

  static std::string Records(const EvalResult& result) {
    std::string text;
    for (std::size_t i = 0; i < result.texts.size(); ++i) {
      text += json::Dump(ToRecord(result.texts[i], result.graded[i])) + "\n";
    }
    return text;
  }

  std::vector<data::Row> rows_;
  Models models_;
  EvalConfig config_;
};

TEST_F(EvaluateTest, GivesEveryQuestionItsRolloutsAndSyntheses) {
  std::vector<std::string> phases;
  const EvalResult result = Evaluate(rows_, models_, config_, [&](const Progress& progress) {
    EXPECT_LE(progress.done, progress.total);
    if (phases.empty() || phases.back() != progress.phase) phases.emplace_back(progress.phase);
  });
  ASSERT_EQ(result.texts.size(), 6u);
  for (const QuestionTexts& question : result.texts) {
    EXPECT_EQ(question.rollouts.size(), 4u);
    EXPECT_TRUE(question.greedy.has_value());
    EXPECT_EQ(question.syntheses.size(), 3u);
  }
  EXPECT_EQ(phases, (std::vector<std::string>{"rollouts", "greedy", "synthesis"}));
  EXPECT_EQ(result.figures.questions, 6);
  EXPECT_DOUBLE_EQ(*result.figures.single.value, 0);
}

TEST_F(EvaluateTest, RepeatsWithItsSeedAndNotWithAnother) {
  const std::string first = Records(Evaluate(rows_, models_, config_));
  EXPECT_EQ(first, Records(Evaluate(rows_, models_, config_)));
  config_.seed = 12;
  EXPECT_NE(first, Records(Evaluate(rows_, models_, config_)));
}

TEST_F(EvaluateTest, AQuestionDoesNotDependOnTheOthers) {
  const std::string all = Records(Evaluate(rows_, models_, config_));
  config_.max_questions = 2;
  const std::string first_two = Records(Evaluate(rows_, models_, config_));
  EXPECT_EQ(all.substr(0, first_two.size()), first_two);
}

TEST_F(EvaluateTest, FiguresFollowFromWhatWasGenerated) {
  const EvalResult before = Evaluate(rows_, models_, config_);
  for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i].answers = {*before.texts[i].greedy};
  EXPECT_DOUBLE_EQ(*Evaluate(rows_, models_, config_).figures.greedy.value, 1);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto& synthesis = before.texts[i].syntheses.at(4);
    rows_[i].answers = {synthesis.ok() ? synthesis->text : "none"};
  }
  const EvalFigures figures = Evaluate(rows_, models_, config_).figures;
  EXPECT_DOUBLE_EQ(*figures.synthesis.at(4).value, 1 - *figures.synthesis_no_answer.at(4).value);
}

TEST_F(EvaluateTest, GroupsThatDoNotFitAreSynthesizedInStages) {
  config_.group_sizes = {4};
  config_.synthesis.context = 6 + 2 + 2 * 7;  // two candidates of up to six symbols with their mark
  const EvalResult result = Evaluate(rows_, models_, config_);
  bool staged = false;
  for (const QuestionTexts& question : result.texts) {
    const auto& synthesis = question.syntheses.at(4);
    staged = staged || (synthesis.ok() && synthesis->stages > 1);
  }
  EXPECT_TRUE(staged);
}

TEST_F(EvaluateTest, APromptThatDoesNotFitCountsAsWrong) {
  for (int i = 0; i < 600; ++i) rows_[0].prompt.text += " a3";
  const EvalResult result = Evaluate(rows_, models_, config_);
  EXPECT_TRUE(result.texts[0].rollouts.empty());
  EXPECT_EQ(result.figures.questions, 6);
  EXPECT_GE(*result.figures.synthesis_no_answer.at(1).value, 1.0 / 6 - 1e-12);
}

TEST_F(EvaluateTest, WithoutTheAnchorThereAreNoSyntheses) {
  config_.estimators = {estimators::EstimatorKind::kMajority};
  const EvalResult result = Evaluate(rows_, models_, config_);
  EXPECT_TRUE(result.texts[0].syntheses.empty());
  EXPECT_TRUE(result.figures.agreement.empty());
  EXPECT_FALSE(ToJson(result.figures).contains("synthesis"));
  EXPECT_TRUE(ToJson(result.figures).contains("majority"));
}

TEST_F(EvaluateTest, EveryEstimatorIsComparedUnderItsName) {
  config_.estimators = base::AllValues<estimators::EstimatorKind>();
  config_.selection = Selection();
  const EvalResult result = Evaluate(rows_, models_, config_);
  const json::Json figures = ToJson(result.figures);
  const std::string table = ToTable(result.figures);
  for (const estimators::EstimatorKind kind : config_.estimators) {
    EXPECT_EQ(figures.at(Name(kind)).size(), 3u) << Name(kind);
    EXPECT_NE(table.find(Name(kind)), std::string::npos) << table;
  }
  EXPECT_EQ(figures.at("ground_truth").at("4"), 1.0);
  for (const QuestionTexts& question : result.texts) {
    EXPECT_EQ(question.selections.size(), 3u);
    for (const auto& [kind, by_group] : question.selections) {
      const auto& selected = by_group.at(1);
      if (!selected.ok()) continue;
      EXPECT_EQ(selected->text, question.rollouts[0]) << Name(kind);
    }
  }
}

TEST_F(EvaluateTest, ASelectionIsRightWhereTheSelectedRolloutIs) {
  config_.estimators = {estimators::EstimatorKind::kMinPerplexity};
  config_.selection = Selection();
  const EvalResult before = Evaluate(rows_, models_, config_);
  double right = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto& selected = before.texts[i].selections.at(estimators::EstimatorKind::kMinPerplexity).at(4);
    rows_[i].answers = {selected.ok() && i % 2 == 0 ? selected->text : "none"};
    right += selected.ok() && i % 2 == 0;
  }
  ASSERT_GT(right, 0);
  const EvalFigures figures = Evaluate(rows_, models_, config_).figures;
  EXPECT_DOUBLE_EQ(*figures.further.front().second.at(4).value, right / 6);
}

TEST_F(EvaluateTest, AVocabularyWithoutTheChoicesIsRefusedBeforeTheWork) {
  config_.estimators = {estimators::EstimatorKind::kSelfSelect};
  config_.selection = Selection();
  config_.selection.self_select.choices.clear();
  EXPECT_THROW(Evaluate(rows_, models_, config_, [](const Progress&) { FAIL(); }), base::Error);
}

TEST_F(EvaluateTest, RefusesWhatItCannotEvaluate) {
  EXPECT_THROW(Evaluate({}, models_, config_), base::Error);
  rows_[3].prompt.text = "unheard";
  try {
    Evaluate(rows_, models_, config_);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("row3"), std::string::npos) << error.message();
  }
  rows_[3].answers.clear();
  EXPECT_THROW(Evaluate(rows_, models_, config_), base::Error);
  config_.group_sizes = {0};
  EXPECT_THROW(Evaluate({rows_[0]}, models_, config_), base::Error);
}

TEST_F(EvaluateTest, RecordsAreOneLinePerQuestion) {
  const auto file = std::filesystem::path(testing::TempDir()) / ("records_" + std::to_string(getpid()) + ".jsonl");
  WriteRecords(Evaluate(rows_, models_, config_), file);
  std::ifstream stream(file);
  int lines = 0;
  for (std::string line; std::getline(stream, line); ++lines) {
    EXPECT_EQ(json::Parse(line, "records")["id"], "row" + std::to_string(lines));
  }
  EXPECT_EQ(lines, 6);
  std::filesystem::remove(file);
  EXPECT_THROW(WriteRecords({}, "/no/such/folder/records.jsonl"), base::Error);
}

class SynthesizeTest : public EvaluateTest {
 protected:
  std::vector<SynthesizedRow> Run(estimators::EstimatorKind kind, const OnProgress& on_progress = {}) {
    SynthesizeConfig config;
    config.estimator = kind;
    config.num_generations = 3;
    config.sampling.max_new_tokens = 5;
    config.synthesis = Synthesis();
    config.selection = Selection();
    config.rule = config.synthesis.rule;
    config.seed = 5;
    std::vector<SynthesizedRow> rows;
    SynthesizeRows(
        rows_, models_, config, [&](const SynthesizedRow& row) { rows.push_back(row); }, on_progress);
    return rows;
  }
};

TEST_F(SynthesizeTest, EveryRowComesInOrderWithItsGroup) {
  for (const auto kind : base::AllValues<estimators::EstimatorKind>()) {
    const auto rows = Run(kind);
    ASSERT_EQ(rows.size(), 6u);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].id, "row" + std::to_string(i));
      EXPECT_EQ(rows[i].completions.size(), 3u);
      const json::Json record = ToRecord(rows[i]);
      EXPECT_EQ(record.contains("reference"), rows[i].reference.ok());
      EXPECT_EQ(record.contains("failure"), !rows[i].reference.ok());
      if (rows[i].reference.ok()) {
        EXPECT_EQ(rows[i].answers.size(), 1u);
        const auto equal = std::count(rows[i].completions.begin(), rows[i].completions.end(), rows[i].reference->text);
        EXPECT_DOUBLE_EQ(record.at("agreement").get<double>(), static_cast<double>(equal) / 3);
      }
    }
  }
  EXPECT_EQ(Run(estimators::EstimatorKind::kGroundTruth)[2].reference->text, "a1 a2");
}

TEST_F(SynthesizeTest, ProgressGoesOnceOverAllRows) {
  const std::vector<data::Row> few = rows_;
  while (rows_.size() < 60) {  // more than a batch
    rows_.push_back(few[rows_.size() % few.size()]);
    rows_.back().prompt.id = "row" + std::to_string(rows_.size());
  }
  for (const auto kind : base::AllValues<estimators::EstimatorKind>()) {
    std::int64_t done = 0;
    Run(kind, [&](const Progress& progress) {
      EXPECT_EQ(progress.phase, "references");
      EXPECT_EQ(progress.total, 60);
      EXPECT_GE(progress.done, done) << estimators::Name(kind);
      done = progress.done;
    });
    EXPECT_EQ(done, 60) << estimators::Name(kind);
  }
}

TEST_F(SynthesizeTest, LabelsReachGroundTruthOnly) {
  const auto before = Run(estimators::EstimatorKind::kSynthesis);
  for (data::Row& row : rows_) row.answers = {"a9"};
  const auto after = Run(estimators::EstimatorKind::kSynthesis);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(ToRecord(before[i]), ToRecord(after[i]));
}

}  // namespace
}  // namespace autodidact::evaluation
