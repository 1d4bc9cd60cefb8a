#include "report/plot.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/format.h"
#include "report/html.h"

namespace autodidact::report {
namespace {

// The drawing's own units, about a pixel on a phone.
constexpr double kWidth = 360, kHeight = 200;
constexpr double kLeft = 48, kRight = 10, kTop = 24, kBottom = 30;
constexpr std::size_t kMostPoints = 400;   // per line; more are thinned, their extremes kept
constexpr std::size_t kMostColumns = 120;  // that show a hover title
constexpr std::size_t kFewPoints = 30;     // a line of so few shows its points

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void Take(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

struct Frame {
  Range x, y;

  double X(double step) const { return kLeft + (step - x.low) / (x.high - x.low) * (kWidth - kLeft - kRight); }
  double Y(double value) const { return kTop + (y.high - value) / (y.high - y.low) * (kHeight - kTop - kBottom); }
};

using Points = std::vector<std::pair<double, double>>;

// Stretches of finite values.
std::vector<Points> Stretches(const Series& series) {
  std::vector<Points> stretches;
  bool open = false;
  for (std::size_t i = 0; i < series.steps.size(); ++i) {
    if (!std::isfinite(series.values[i])) {
      open = false;
      continue;
    }
    if (!open) stretches.emplace_back();
    open = true;
    stretches.back().emplace_back(series.steps[i], series.values[i]);
  }
  return stretches;
}

// Neighbours are taken together, and of each such bucket the least and the most remain, in their order.
Points Thinned(const Points& points) {
  if (points.size() <= kMostPoints) return points;
  Points thinned;
  const std::size_t buckets = kMostPoints / 2;
  const auto by_value = [](const auto& a, const auto& b) { return a.second < b.second; };
  for (std::size_t b = 0; b < buckets; ++b) {
    const auto begin = points.begin() + static_cast<std::ptrdiff_t>(b * points.size() / buckets);
    const auto end = points.begin() + static_cast<std::ptrdiff_t>((b + 1) * points.size() / buckets);
    auto [least, most] = std::minmax_element(begin, end, by_value);
    if (most < least) std::swap(least, most);
    thinned.push_back(*least);
    if (least != most) thinned.push_back(*most);
  }
  return thinned;
}

std::string Coordinates(const Frame& frame, const Points& points) {
  std::string text;
  for (const auto& [step, value] : points) {
    text += base::Format("{}{:.1f},{:.1f}", text.empty() ? "" : " ", frame.X(step), frame.Y(value));
  }
  return text;
}

std::string Line(const Frame& frame, const Series& series, std::size_t index) {
  std::string svg;
  const bool few = series.steps.size() <= kFewPoints;
  for (const Points& stretch : Stretches(series)) {
    const Points points = Thinned(stretch);
    if (points.size() > 1) {
      svg += base::Format("<polyline class=\"line c{}\" points=\"{}\"/>\n", index, Coordinates(frame, points));
    }
    if (!few && points.size() > 1) continue;
    for (const auto& [step, value] : points) {
      svg += base::Format("<circle class=\"point c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.2\"/>\n", index, frame.X(step),
                          frame.Y(value));
    }
  }
  return svg;
}

std::string Band(const Frame& frame, const Series& least, const Series& most) {
  const auto lower = Stretches(least), upper = Stretches(most);
  if (lower.size() != upper.size()) return {};
  std::string svg;
  for (std::size_t s = 0; s < lower.size(); ++s) {
    Points outline = Thinned(upper[s]);
    Points back = Thinned(lower[s]);
    outline.insert(outline.end(), back.rbegin(), back.rend());
    svg += base::Format("<polygon class=\"band\" points=\"{}\"/>\n", Coordinates(frame, outline));
  }
  return svg;
}

std::string Axes(const Frame& frame, const std::string& unit) {
  std::string svg;
  for (const double tick : Ticks(frame.y.low, frame.y.high, 6)) {
    if (tick < frame.y.low - 1e-12 || tick > frame.y.high + 1e-12) continue;
    svg += base::Format("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", kLeft,
                        kWidth - kRight, frame.Y(tick), frame.Y(tick));
    svg += base::Format("<text class=\"tick\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", kLeft - 5,
                        frame.Y(tick) + 3.5, Number(tick));
  }
  for (const double tick : Ticks(frame.x.low, frame.x.high, 6)) {
    if (tick < frame.x.low || tick > frame.x.high || tick != std::floor(tick)) continue;
    svg += base::Format("<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>", frame.X(tick),
                        kHeight - kBottom, kHeight - kBottom + 4);
    svg += base::Format("<text class=\"tick\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.0f}</text>\n",
                        frame.X(tick), kHeight - kBottom + 14, tick);
  }
  svg += base::Format("<text class=\"axis\" x=\"{}\" y=\"{}\" text-anchor=\"end\">step</text>\n", kWidth - kRight,
                      kHeight - 4);
  svg += "<text class=\"axis\" x=\"0\" y=\"11\">" + Escape(unit) + "</text>\n";
  return svg;
}

// Columns over the whole drawing; each shows the values of the last step that it covers.
std::string HoverTitles(const Frame& frame, const Plot& plot) {
  std::map<double, std::string> titles;
  for (const PlotLine& line : plot.lines) {
    for (std::size_t i = 0; i < line.series.steps.size(); ++i) {
      titles[line.series.steps[i]] += base::Format("\n{}: {}", Escape(line.name), Number(line.series.values[i]));
    }
  }
  const std::size_t every = (titles.size() + kMostColumns - 1) / kMostColumns;
  std::string svg;
  std::size_t number = 0;
  double from = kLeft;
  for (auto at = titles.begin(); at != titles.end(); ++at) {
    const auto next = std::next(at);
    if (++number % every != 0 && next != titles.end()) continue;
    const double to = next == titles.end() ? kWidth - kRight : (frame.X(at->first) + frame.X(next->first)) / 2;
    svg += base::Format(
        "<rect class=\"hover\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"><title>step "
        "{:.0f}{}</title></rect>\n",
        from, kTop, std::max(0.1, to - from), kHeight - kTop - kBottom, at->first, at->second);
    from = to;
  }
  return svg;
}

// The vertical range: from zero where that costs little, and never without height.
Range Vertical(Range range) {
  if (range.low > 0 && range.low < 0.6 * range.high) range.low = 0;
  if (range.high - range.low < 1e-12 * std::max(1.0, std::abs(range.high))) {
    const double pad = range.high == 0 ? 1 : 0.1 * std::abs(range.high);
    range = {range.low - (range.low >= 0 && range.low < pad ? range.low : pad), range.high + pad};
  }
  const auto ticks = Ticks(range.low, range.high, 6);
  return {ticks.front(), ticks.back()};
}

Frame MakeFrame(const Plot& plot) {
  Frame frame;
  const auto take = [&](const Series& series) {
    for (std::size_t i = 0; i < series.steps.size(); ++i) {
      frame.x.Take(series.steps[i]);
      frame.y.Take(series.values[i]);
    }
  };
  for (const PlotLine& line : plot.lines) take(line.series);
  if (frame.y.empty()) return frame;
  if (plot.band) {
    take(plot.band->first);
    take(plot.band->second);
  }
  if (frame.x.low == frame.x.high) frame.x = {frame.x.low - 1, frame.x.high + 1};
  frame.y = Vertical(frame.y);
  return frame;
}

std::string Legend(const Plot& plot) {
  std::string html = "<ul class=\"legend\">";
  for (std::size_t i = 0; i < plot.lines.size(); ++i) {
    const auto& values = plot.lines[i].series.values;
    if (values.empty()) continue;
    html += base::Format("<li><span class=\"key k{}\"></span>{} <b>{}</b></li>", i, Escape(plot.lines[i].name),
                         Number(values.back()));
  }
  return html + "</ul>";
}

}  // namespace

std::vector<double> Ticks(double low, double high, int most) {
  const double rough = (high - low) / std::max(1, most - 1);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  std::vector<double> ticks;
  for (const double factor : {1.0, 2.0, 5.0, 10.0, 20.0}) {
    const double step = factor * power;
    const double first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
    if (last - first + 1 > most) continue;
    for (double k = first; k <= last; ++k) ticks.push_back(k == 0 ? 0 : k * step);
    break;
  }
  return ticks;
}

std::string Draw(const Plot& plot) {
  const Frame frame = MakeFrame(plot);
  if (frame.y.empty()) return {};
  std::string html = "<figure><figcaption>" + Escape(plot.title) + "</figcaption>" + Legend(plot);
  html +=
      base::Format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", kWidth, kHeight, Escape(plot.title));
  html += Axes(frame, plot.unit);
  if (plot.band) html += Band(frame, plot.band->first, plot.band->second);
  if (plot.mark && *plot.mark >= frame.x.low && *plot.mark <= frame.x.high) {
    html += base::Format("<line class=\"mark\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>\n",
                         frame.X(*plot.mark), kTop, kHeight - kBottom);
  }
  for (std::size_t i = 0; i < plot.lines.size(); ++i) html += Line(frame, plot.lines[i].series, i);
  return html + HoverTitles(frame, plot) + "</svg></figure>\n";
}

}  // namespace autodidact::report
