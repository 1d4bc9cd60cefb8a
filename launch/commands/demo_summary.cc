#include "launch/commands/demo_summary.h"

#include <utility>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"

namespace autodidact::launch {
namespace {

using json::Json;

using Titles = std::vector<std::pair<const char*, const char*>>;  // title, key

std::string Percent(const Json& value) {
  return value.is_null() ? "      - " : base::Format("{:6.1f} ", 100 * value.get<double>());
}

Json Figures(const std::filesystem::path& file, const Titles& single, const Titles& per_size) {
  Json figures = json::ParseFile(file);
  for (const auto& [title, key] : single) {
    if (!figures.contains(key)) base::ThrowBadInput(base::Format("{}: the key '{}' is missing", file.string(), key));
  }
  for (const auto& [title, key] : per_size) {
    if (!figures.contains(key) || !figures.at(key).is_object()) {
      base::ThrowBadInput(base::Format("{}: the key '{}' is missing or no object", file.string(), key));
    }
  }
  return figures;
}

}  // namespace

std::string SummariseDemo(const std::filesystem::path& run) {
  const Titles answers = {{"one sampled answer", "single"}, {"the greedy answer", "greedy"}};
  const Titles estimates = {{"majority vote over whole answers", "majority"},
                            {"vote per position by a plain program", "position_vote"},
                            {"synthesis by the frozen base model", "synthesis"},
                            {"any of the G is right", "pass"},
                            {"synthesis right while all G are wrong", "right_when_all_wrong"},
                            {"synthesis agrees with the majority vote", "agreement"}};
  const Json before = Figures(run / "before.json", answers, estimates);
  const Json after = Figures(run / "after.json", answers, {});
  const Json majority = Figures(run / "after_majority.json", answers, {});
  const Json summary = {{"before", before}, {"after", after}, {"after_majority", majority}};
  json::WriteFile(run / "summary.json", summary.dump(2) + "\n");

  std::string table = base::Format("\nShare of right answers in % on {} held-out words that nobody labelled\n\n",
                                   before.at("questions").get<std::int64_t>());
  table += base::Format("{:44}  before   after training without labels,\n", "");
  table += base::Format("{:44}  (base)   the reference being\n", "");
  table += base::Format("{:44}           synthesis  majority vote\n", "");
  for (const auto& [title, key] : answers) {
    table += base::Format("{:44} {}    {}    {}\n", title, Percent(before.at(key)), Percent(after.at(key)),
                          Percent(majority.at(key)));
  }
  table += base::Format("\n{:44}", "Estimates from G answers of the base model");
  for (const auto& [size, value] : before.at("synthesis").items()) table += base::Format("   G={:<3}", size);
  table += "\n";
  for (const auto& [title, key] : estimates) {
    table += base::Format("{:44}", title);
    for (const auto& [size, value] : before.at("synthesis").items()) {
      table += Percent(before.at(key).value(size, Json()));
    }
    table += "\n";
  }
  return table;
}

}  // namespace autodidact::launch
