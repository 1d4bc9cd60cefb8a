#include "estimators/rubric.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/rng.h"

namespace autodidact::estimators {
namespace {

RubricConfig Config(RubricFormat format, std::size_t least = 2) {
  RubricConfig config;
  config.format = format;
  config.min_criteria = least;
  config.max_criteria = 4;
  return config;
}

// The criteria joined by "/", or "!" and the reason.
std::string Parsed(const RubricConfig& config, const std::string& written) {
  const auto criteria = ParseRubric(config, written, config.min_criteria);
  if (!criteria.ok()) return "! " + criteria.failure().reason;
  std::string joined;
  for (const schema::Criterion& criterion : *criteria) joined += (joined.empty() ? "" : "/") + criterion.text;
  return joined;
}

TEST(RubricTest, ReadsAListOfStrings) {
  const RubricConfig config = Config(RubricFormat::kJson);
  EXPECT_EQ(Parsed(config, R"(["says a", " says b "])"), "says a/says b");
  EXPECT_EQ(Parsed(config, "\n```json\n[\"a\", \"b\"]\n```\n"), "a/b");
  EXPECT_EQ(Parsed(config, "```\n[\"a\", \"b\"]```"), "a/b");
}

TEST(RubricTest, PassesOverThoughtsSentencesAndFencesAroundTheList) {
  const RubricConfig config = Config(RubricFormat::kJson);
  for (const char* written : {"Here it is: [\"a\", \"b\"]", "[\"a\", \"b\"] Done.", "```json\n[\"a\", \"b\"]",
                              "```python\n[\"a\", \"b\"]\n```", "<think>[\"x\"] will not do</think>\n[\"a\", \"b\"]",
                              "{\"criteria\": [\"a\", \"b\"]}", "As agreed:\n~~~\n[\"a\", \"b\"]\n~~~\nThat is all."}) {
    EXPECT_EQ(Parsed(config, written), "a/b") << written;
  }
  EXPECT_EQ(Parsed(Config(RubricFormat::kLines), "<think>- x\n- y</think>\n```text\n- a\n- b\n```"), "a/b");
}

TEST(RubricTest, RefusesTwoListsThatDifferAndThoughtsWithoutAnEnd) {
  const RubricConfig config = Config(RubricFormat::kJson);
  EXPECT_TRUE(Parsed(config, "[\"a\", \"b\"] or rather [\"a\", \"c\"]").starts_with("!"));
  EXPECT_EQ(Parsed(config, "<think>[\"a\", \"b\"]"), "! nothing was written behind the thoughts");
}

TEST(RubricTest, RefusesWhatIsNotExactlyAListOfStrings) {
  const RubricConfig config = Config(RubricFormat::kJson);
  for (const char* written :
       {"", "[]", "{}", "null", "[\"a\", 2]", "[\"a\", \"\"]", "[\"a\", \"b\"", "[[\"a\", \"b\"]]", "- a\n- b",
        "[\"a\", \"b\",]", "{\"a\": [\"x\", \"y\"], \"b\": 1}", "```", "``````", "```json```"}) {
    EXPECT_TRUE(Parsed(config, written).starts_with("!")) << written;
  }
}

TEST(RubricTest, ReadsLinesBehindOneKindOfMarker) {
  const RubricConfig config = Config(RubricFormat::kLines);
  EXPECT_EQ(Parsed(config, "- a\n- b\n\n- c"), "a/b/c");
  EXPECT_EQ(Parsed(config, "* a\r\n* b"), "a/b");
  EXPECT_EQ(Parsed(config, "1. a\n2. b\n3. 4. c"), "a/b/4. c");
  EXPECT_EQ(Parsed(config, "1) a\n2) b"), "a/b");
}

TEST(RubricTest, RefusesLinesWithoutAMarkerMixedOnesAndWrongNumbers) {
  const RubricConfig config = Config(RubricFormat::kLines);
  for (const char* written : {"a\nb", "Criteria:\n- a\n- b", "- a\n* b", "- a\n2. b", "1. a\n3. b", "2. a\n3. b",
                              "-a\n-b", "1.a\n2.b", "- a\n- ", "99999999999999999999999. a\n2. b", "1.", "-"}) {
    EXPECT_TRUE(Parsed(config, written).starts_with("!")) << written;
  }
}

TEST(RubricTest, ReadsCriteriaBetweenSeparators) {
  const RubricConfig config = Config(RubricFormat::kSeparated);
  EXPECT_EQ(Parsed(config, "| says a | says b"), "says a/says b");
  EXPECT_EQ(Parsed(config, "says a | says b"), "says a/says b");
  for (const char* written : {"|", "| a", "| a | ", "| a | | b", "|| a | b"}) {
    EXPECT_TRUE(Parsed(config, written).starts_with("!")) << written;
  }
}

TEST(RubricTest, DropsDuplicatesThenWhatIsTooMuch) {
  const RubricConfig config = Config(RubricFormat::kSeparated);
  EXPECT_EQ(Parsed(config, "says  A. | says a | SAYS A | b"), "says  A./b");
  EXPECT_EQ(Parsed(config, "a | b | c | a | d | e | f"), "a/b/c/d");
  EXPECT_EQ(Parsed(config, "a | A | a."), "! 1 different criteria, expected at least 2");
}

TEST(RubricTest, RefusesACriterionThatIsAWholeText) {
  const RubricConfig config = Config(RubricFormat::kSeparated);
  std::string text(kMaxCriterionBytes + 1, 'x');
  text.append(" | b");
  EXPECT_TRUE(Parsed(config, text).starts_with("!"));
}

TEST(RubricTest, ShortReferencesNeedFewerCriteriaWhereTheConfigSaysSo) {
  RubricConfig config;
  EXPECT_EQ(NeededCriteria(config, "one two"), 5u);
  config.words_per_criterion = 4;
  EXPECT_EQ(NeededCriteria(config, ""), 1u);
  EXPECT_EQ(NeededCriteria(config, "one two three"), 1u);
  EXPECT_EQ(NeededCriteria(config, " 1 2 3\t4\n5 6 7 8 "), 2u);
  EXPECT_EQ(NeededCriteria(config, std::string(200, 'w')), 1u);
  std::string longer;
  for (int i = 0; i < 100; ++i) longer += "w ";
  EXPECT_EQ(NeededCriteria(config, longer), 5u);
}

TEST(RubricTest, RefusesAConfigThatCannotWork) {
  RubricConfig config;
  EXPECT_NO_THROW(Validate(config));
  config.instruction = "write a rubric";
  EXPECT_THROW(Validate(config), base::Error);
  config = Config(RubricFormat::kSeparated);
  config.separator = " ";
  EXPECT_THROW(Validate(config), base::Error);
  config = {};
  config.max_criteria = 4;
  EXPECT_THROW(Validate(config), base::Error);
}

// What a model writes is bytes from outside: whatever they are, the outcome is criteria within the limits or a reason.
TEST(RubricTest, SurvivesRandomText) {
  const std::string alphabet = "[]{}\"\\,:`-*|.)0123456789 \n\t\rabjson\x80\xff\xc3";
  base::RandomWalk walk({.seed = 5});
  std::int64_t accepted = 0;
  for (int round = 0; round < 30'000; ++round) {
    const auto format = static_cast<RubricFormat>(round % 3);
    const RubricConfig config = Config(format, 1);
    std::string written = format == RubricFormat::kJson ? "[\"a\", \"b\"]" : "- a\n- b";
    for (std::uint64_t i = walk.Below(12); i > 0; --i) {
      written.insert(walk.Below(written.size() + 1), 1, alphabet[walk.Below(alphabet.size())]);
      if (walk.Below(2) == 0) written.erase(walk.Below(written.size()), 1);
    }
    const auto criteria = ParseRubric(config, written, config.min_criteria);
    if (!criteria.ok()) continue;
    ++accepted;
    ASSERT_GE(criteria->size(), config.min_criteria);
    ASSERT_LE(criteria->size(), config.max_criteria);
    for (const schema::Criterion& criterion : *criteria) ASSERT_FALSE(criterion.text.empty());
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace autodidact::estimators
