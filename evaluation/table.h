// The metrics of an evaluation, as JSON, as text and as metrics of a run. What was not measured is null in JSON, "-" in
// text and left out of the metrics.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/metrics.h"
#include "evaluation/metric.h"
#include "json/json.h"

namespace autodidact::evaluation {

struct Line {
  std::string key;    // in JSON; "no_answer/single" is in an object "no_answer"
  std::string title;  // in the text; empty: not there
  std::variant<Metric, MetricsByGroup> metrics;
};

struct Table {
  std::vector<int> group_sizes;
  std::vector<Line> lines;
  json::Json counts = json::Json::object();  // beside the lines in JSON
  std::string above;                         // text before and after the lines
  std::string below;
  std::vector<std::string> head;  // of the columns: the titles', then one for each group size
  bool wide = false;              // columns of a fixed width, in place of as narrow as may be

  // Null where there is no such line.
  const Line* Find(const std::string& key) const;
};

// {each line's key: a number or {"1": …}, each count, "intervals": the lines again with [low, high] in place of each
// number}.
json::Json ToJson(const Table& table);

// A line per metric, a column per group size, in per cent with the half-width of the interval.
std::string ToText(const Table& table);

// The metrics of these names, each the line of that key behind the last slash; of a line by group size, the value of
// the largest. What was not measured is absent.
base::Metrics ToMetrics(const Table& table, const std::vector<std::string>& names);

}  // namespace autodidact::evaluation
