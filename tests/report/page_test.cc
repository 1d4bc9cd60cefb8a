#include "report/page.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <regex>

#include "base/error.h"
#include "report/html.h"
#include "tests/report/sample_run.h"

namespace autodidact::report {
namespace {

namespace fs = std::filesystem;

class PageTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("report_" + std::to_string(getpid()) + "_" +
                                              testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    WriteSampleRun(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string MakePage() { return Page(ReadRun(folder_)); }

  fs::path folder_;
};

TEST(EscapeTest, MarkupAndControlCharactersAreText) {
  EXPECT_EQ(Escape("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  EXPECT_EQ(Escape(std::string("a\0b\x1e\n\tc", 7)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\n\tc");
  EXPECT_EQ(Escape("héé"), "héé");
}

TEST_F(PageTest, HasEveryPartOfTheRun) {
  const std::string page = MakePage();
  for (const char* part : {"Reward",
                           "Held-out rows",
                           "KL to the initial policy",
                           "Entropy",
                           "Completion length",
                           "Gradient norm",
                           "Step time",
                           "Similarity of answers (collapse)",
                           "collapse alarm",
                           "Estimators",
                           "mutual_predictability",
                           "dropped: groups that no actor returned",
                           "groups without a reference",
                           "Step 1: 2 groups",
                           "Step 6: 2 groups",
                           "Step 12: 2 groups",
                           "advantage",
                           "says that the food is French",
                           "not_met",
                           "learning_rate: 1e-4",
                           "All metrics"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(page, MakePage());
}

std::string Alarm(const std::string& page) {
  const std::size_t at = page.find("<div class=\"alarm\"");
  return at == std::string::npos ? "" : page.substr(at, page.find("</div>", at) - at);
}

TEST_F(PageTest, AGoodRunHasNoRedBox) {
  json::WriteFile(folder_ / "outcome.json", R"({"end": "finished", "message": ""})");
  EXPECT_EQ(Alarm(MakePage()), "");
}

TEST_F(PageTest, ARunThatTaughtNothingHasARedBoxThatSaysWhy) {
  std::string lines;
  for (int step = 1; step <= 3; ++step) {
    lines += json::Dump({{"step", step},
                         {"groups/with_spread", 0},
                         {"groups/no_reference", 5},
                         {"groups/all_wrong", 2},
                         {"collapse_alarm", step == 3 ? 1 : 0}}) +
             "\n";
  }
  json::WriteFile(folder_ / "metrics.jsonl", lines);
  json::WriteFile(folder_ / "outcome.json",
                  R"({"end": "empty", "message": "21 of 21 groups <b>; answer.extractor: name another"})");
  const std::string box = Alarm(MakePage());
  for (const char* part :
       {"The run was ended: 21 of 21 groups &lt;b&gt;; answer.extractor", "Nothing was learned: in 3 steps",
        "15 have no reference, 6 have no reward above 0", "Most groups failed, 15 of 21", "fired at step 3"}) {
    EXPECT_NE(box.find(part), std::string::npos) << part << "\n" << box;
  }
  EXPECT_LT(MakePage().find("class=\"alarm\""), MakePage().find("class=\"tiles\""));
}

TEST_F(PageTest, ARunThatFailedSaysSoAndABrokenOutcomeIsANotice) {
  json::WriteFile(folder_ / "outcome.json", R"({"end": "failed", "message": "no step within 600 s"})");
  EXPECT_NE(Alarm(MakePage()).find("The run failed: no step within 600 s"), std::string::npos);
  json::WriteFile(folder_ / "outcome.json", R"({"end": )");
  EXPECT_EQ(Alarm(MakePage()), "");
  EXPECT_EQ(ReadRun(folder_).notices.size(), 1u);
}

TEST_F(PageTest, ARunWithNothingLeftToLearnIsNoticedWithoutARedBox) {
  json::WriteFile(folder_ / "outcome.json", R"({"end": "nothing_left", "message": "every reward is 1"})");
  const std::string page = MakePage();
  EXPECT_EQ(Alarm(page), "");
  EXPECT_NE(page.find("every reward is 1"), std::string::npos);
}

// Every "<…>" of the page.
std::vector<std::string> TagsOf(const std::string& page) {
  std::vector<std::string> tags;
  for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    tags.push_back(page.substr(at, page.find('>', at) - at + 1));
  }
  return tags;
}

TEST_F(PageTest, RefersToNothingOutsideAndRunsNothing) {
  const std::string page = MakePage();
  const std::regex element("<(script|link|img|iframe|object|embed|base|a)\\b");
  const std::regex attribute(" (src|href|srcset|action|data|on[a-z]+)=");
  for (const std::string& tag : TagsOf(page)) {
    EXPECT_FALSE(std::regex_search(tag, element)) << tag;
    EXPECT_FALSE(std::regex_search(tag, attribute)) << tag;
  }
  EXPECT_EQ(page.find("url("), std::string::npos);
  EXPECT_EQ(page.find("@import"), std::string::npos);
}

// Prompt, answers, reference, rubric, verdict's reason, id and failure of the sample all hold markup.
TEST_F(PageTest, WhatTheModelWroteIsTextWhateverItHolds) {
  const std::string page = MakePage();
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(1)&lt;/script&gt;"), std::string::npos);
  EXPECT_NE(page.find("&lt;/pre&gt;&lt;/details&gt;"), std::string::npos);
  const auto count = [&](const std::string& what) {
    std::size_t n = 0;
    for (std::size_t at = page.find(what); at != std::string::npos; at = page.find(what, at + 1)) ++n;
    return n;
  };
  for (const std::string tag : {"details", "pre", "section", "figure", "svg", "table", "div"}) {
    EXPECT_EQ(count("<" + tag + ">") + count("<" + tag + " "), count("</" + tag + ">")) << tag;
  }
}

TEST_F(PageTest, ALastLineThatIsNotWholeIsLeftOutWithANotice) {
  std::string bytes = json::ReadFile(folder_ / "metrics.jsonl");
  json::WriteFile(folder_ / "metrics.jsonl", bytes + R"({"step": 13, "rew)");
  const auto run = ReadRun(folder_);
  EXPECT_EQ(run.num_steps, 12);
  ASSERT_EQ(run.notices.size(), 1u);
  EXPECT_NE(run.notices[0].find("line 13"), std::string::npos) << run.notices[0];
  EXPECT_NE(Page(run).find("is not whole"), std::string::npos);
}

TEST_F(PageTest, ABrokenLineInTheMiddleIsAnErrorThatNamesIt) {
  const std::string bytes = json::ReadFile(folder_ / "metrics.jsonl");
  json::WriteFile(folder_ / "metrics.jsonl", "{\"step\": 0, \"rew\n" + bytes);
  try {
    ReadRun(folder_);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
    EXPECT_NE(error.message().find("metrics.jsonl:1"), std::string::npos) << error.message();
  }
}

TEST_F(PageTest, ARunThatHasOnlyBegunHasAPage) {
  fs::remove_all(folder_);
  fs::create_directories(folder_);
  EXPECT_THROW(ReadRun(folder_), base::Error);
  json::WriteFile(folder_ / "metrics.jsonl", "");
  const auto run = ReadRun(folder_);
  EXPECT_EQ(run.notices.size(), 3u);  // no step, no rollouts, no config
  EXPECT_NE(Page(run).find("</html>"), std::string::npos);
}

TEST_F(PageTest, ARunWithoutLabelsHasNoAccuracy) {
  json::WriteFile(folder_ / "metrics.jsonl", "{\"step\": 1, \"reward\": 0.5, \"kl\": null}\n");
  fs::remove(folder_ / "eval.json");
  const std::string page = MakePage();
  EXPECT_EQ(page.find("Accuracy on"), std::string::npos);
  EXPECT_EQ(page.find("Held-out rows"), std::string::npos);
  EXPECT_EQ(page.find("<h2>Estimators"), std::string::npos);
  EXPECT_NE(page.find("Reward"), std::string::npos);
}

TEST_F(PageTest, RolloutsThatCannotBeReadAreANotice) {
  json::WriteFile(folder_ / "rollouts/step_000012.jsonl", "{\"step\": 12");
  const auto run = ReadRun(folder_);
  EXPECT_EQ(run.rollouts.size(), 2u);
  EXPECT_EQ(run.notices.size(), 1u);
}

TEST_F(PageTest, LinesOfRolloutsOfAnyShapeDoNotStopThePage) {
  json::WriteFile(folder_ / "rollouts/step_000012.jsonl",
                  R"({"step": 12, "prompt": 5, "completions": ["a"], "rewards": "none", "verdicts": [1], "rubric": {}})"
                  "\n");
  EXPECT_NE(MakePage().find("Step 12: 1 groups"), std::string::npos);
}

}  // namespace
}  // namespace autodidact::report
