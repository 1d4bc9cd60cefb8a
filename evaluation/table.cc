#include "evaluation/table.h"

#include <algorithm>

#include "base/format.h"

namespace autodidact::evaluation {
namespace {

using json::Json;

constexpr std::size_t kWideTitle = 22, kWideMetric = 12;

Json ValueOf(const Metric& metric) {
  return json::OrNull(metric.value);
}

Json IntervalOf(const Metric& metric) {
  return metric.low && metric.high ? Json::array({*metric.low, *metric.high}) : Json();
}

Json Lines(const Table& table, Json (*show)(const Metric&)) {
  Json object = Json::object();
  for (const Line& line : table.lines) {
    const auto slash = line.key.find('/');
    Json& place =
        slash == std::string::npos ? object[line.key] : object[line.key.substr(0, slash)][line.key.substr(slash + 1)];
    if (const auto* metric = std::get_if<Metric>(&line.metrics)) {
      place = show(*metric);
    } else {
      place = Json::object();
      for (const auto& [size, one] : std::get<MetricsByGroup>(line.metrics)) place[std::to_string(size)] = show(one);
    }
  }
  return object;
}

std::string Cell(const Table& table, const Metric& metric) {
  if (!metric.value) return "-";
  std::string cell = base::Format("{:.1f}", *metric.value * 100);
  if (!metric.low || !metric.high) return cell;
  const double half = (*metric.high - *metric.low) * 50;
  return cell + (table.wide ? base::Format(" ± {:>4.1f}", half) : base::Format(" ±{:.1f}", half));
}

// "±" is two bytes and one column.
std::size_t Width(const std::string& cell) {
  return static_cast<std::size_t>(
      std::count_if(cell.begin(), cell.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

using Cells = std::vector<std::string>;

std::string Aligned(const Table& table, const std::vector<Cells>& lines) {
  std::vector<std::size_t> widths;
  for (const Cells& line : lines) {
    while (widths.size() < line.size()) widths.push_back(!table.wide ? 0 : widths.empty() ? kWideTitle : kWideMetric);
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], Width(line[i]));
  }
  std::string text;
  for (const Cells& line : lines) {
    std::string row;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string space(widths[i] - Width(line[i]), ' ');
      row += i == 0 ? line[i] + space : "  " + space + line[i];
    }
    text += row.erase(row.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace

const Line* Table::Find(const std::string& key) const {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const Line& line) { return line.key == key; });
  return found == lines.end() ? nullptr : &*found;
}

Json ToJson(const Table& table) {
  Json object = Lines(table, ValueOf);
  object.update(table.counts);
  object["intervals"] = Lines(table, IntervalOf);
  return object;
}

std::string ToText(const Table& table) {
  std::vector<Cells> lines = {table.head};
  for (const Line& line : table.lines) {
    if (line.title.empty()) continue;
    Cells& cells = lines.emplace_back(Cells{line.title});
    if (const auto* metric = std::get_if<Metric>(&line.metrics)) {
      cells.push_back(Cell(table, *metric));
    } else {
      for (const int size : table.group_sizes) {
        cells.push_back(Cell(table, std::get<MetricsByGroup>(line.metrics).at(size)));
      }
    }
  }
  return table.above + Aligned(table, lines) + table.below;
}

base::Metrics ToMetrics(const Table& table, const std::vector<std::string>& names) {
  base::Metrics metrics;
  for (const std::string& name : names) {
    const Line* line = table.Find(name.substr(name.rfind('/') + 1));
    if (!line) continue;
    const auto* metric = std::get_if<Metric>(&line->metrics);
    if (const auto* by_group = std::get_if<MetricsByGroup>(&line->metrics); by_group && !by_group->empty()) {
      metric = &by_group->rbegin()->second;
    }
    if (metric && metric->value) metrics[name] = *metric->value;
  }
  return metrics;
}

}  // namespace autodidact::evaluation
