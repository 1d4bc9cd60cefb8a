#include "report/plot.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace autodidact::report {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::size_t Count(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

Plot PlotOf(std::vector<double> values) {
  Series series;
  for (std::size_t i = 0; i < values.size(); ++i) series.steps.push_back(static_cast<double>(i + 1));
  series.values = std::move(values);
  return {.title = "Reward", .unit = "mean", .lines = {{"reward", series}}, .band = {}, .mark = {}};
}

TEST(TicksTest, AreRoundAndEncloseTheRange) {
  EXPECT_EQ(Ticks(0, 1, 6), (std::vector<double>{0, 0.2, 0.4, 0.6000000000000001, 0.8, 1}));
  EXPECT_EQ(Ticks(1, 9, 6), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  for (const auto& [low, high] : {std::pair(0.0, 1e-7), {-3.0, 1234.5}, {0.97, 0.971}, {1e6, 3e6}, {-2.0, -1.0}}) {
    const auto ticks = Ticks(low, high, 6);
    ASSERT_GE(ticks.size(), 2u);
    EXPECT_LE(ticks.size(), 6u);
    EXPECT_LE(ticks.front(), low + 1e-9 * std::abs(low));
    EXPECT_GE(ticks.back(), high - 1e-9 * std::abs(high));
  }
}

TEST(DrawTest, ALineHasItsAxesUnitsAndHoverTitles) {
  const std::string svg = Draw(PlotOf({0.1, 0.4, 0.9}));
  EXPECT_EQ(Count(svg, "<polyline"), 1u);
  EXPECT_EQ(Count(svg, "<title>"), 3u);
  EXPECT_NE(svg.find("<title>step 2\nreward: 0.4</title>"), std::string::npos) << svg;
  EXPECT_NE(svg.find(">mean</text>"), std::string::npos);
  EXPECT_NE(svg.find(">step</text>"), std::string::npos);
  EXPECT_NE(svg.find(">0.2</text>"), std::string::npos) << "a tick of the vertical axis";
}

TEST(DrawTest, AGapIsNotDrawnOver) {
  EXPECT_EQ(Count(Draw(PlotOf({1, 2, kNaN, 3, 4})), "<polyline"), 2u);
}

TEST(DrawTest, NothingFiniteIsNothingDrawn) {
  EXPECT_EQ(Draw(PlotOf({})), "");
  EXPECT_EQ(Draw(PlotOf({kNaN})), "");
}

TEST(DrawTest, OneStepAndAConstantStayInTheDrawing) {
  for (const auto& values : {std::vector<double>{0.5}, {0, 0, 0}, {-1, -1}, {1e-7, 1e-7}}) {
    const std::string svg = Draw(PlotOf(values));
    EXPECT_EQ(svg.find("nan"), std::string::npos) << svg;
    EXPECT_EQ(svg.find("inf"), std::string::npos) << svg;
    EXPECT_EQ(Count(svg, "<circle"), values.size());
  }
}

TEST(DrawTest, ALongRunIsThinnedButKeepsItsExtremes) {
  std::vector<double> values(5000, 1.0);
  values[2500] = 100;
  const std::string svg = Draw(PlotOf(values));
  EXPECT_LT(svg.size(), 40'000u);
  EXPECT_EQ(Count(svg, "<circle"), 0u);
  EXPECT_NE(svg.find(",24.0 "), std::string::npos) << "the peak touches the top";
}

TEST(DrawTest, NamesAreText) {
  Plot plot = PlotOf({1, 2});
  plot.title = "<b>";
  plot.unit = "a&b";
  plot.lines[0].name = "</svg><script>";
  const std::string svg = Draw(plot);
  EXPECT_EQ(svg.find("<b>Reward"), std::string::npos);
  EXPECT_EQ(svg.find("<script>"), std::string::npos);
  EXPECT_NE(svg.find("a&amp;b"), std::string::npos);
}

}  // namespace
}  // namespace autodidact::report
