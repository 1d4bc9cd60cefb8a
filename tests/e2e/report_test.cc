// The page of a run, looked at in a browser: light and dark, as wide as a phone and as a screen.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <regex>

#include "tests/e2e/tool.h"
#include "tests/report/sample_run.h"

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;

// Tells its frame how wide the page is and how wide its contents are, everything folded out, and what overflows.
constexpr const char* kMeasure = R"(<script>
addEventListener("load", () => {
  document.querySelectorAll("details").forEach(d => d.open = true);
  const page = document.documentElement, wide = page.clientWidth;
  const scrolls = e => { for (; e; e = e.parentElement) if (getComputedStyle(e).overflowX == "auto") return true; };
  const over = [...document.querySelectorAll("main *")].filter(
      e => e.getBoundingClientRect().right > wide + 0.5 && !scrolls(e.parentElement) && !e.closest("svg"));
  const marked = document.querySelectorAll("main img, main script").length;
  parent.postMessage(`measured ${wide} ${page.scrollWidth} ${over.length} ${marked} ` +
      getComputedStyle(document.body).backgroundColor + " " + over.slice(0, 3).map(e => e.outerHTML.slice(0, 80)), "*");
});
</script></body>)";

// A browser's window has a least width, a frame has not. The frame's words become the title.
std::string Frame(int width) {
  return "<!DOCTYPE html><title></title><script>addEventListener('message', e => document.title = e.data)</script>"
         "<iframe src=\"measured.html\" style=\"border:0;height:1600px;width:" +
         std::to_string(width) + "px\"></iframe>";
}

std::string Chromium() {
  for (const char* name : {"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"}) {
    if (fs::exists(name)) return name;
  }
  return {};
}

struct Look {
  int width = 0;
  bool dark = false;

  std::string name() const { return std::to_string(width) + (dark ? "-dark" : "-light"); }
};

// Its standard output. Without a sandbox, since tests run as root too; it opens files of the test alone.
std::string RunChromium(const fs::path& folder, const Look& look, std::vector<std::string> more) {
  std::vector<std::string> argv = {Chromium(),
                                   "--headless",
                                   "--no-sandbox",
                                   "--disable-gpu",
                                   "--disable-dev-shm-usage",
                                   "--hide-scrollbars",
                                   "--no-first-run",
                                   "--user-data-dir=" + (folder / ("profile-" + look.name())).string(),
                                   "--window-size=" + std::to_string(look.width) + ",1600",
                                   std::string("--blink-settings=preferredColorScheme=") + (look.dark ? "0" : "1")};
  argv.insert(argv.end(), more.begin(), more.end());
  process::Child child(ToolOptions(argv, folder));
  const auto status = child.Wait(base::Deadline::In(std::chrono::minutes(2)));
  EXPECT_TRUE(status && status->ok()) << child.errors();
  return child.output();
}

// The sides of a PNG image; zeros for bytes that are none.
std::pair<std::uint32_t, std::uint32_t> PngSize(const std::string& bytes) {
  if (bytes.size() < 24 || bytes.substr(0, 8) != "\x89PNG\r\n\x1a\n") return {0, 0};
  const auto number = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
  };
  return {number(16), number(20)};
}

TEST(ReportTest, APageOfARunInABrowserFitsEveryWidthInLightAndDark) {
  if (Chromium().empty()) GTEST_SKIP() << "chromium is not on this machine (.ci/packages.txt names it)";
  const fs::path folder = TestFolder();
  report::WriteSampleRun(folder / "run", 60);
  const auto made = RunTool({"report", (folder / "run").string()});
  ASSERT_TRUE(made.status.ok()) << made.err;
  std::string page = json::ReadFile(folder / "run/report.html");
  page.replace(page.rfind("</body>"), 7, kMeasure);
  json::WriteFile(folder / "measured.html", page);

  std::map<bool, std::string> background;
  for (const Look& look : {Look{390, false}, Look{390, true}, Look{1280, false}, Look{1280, true}}) {
    json::WriteFile(folder / "frame.html", Frame(look.width));
    const std::string dom =
        RunChromium(folder, look, {"--virtual-time-budget=10000", "--dump-dom", (folder / "frame.html").string()});
    std::smatch found;
    ASSERT_TRUE(
        std::regex_search(dom, found, std::regex("measured (\\d+) (\\d+) (\\d+) (\\d+) (rgb\\([^)]*\\)) ([^<]*)")))
        << dom.substr(0, 400);
    EXPECT_EQ(std::stoi(found[1]), look.width);
    EXPECT_LE(std::stoi(found[2]), look.width) << look.name() << " scrolls sideways: " << found[6];
    EXPECT_EQ(found[3], "0") << look.name() << " overflows: " << found[6];
    EXPECT_EQ(found[4], "0") << "markup of a rollout became part of the page";
    background[look.dark] = found[5];

    const fs::path image = folder / (look.name() + ".png");
    // On a busy machine a headless Chromium ends well and without an image now and then.
    for (int attempt = 0; attempt < 3 && !fs::exists(image); ++attempt) {
      RunChromium(folder, look, {"--screenshot=" + image.string(), (folder / "run/report.html").string()});
    }
    const std::string bytes = json::ReadFile(image);
    EXPECT_EQ(PngSize(bytes), (std::pair<std::uint32_t, std::uint32_t>(look.width, 1600)));
    EXPECT_GT(bytes.size(), 40'000u) << look.name() << ": an empty page compresses to a few thousand bytes";
  }
  EXPECT_NE(background[false], background[true]);
}

TEST(ReportTest, ARunThatWasTrainedAndEvaluatedHasItsPageAndItsEvents) {
  const fs::path runs = TestFolder();
  ASSERT_TRUE(RunTool({"train", "train.yaml", "--set", "folder=" + runs.string(), "--set", "name=run", "--set",
                       "estimator=majority", "--set", "eval={data: data/dev.jsonl, steps: 2, limit: 10}"},
                      BaseFolder())
                  .status.ok());
  const fs::path run = runs / "run";
  const auto evaluated = RunTool(
      {"eval", "train.yaml", "--data", "data/dev.jsonl", "--limit", "10", "--json", (run / "eval.json").string(),
       "--estimators", "synthesis,majority,min_perplexity,mutual_predictability,ground_truth", "--set",
       "eval.group_sizes=[1, 4]"},
      BaseFolder());
  ASSERT_TRUE(evaluated.status.ok()) << evaluated.err;
  for (const char* line : {"mutual_predictability", "min_perplexity", "ground_truth", "agreement", "right while all"}) {
    EXPECT_NE(evaluated.out.find(line), std::string::npos) << evaluated.out;
  }
  const auto made = RunTool({"report", run.string(), "--out", (runs / "page.html").string()});
  ASSERT_TRUE(made.status.ok()) << made.err;
  const std::string page = json::ReadFile(runs / "page.html");
  for (const char* part : {"Held-out rows", "Step 4: 6 groups", "mutual_predictability", "max_steps: 4"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  }
  // Flat, as docs/pandas.md reads it.
  for (const json::Json& line : ReadLines(run / "metrics.jsonl")) {
    for (const auto& [name, value] : line.items()) EXPECT_TRUE(value.is_number() || value.is_null()) << name;
  }
  for (const json::Json& group : ReadLines(run / "rollouts/step_000004.jsonl")) {
    for (const char* list : {"completions", "num_tokens", "rewards", "stop_reasons", "reward_failures"}) {
      EXPECT_EQ(group.at(list).size(), 4u) << list;
    }
    EXPECT_TRUE(group.at("advantages").empty() || group.at("advantages").size() == 4u);
  }
  EXPECT_TRUE(fs::exists(run / "events.out.tfevents.0000000000.autodidact"));
  const auto none = RunTool({"report", (runs / "no-run").string()});
  EXPECT_EQ(none.status.code, 2) << none.err;
}

}  // namespace
}  // namespace autodidact::e2e
