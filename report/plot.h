// Line plots as inline SVG: readable at the width of a phone, in light and dark, without a script.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/run.h"

namespace autodidact::report {

struct PlotLine {
  std::string name;
  Series series;
};

struct Plot {
  std::string title;
  std::string unit;  // of the vertical axis
  std::vector<PlotLine> lines;
  std::optional<std::pair<Series, Series>> band;  // filled between the two: the least and the most
  std::optional<double> mark;                     // a step at which something happened, drawn as a vertical line
};

// Ticks at round numbers (1, 2 or 5 times a power of ten) that enclose [low, high], at most `most` of them and at
// least two. low < high, both finite.
std::vector<double> Ticks(double low, double high, int most);

// A <figure> with caption, legend and axes; steps that lie close share a hover title with all values. Nothing (an empty
// text) when no line has a finite value.
std::string Draw(const Plot& plot);

}  // namespace autodidact::report
