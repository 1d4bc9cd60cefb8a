#include "evaluation/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

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
    config_.generation = Made(11);
    config_.bootstrap_resamples = 50;
  }

  static Generation Made(std::uint64_t seed) {
    Generation generation;
    generation.sampling.max_new_tokens = 5;
    generation.synthesis = Synthesis();
    generation.selection = Selection();
    generation.comparison.rule = generation.synthesis.rule;
    generation.truth = [](const data::Row& row) { return schema::Labels{row.answers}; };
    generation.seed = seed;
    return generation;
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

  static std::string Records(const Evaluation& result) {
    std::string text;
    for (const Question& question : result.questions) text += json::Dump(ToRecord(question, result.compared)) + "\n";
    return text;
  }

  Evaluation ByLabels(const OnProgress& on_progress = {}) {
    return Evaluate(rows_, models_, config_,
                    ScoringByLabels(answers::Extractor::kWholeText, answers::Comparator::kExact), on_progress);
  }

  // What a judge would say that counts symbols: met where a text has an even number of them.
  static std::vector<schema::JudgeReply> Judge(const std::vector<schema::JudgeRequest>& requests) {
    std::vector<schema::JudgeReply> replies;
    for (const schema::JudgeRequest& request : requests) {
      schema::JudgeReply& reply = replies.emplace_back();
      reply.ticket = request.ticket;
      for (std::uint32_t i = 0; i < request.responses.size(); ++i) {
        for (std::uint32_t k = 0; k < std::max<std::size_t>(1, schema::NumCriteria(request.target)); ++k) {
          reply.verdicts.push_back({i, k, IsMet(request.responses[i]), "counted"});
        }
      }
      reply.rewards.assign(request.responses.size(), 0.0);
    }
    return replies;
  }
  static schema::VerdictKind IsMet(const std::string& text) {
    return std::count(text.begin(), text.end(), 'a') % 2 == 0 ? schema::VerdictKind::kMet
                                                              : schema::VerdictKind::kNotMet;
  }

  static std::optional<double> ValueOf(const Evaluation& result, const std::string& key) {
    return std::get<Metric>(result.table.Find(key)->metrics).value;
  }
  static std::optional<double> ValueOf(const Evaluation& result, const std::string& key, int size) {
    return std::get<MetricsByGroup>(result.table.Find(key)->metrics).at(size).value;
  }

  std::vector<data::Row> rows_;
  Models models_;
  EvalConfig config_;
};

TEST_F(EvaluateTest, GivesEveryQuestionItsRolloutsAndSyntheses) {
  std::vector<std::string> phases;
  const Evaluation result = ByLabels([&](const Progress& progress) {
    EXPECT_LE(progress.done, progress.total);
    if (phases.empty() || phases.back() != progress.phase) phases.emplace_back(progress.phase);
  });
  ASSERT_EQ(result.questions.size(), 6u);
  for (const Question& question : result.questions) {
    EXPECT_EQ(question.rollouts.size(), 4u);
    EXPECT_TRUE(question.greedy.has_value());
    EXPECT_EQ(question.estimates.at("synthesis").size(), 3u);
  }
  EXPECT_EQ(phases, (std::vector<std::string>{"rollouts", "greedy", "synthesis"}));
  EXPECT_EQ(result.table.counts.at("questions"), 6);
  EXPECT_DOUBLE_EQ(*ValueOf(result, "single"), 0);
}

TEST_F(EvaluateTest, RepeatsWithItsSeedAndNotWithAnother) {
  const std::string first = Records(ByLabels());
  EXPECT_EQ(first, Records(ByLabels()));
  config_.generation.seed = 12;
  EXPECT_NE(first, Records(ByLabels()));
}

TEST_F(EvaluateTest, AQuestionDoesNotDependOnTheOthers) {
  const std::string all = Records(ByLabels());
  rows_.resize(2);
  const std::string first_two = Records(ByLabels());
  EXPECT_EQ(all.substr(0, first_two.size()), first_two);
}

TEST_F(EvaluateTest, MetricsFollowFromWhatWasGenerated) {
  const Evaluation before = ByLabels();
  for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i].answers = {*before.questions[i].greedy};
  EXPECT_DOUBLE_EQ(*ValueOf(ByLabels(), "greedy"), 1);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto& synthesis = before.questions[i].estimates.at("synthesis").at(4);
    rows_[i].answers = {synthesis.ok() ? synthesis->reference.text : "none"};
  }
  const Evaluation after = ByLabels();
  EXPECT_DOUBLE_EQ(*ValueOf(after, "synthesis", 4), 1 - *ValueOf(after, "no_answer/synthesis", 4));
}

TEST_F(EvaluateTest, GroupsThatDoNotFitAreSynthesizedInStages) {
  config_.group_sizes = {4};
  config_.generation.synthesis.context = 6 + 2 + 2 * 7;  // two candidates of up to six symbols with their mark
  bool staged = false;
  for (const Question& question : ByLabels().questions) {
    const auto& synthesis = question.estimates.at("synthesis").at(4);
    staged = staged || (synthesis.ok() && synthesis->reference.stages > 1);
  }
  EXPECT_TRUE(staged);
}

TEST_F(EvaluateTest, APromptThatDoesNotFitCountsAsWrongByLabels) {
  for (int i = 0; i < 600; ++i) rows_[0].prompt.text += " a3";
  const Evaluation result = ByLabels();
  EXPECT_TRUE(result.questions[0].rollouts.empty());
  EXPECT_EQ(result.table.counts.at("questions"), 6);
  EXPECT_GE(*ValueOf(result, "no_answer/synthesis", 1), 1.0 / 6 - 1e-12);
  EXPECT_EQ(ToRecord(result.questions[0], result.compared)["groups"]["1"]["synthesis"]["failure"], "no group");
}

TEST_F(EvaluateTest, WithoutTheAnchorThereAreNoSyntheses) {
  config_.estimators = {estimators::EstimatorKind::kMajority};
  const Evaluation result = ByLabels();
  EXPECT_FALSE(result.questions[0].estimates.contains("synthesis"));
  EXPECT_EQ(result.table.Find("agreement"), nullptr);
  EXPECT_FALSE(ToJson(result.table).contains("synthesis"));
  EXPECT_TRUE(ToJson(result.table).contains("majority"));
}

TEST_F(EvaluateTest, EveryEstimatorIsComparedUnderItsName) {
  config_.estimators = base::AllValues<estimators::EstimatorKind>();
  config_.position_vote = true;
  const Evaluation result = ByLabels();
  const json::Json metrics = ToJson(result.table);
  const std::string table = ToText(result.table);
  for (const estimators::EstimatorKind kind : config_.estimators) {
    EXPECT_EQ(metrics.at(base::NameIn(kind)).size(), 3u) << base::NameIn(kind);
    EXPECT_NE(table.find(base::NameIn(kind)), std::string::npos) << table;
  }
  EXPECT_EQ(metrics.at("ground_truth").at("4"), 1.0);
  EXPECT_EQ(metrics.at("position_vote").size(), 3u);
  for (const Question& question : result.questions) {
    for (const char* kind : {"min_perplexity", "self_select", "mutual_predictability"}) {
      const auto& selected = question.estimates.at(kind).at(1);
      if (!selected.ok()) continue;
      EXPECT_EQ(selected->reference.text, question.rollouts[0]) << kind;
    }
  }
}

TEST_F(EvaluateTest, ASelectionIsRightWhereTheSelectedRolloutIs) {
  config_.estimators = {estimators::EstimatorKind::kMinPerplexity};
  const Evaluation before = ByLabels();
  double right = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto& selected = before.questions[i].estimates.at("min_perplexity").at(4);
    rows_[i].answers = {selected.ok() && i % 2 == 0 ? selected->reference.text : "none"};
    right += selected.ok() && i % 2 == 0;
  }
  ASSERT_GT(right, 0);
  EXPECT_DOUBLE_EQ(*ValueOf(ByLabels(), "min_perplexity", 4), right / 6);
}

TEST_F(EvaluateTest, AVocabularyWithoutTheChoicesIsRefusedBeforeTheWork) {
  config_.estimators = {estimators::EstimatorKind::kSelfSelect};
  config_.generation.selection.self_select.choices.clear();
  EXPECT_THROW(ByLabels([](const Progress&) { FAIL(); }), base::Error);
}

TEST_F(EvaluateTest, RefusesWhatItCannotEvaluate) {
  const auto rows = std::exchange(rows_, {});
  EXPECT_THROW(ByLabels(), base::Error);
  rows_ = rows;
  rows_[3].prompt.text = "unheard";
  try {
    ByLabels();
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("row3"), std::string::npos) << error.message();
  }
  rows_[3].answers.clear();
  EXPECT_THROW(ByLabels(), base::Error);
  config_.group_sizes = {0};
  rows_.resize(1);
  EXPECT_THROW(ByLabels(), base::Error);
}

TEST_F(EvaluateTest, RecordsAreOneLinePerQuestion) {
  const auto file = std::filesystem::path(testing::TempDir()) / ("records_" + std::to_string(getpid()) + ".jsonl");
  WriteRecords(ByLabels(), file);
  std::ifstream stream(file);
  int lines = 0;
  for (std::string line; std::getline(stream, line); ++lines) {
    EXPECT_EQ(json::Parse(line, "records")["id"], "row" + std::to_string(lines));
  }
  EXPECT_EQ(lines, 6);
  std::filesystem::remove(file);
  EXPECT_THROW(WriteRecords({}, "/no/such/folder/records.jsonl"), base::Error);
}

TEST_F(EvaluateTest, AJudgeScoresEveryTextOnce) {
  config_.estimators = {estimators::EstimatorKind::kSynthesis, estimators::EstimatorKind::kMinPerplexity};
  rows_[1].answers.clear();
  const Evaluation result = Evaluate(rows_, models_, config_, ScoringByJudge(Judge, false));
  double single = 0;
  for (const Question& question : result.questions) {
    std::size_t verdicts = 0;
    question.ForEachScore([&](const Score& score) { verdicts += score.verdicts.size(); });
    std::size_t syntheses = 0;
    for (const auto& [size, made] : question.estimates.at("synthesis")) syntheses += made.ok();
    EXPECT_EQ(verdicts, 4 + 1 + syntheses);
    for (const std::string& text : question.rollouts) single += IsMet(text) == schema::VerdictKind::kMet ? 0.25 : 0;
    // A selection has the score of the rollout that it is.
    const auto& selected = question.estimates.at("min_perplexity").at(4);
    if (!selected.ok()) continue;
    EXPECT_EQ(question.ScoreOf("min_perplexity", 4)->right(),
              IsMet(selected->reference.text) == schema::VerdictKind::kMet);
  }
  EXPECT_NEAR(*ValueOf(result, "single"), single / 6, 1e-12);
  EXPECT_EQ(result.questions[0].target_source, TargetSource::kLabel);
  EXPECT_EQ(result.questions[1].target_source, TargetSource::kSelfMade);
  EXPECT_EQ(result.table.counts.at("target_sources").at("self_made"), 1);
  EXPECT_EQ(result.table.Find("majority"), nullptr);
}

TEST_F(EvaluateTest, RowsWithoutARubricAreLeftOutWhereOthersHaveOne) {
  rows_[2].prompt.columns = R"({"rubrics": [{"criterion": "is even", "points": 2}, {"criterion": "x", "points": 1}]})";
  const Evaluation result = Evaluate(rows_, models_, config_, ScoringByJudge(Judge, true));
  ASSERT_EQ(result.questions.size(), 1u);
  EXPECT_EQ(result.questions[0].id, "row2");
  EXPECT_EQ(result.questions[0].target_source, TargetSource::kOwnRubric);
  EXPECT_EQ(result.table.counts.at("left_out"), 5);
  EXPECT_EQ(ToRecord(result.questions[0], result.compared)["rubric_points"], json::Json({2.0, 1.0}));
}

TEST_F(EvaluateTest, ByAJudgeWhatCouldNotBeSampledIsLeftOut) {
  for (int i = 0; i < 600; ++i) rows_[0].prompt.text += " a3";
  const Evaluation result = Evaluate(rows_, models_, config_, ScoringByJudge(Judge, false));
  double single = 0;
  for (const Question& question : result.questions) {
    for (const std::string& text : question.rollouts) single += IsMet(text) == schema::VerdictKind::kMet ? 0.25 : 0;
  }
  EXPECT_NEAR(*ValueOf(result, "single"), single / 5, 1e-12);
}

TEST_F(EvaluateTest, ProgramsAreScoredByTheTestsOfTheirRow) {
  int runs = 0;
  Scoring scoring{
      std::make_shared<TestScorer>([&](const schema::Tests& tests, const std::vector<std::string>& programs) {
        EXPECT_EQ(tests.code, "a1 a2");
        ++runs;
        return std::vector<ProgramRun>(programs.size(), {true, "passed", ""});
      }),
      [](const data::Row& row) -> std::optional<schema::Target> {
        return schema::Tests{.code = row.answers.front(), .entry_point = {}, .prompt = {}};
      }};
  const Evaluation result = Evaluate(rows_, models_, config_, scoring);
  EXPECT_EQ(runs, 6);
  EXPECT_EQ(ValueOf(result, "single"), 1.0);
  EXPECT_EQ(result.questions[0].target_source, TargetSource::kLabel);
  EXPECT_EQ(ToJson(result.table)["invalid_verdicts"], 0.0);
}

class SynthesizeTest : public EvaluateTest {
 protected:
  std::vector<SynthesizedRow> Run(estimators::EstimatorKind kind, const OnProgress& on_progress = {}) {
    SynthesizeConfig config{.generation = Made(5), .estimator = kind, .num_generations = 3, .scorer = scorer_};
    if (same_) config.generation.comparison.same = same_;
    config.generation.truth = truth_;
    std::vector<SynthesizedRow> rows;
    SynthesizeRows(
        rows_, models_, config, [&](const SynthesizedRow& row) { rows.push_back(row); }, on_progress);
    return rows;
  }

  std::shared_ptr<const Scorer> scorer_;
  estimators::SameAnswer same_;
  std::function<schema::Supervision(const data::Row&)> truth_ = [](const data::Row& row) {
    return schema::Labels{row.answers};
  };
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
        const auto equal =
            std::count(rows[i].completions.begin(), rows[i].completions.end(), rows[i].reference->reference.text);
        EXPECT_DOUBLE_EQ(record.at("agreement").get<double>(), static_cast<double>(equal) / 3);
      }
    }
  }
  EXPECT_EQ(Run(estimators::EstimatorKind::kGroundTruth)[2].reference->reference.text, "a1 a2");
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
      EXPECT_GE(progress.done, done) << base::NameIn(kind);
      done = progress.done;
    });
    EXPECT_EQ(done, 60) << base::NameIn(kind);
  }
}

TEST_F(SynthesizeTest, LabelsReachGroundTruthOnly) {
  const auto before = Run(estimators::EstimatorKind::kSynthesis);
  for (data::Row& row : rows_) row.answers = {"a9"};
  const auto after = Run(estimators::EstimatorKind::kSynthesis);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(ToRecord(before[i]), ToRecord(after[i]));
}

TEST_F(SynthesizeTest, CompletionsAreScoredAgainstTheirReference) {
  scorer_ = std::make_shared<JudgeScorer>(Judge);
  const auto rows = Run(estimators::EstimatorKind::kMajority);
  for (const SynthesizedRow& row : rows) {
    const json::Json record = ToRecord(row);
    ASSERT_EQ(record.at("rewards").size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
      const bool met = IsMet(row.completions[i]) == schema::VerdictKind::kMet;
      EXPECT_EQ(record["rewards"][i], met ? 1.0 : 0.0);
      EXPECT_EQ(record["verdicts"][i]["verdict"], met ? "met" : "not_met");
      EXPECT_EQ(record["verdicts"][i]["rollout"], i);
    }
  }
  scorer_ = nullptr;
  EXPECT_FALSE(ToRecord(Run(estimators::EstimatorKind::kMajority)[0]).contains("rewards"));
}

// Answers are the same where an outside program says so, as in training.
TEST_F(SynthesizeTest, AnOutsideProgramCountsTheVotes) {
  same_ = [](const std::string&, const std::string&) -> base::Outcome<bool> { return true; };
  for (const SynthesizedRow& row : Run(estimators::EstimatorKind::kMajority)) {
    EXPECT_EQ(row.reference->reference.text, row.completions[0]);
    EXPECT_EQ(row.agreement, 1.0);
  }
}

TEST_F(SynthesizeTest, AnAgreementThatIsNotKnownIsNoZero) {
  same_ = [](const std::string&, const std::string&) -> base::Outcome<bool> {
    return base::Failure{base::ErrorKind::kRetryLater, "the program is gone"};
  };
  for (const SynthesizedRow& row : Run(estimators::EstimatorKind::kGroundTruth)) {
    EXPECT_FALSE(row.agreement.has_value());
    EXPECT_TRUE(ToRecord(row).at("agreement").is_null());
  }
}

TEST_F(SynthesizeTest, ARubricAdmitsNoAnswerToAgreeWith) {
  truth_ = [](const data::Row&) { return schema::Rubric{{{"is short", 1}}}; };
  for (const SynthesizedRow& row : Run(estimators::EstimatorKind::kGroundTruth)) {
    const json::Json record = ToRecord(row);
    EXPECT_EQ(record.at("rubric"), json::Json({"is short"}));
    EXPECT_TRUE(record.at("agreement").is_null());
  }
}

TEST_F(SynthesizeTest, TheTruthOfARowIsWhatItsKindOfAnswerSays) {
  truth_ = [](const data::Row& row) {
    return schema::Tests{.code = "assert " + row.prompt.id, .entry_point = {}, .prompt = {}};
  };
  const auto rows = Run(estimators::EstimatorKind::kGroundTruth);
  EXPECT_EQ(rows[1].reference->reference.text, "assert row1");
  EXPECT_TRUE(std::holds_alternative<schema::Tests>(rows[1].reference->target));
}

}  // namespace
}  // namespace autodidact::evaluation
