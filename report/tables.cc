#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "base/format.h"
#include "report/html.h"
#include "report/sections.h"

namespace autodidact::report {
namespace {

using json::Json;

const Series* Find(const Run& run, const std::string& name) {
  const auto found = run.metrics.find(name);
  return found == run.metrics.end() || found->second.values.empty() ? nullptr : &found->second;
}

std::string Cell(const std::string& html) {
  return "<td>" + html + "</td>";
}

std::string Table(const std::vector<std::string>& head, const std::string& rows) {
  std::string html = "<div class=\"scroll\"><table><thead><tr>";
  for (const std::string& name : head) html += "<th>" + Escape(name) + "</th>";
  return html + "</tr></thead><tbody>\n" + rows + "</tbody></table></div>\n";
}

std::string Percent(double share) {
  return std::isfinite(share) ? base::Format("{:.1f} %", 100 * share) : "–";
}

struct Mean {
  double sum = 0;
  double count = 0;

  void Take(double value) {
    if (!std::isfinite(value)) return;
    sum += value;
    ++count;
  }
  double value() const { return sum / count; }  // NaN for none
};

// Means over the first and the last tenth of what was written, at least one step each.
std::pair<double, double> EarlyAndLate(const Series& series) {
  const std::size_t n = series.values.size();
  const std::size_t part = std::max<std::size_t>(1, n / 10);
  Mean early, late;
  for (std::size_t i = 0; i < part; ++i) {
    early.Take(series.values[i]);
    late.Take(series.values[n - 1 - i]);
  }
  return {early.value(), late.value()};
}

std::string CourseTable(const Run& run) {
  static const std::vector<std::pair<const char*, const char*>> kRows = {
      {"accuracy/rollouts", "one rollout"},
      {"accuracy/majority", "majority of the group"},
      {"accuracy/reference", "the run's reference"},
      {"accuracy/reference_where_disagree", "the reference where it is not the majority"},
      {"accuracy/right_when_all_wrong", "the reference right, every rollout wrong"},
      {"anchor/agreement", "reference equal to the majority"},
  };
  std::string rows;
  for (const auto& [name, label] : kRows) {
    const Series* series = Find(run, name);
    if (!series) continue;
    const auto [early, late] = EarlyAndLate(*series);
    rows += "<tr><th>" + std::string(label) + "</th>" + Cell(Percent(early)) + Cell(Percent(late)) + "</tr>\n";
  }
  if (rows.empty()) return {};
  return "<h3>On the prompts of the run</h3>\n" + Table({"", "first tenth", "last tenth"}, rows);
}

// The group size of a key, or nothing.
std::optional<int> GroupSize(const std::string& key) {
  int size = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), size);
  if (error != std::errc() || end != key.data() + key.size()) return std::nullopt;
  return size;
}

bool IsByGroup(const Json& value) {
  if (!value.is_object() || value.empty()) return false;
  for (const auto& [key, inner] : value.items()) {
    if (!GroupSize(key)) return false;
  }
  return true;
}

// A figure of an evaluation: one number, or one for each group size; the interval beside it.
struct Row {
  std::string name;
  const Json* value = nullptr;
  const Json* interval = nullptr;
};

const Json* Member(const Json* object, const std::string& key) {
  if (!object || !object->is_object()) return nullptr;
  const auto found = object->find(key);
  return found == object->end() ? nullptr : &*found;
}

// Counts beside the shares.
const std::set<std::string> kCounts = {"questions", "left_out", "unscored", "target_sources"};

// A figure's name for people; the JSON's where there is no better one.
std::string Label(const std::string& name) {
  static const std::map<std::string, std::string> kLabels = {
      {"single", "one sample"},
      {"pass", "any of the G right"},
      {"best_of", "best of the G"},
      {"right_when_all_wrong", "synthesis right, all G wrong"},
      {"agreement", "synthesis equal to the majority"},
      {"disagreement/synthesis", "synthesis right where they differ"},
      {"disagreement/majority", "majority right where they differ"},
      {"no_answer/single", "one sample: no answer"},
      {"no_answer/greedy", "greedy: no answer"},
      {"no_answer/synthesis", "synthesis: no answer"},
      {"invalid_verdicts", "invalid verdicts"},
  };
  const auto found = kLabels.find(name);
  return found == kLabels.end() ? name : found->second;
}

void Flatten(const std::string& path, const Json& object, const Json* intervals, std::vector<Row>& rows) {
  for (const auto& [key, value] : object.items()) {
    if (path.empty() && (key == "intervals" || kCounts.contains(key))) continue;
    const std::string name = path.empty() ? key : path + "/" + key;
    const Json* interval = Member(intervals, key);
    if (value.is_number() || value.is_null() || IsByGroup(value)) {
      rows.push_back({name, &value, interval});
    } else if (value.is_object()) {
      Flatten(name, value, interval, rows);
    }
  }
}

std::string FigureCell(const Json* value, const Json* interval) {
  if (!value || !value->is_number()) return Cell("–");
  const double figure = value->get<double>();
  std::string html = base::Format("{:.1f}", 100 * figure);
  if (interval && interval->is_array() && interval->size() == 2 && (*interval)[0].is_number()) {
    const double low = (*interval)[0].get<double>(), high = (*interval)[1].get<double>();
    html = base::Format("<span title=\"95 % interval: {:.1f} to {:.1f}\">{} <small>±{:.1f}</small></span>", 100 * low,
                        100 * high, html, 50 * (high - low));
  }
  return Cell(html);
}

std::string EvaluationTable(const Evaluation& evaluation) {
  std::vector<Row> rows;
  Flatten("", evaluation.figures, Member(&evaluation.figures, "intervals"), rows);
  std::set<int> sizes;
  for (const Row& row : rows) {
    if (!IsByGroup(*row.value)) continue;
    for (const auto& [key, value] : row.value->items()) sizes.insert(*GroupSize(key));
  }
  std::vector<std::string> head = {"in %"};
  for (const int size : sizes) head.push_back(base::Format("G = {}", size));
  std::string html;
  for (const Row& row : rows) {
    html += "<tr><th>" + Escape(Label(row.name)) + "</th>";
    if (!row.value->is_object()) {
      html += FigureCell(row.value, row.interval);
      for (std::size_t i = 1; i < sizes.size(); ++i) html += "<td></td>";
    } else {
      for (const int size : sizes) {
        const std::string key = std::to_string(size);
        html += FigureCell(Member(row.value, key), Member(row.interval, key));
      }
    }
    html += "</tr>\n";
  }
  std::string note = "± is half the 95 % interval";
  for (const std::string& key : kCounts) {
    if (const Json* count = Member(&evaluation.figures, key)) note += " · " + key + ": " + Escape(json::Dump(*count));
  }
  return "<h3>" + Escape(evaluation.name) + "</h3>\n<p class=\"note\">" + note + "</p>\n" + Table(head, html);
}

std::string Tile(const std::string& label, const std::string& value, const std::string& note,
                 const std::string& kind = {}) {
  return "<div class=\"tile " + kind + "\"><span>" + label + "</span><b>" + value + "</b><small>" + note +
         "</small></div>\n";
}

double Sum(const Series& series) {
  double sum = 0;
  for (const double value : series.values) sum += std::isfinite(value) ? value : 0;
  return sum;
}

}  // namespace

std::string Tiles(const Run& run) {
  std::string html = Tile("steps", std::to_string(run.num_steps), "optimizer steps");
  const auto course = [&](const std::string& name, const std::string& label,
                          const std::function<std::string(double)>& show) {
    const Series* series = Find(run, name);
    if (series) html += Tile(label, show(series->values.back()), "from " + show(series->values.front()));
  };
  course("reward", "reward", Number);
  course("eval/single", "held-out rows, one sample", Percent);
  course("eval/greedy", "held-out rows, greedy", Percent);
  course("accuracy/rollouts", "training accuracy", Percent);
  course("kl", "KL", Number);
  course("entropy", "entropy", Number);
  course("completions/mean_length", "mean length", Number);
  const Series* alarm = Find(run, "collapse_alarm");
  if (alarm) {
    const bool fired = *std::max_element(alarm->values.begin(), alarm->values.end()) > 0;
    html += Tile("collapse alarm", fired ? "fired" : "quiet", "one answer for all prompts", fired ? "bad" : "good");
  }
  if (const Series* dropped = Find(run, "groups/dropped")) {
    html += Tile("dropped", Number(Sum(*dropped)), "groups not returned", Sum(*dropped) > 0 ? "warn" : "");
  }
  return "<div class=\"tiles\">\n" + html + "</div>\n";
}

std::string EstimatorTables(const Run& run) {
  std::string html = CourseTable(run);
  for (const Evaluation& evaluation : run.evaluations) html += EvaluationTable(evaluation);
  return html;
}

std::string FailureTable(const Run& run) {
  static const std::vector<std::pair<const char*, const char*>> kCounts = {
      {"groups/received", "groups received"},
      {"groups/trained", "groups trained on"},
      {"groups/dropped", "dropped: groups that no actor returned"},
      {"groups/expired_leases", "leases that ran out"},
      {"groups/stale", "groups from weights too old"},
      {"groups/duplicates", "groups that came twice"},
      {"intake/refused", "messages that the learner refused"},
  };
  static const std::vector<std::pair<const char*, const char*>> kShares = {
      {"anchor/failed", "groups without a reference"},
      {"judge/no_reward", "rollouts without a reward"},
      {"judge/invalid_verdicts", "verdicts that were invalid"},
      {"completions/no_answer", "rollouts without an answer"},
      {"completions/clipped_ratio", "rollouts cut at the longest length"},
  };
  std::string rows;
  for (const auto& [name, label] : kCounts) {
    if (const Series* series = Find(run, name)) {
      rows += "<tr><th>" + std::string(label) + "</th>" + Cell(base::Format("{:.0f}", Sum(*series))) + "</tr>\n";
    }
  }
  for (const auto& [name, label] : kShares) {
    const Series* series = Find(run, name);
    if (!series) continue;
    Mean mean;
    for (const double value : series->values) mean.Take(value);
    rows += "<tr><th>" + std::string(label) + "</th>" + Cell(Percent(mean.value())) + "</tr>\n";
  }
  return rows.empty() ? "" : Table({"", "over the run"}, rows);
}

std::string AllMetrics(const Run& run) {
  std::string rows;
  for (const auto& [name, series] : run.metrics) {
    double least = std::numeric_limits<double>::quiet_NaN(), most = least;
    for (const double value : series.values) {
      least = std::fmin(least, value);
      most = std::fmax(most, value);
    }
    rows += "<tr><th>" + Escape(name) + "</th>" + Cell(Number(series.values.front())) +
            Cell(Number(series.values.back())) + Cell(Number(least)) + Cell(Number(most)) +
            Cell(std::to_string(series.values.size())) + "</tr>\n";
  }
  return rows.empty() ? "" : Table({"metric", "first", "last", "least", "most", "steps"}, rows);
}

}  // namespace autodidact::report
