#include <algorithm>

#include "base/format.h"
#include "report/html.h"
#include "report/sections.h"

namespace autodidact::report {
namespace {

using json::Json;

constexpr std::size_t kMostGroups = 24;       // shown of one step
constexpr std::size_t kLongestText = 20'000;  // bytes of one text; what is beyond is named as left out
constexpr std::size_t kLongestSummary = 100;  // bytes of a prompt in the line that folds out

const Json& Member(const Json& object, const char* key) {
  static const Json kNone;
  const auto found = object.find(key);
  return found == object.end() ? kNone : *found;
}

// Element `index` of the list under `key`; null where there is none.
const Json& Element(const Json& object, const char* key, std::size_t index) {
  static const Json kNone;
  const Json& list = Member(object, key);
  return list.is_array() && index < list.size() ? list[index] : kNone;
}

std::string Text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : json::Dump(value);
}

std::string PromptText(const Json& prompt) {
  if (!prompt.is_array()) return Text(prompt);
  std::string text;
  for (const Json& message : prompt) {
    text += (text.empty() ? "" : "\n\n") + Text(Member(message, "role")) + ": " + Text(Member(message, "content"));
  }
  return text;
}

// At most `most` bytes, cut where a character begins.
std::string Beginning(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::string Pre(const std::string& text) {
  const std::string shown = Beginning(text, kLongestText);
  std::string html = "<pre>" + Escape(shown) + "</pre>\n";
  if (shown.size() < text.size())
    html += base::Format("<p class=\"note\">{} bytes more</p>\n", text.size() - shown.size());
  return html;
}

std::string Figure(const char* name, const Json& value) {
  const std::string shown = value.is_number() ? Number(value.get<double>()) : "none";
  return base::Format(" <span class=\"chip\">{} {}</span>", name, shown);
}

// The verdicts of one rollout, criterion by criterion.
std::string Verdicts(const Json& group, std::size_t rollout) {
  std::string rows;
  for (const Json& verdict : Member(group, "verdicts")) {
    if (!verdict.is_object() || Member(verdict, "rollout") != rollout) continue;
    const Json& number = Member(verdict, "criterion");
    const Json& criterion = number.is_number_unsigned() ? Element(group, "rubric", number.get<std::size_t>()) : Json();
    const std::string kind = Text(Member(verdict, "verdict"));
    rows += "<tr><td class=\"" + Escape(kind) + "\">" + Escape(kind) + "</td><td>" +
            Escape(criterion.is_null() ? "criterion " + Text(number) : Text(criterion)) + "</td><td>" +
            Escape(Text(Member(verdict, "reason"))) + "</td></tr>\n";
  }
  return rows.empty() ? "" : "<div class=\"scroll\"><table class=\"left\">" + rows + "</table></div>\n";
}

std::string Rollout(const Json& group, std::size_t index) {
  std::string html = base::Format("<h5>Answer {}", index + 1);
  html += Figure("reward", Element(group, "rewards", index));
  if (const Json& advantage = Element(group, "advantages", index); advantage.is_number()) {
    html += Figure("advantage", advantage);
  }
  html += Figure("tokens", Element(group, "num_tokens", index));
  if (const Json& stop = Element(group, "stop_reasons", index); stop.is_string()) {
    html += " <span class=\"chip\">" + Escape(Text(stop)) + "</span>";
  }
  html += "</h5>\n" + Pre(Text(Element(group, "completions", index)));
  if (const Json& failure = Element(group, "reward_failures", index); failure.is_string()) {
    html += "<p class=\"note\">no reward: " + Escape(Text(failure)) + "</p>\n";
  }
  return html + Verdicts(group, index);
}

std::string Reference(const Json& group) {
  const Json& reference = Member(group, "reference");
  std::string html = "<h5>Reference</h5>\n";
  if (reference.is_string()) {
    html += Pre(Text(reference));
    const Json& generation = Member(group, "reference_generation");
    if (generation.is_string() && !Text(generation).empty() && generation != reference) {
      html += Details("How it was made", Pre(Text(generation)));
    }
  } else {
    html += "<p class=\"note\">none: " + Escape(Text(Member(group, "failure"))) + "</p>\n";
  }
  const Json& rubric = Member(group, "rubric");
  if (!rubric.is_array() || rubric.empty()) return html;
  html += "<h5>Rubric</h5>\n<ol>";
  for (std::size_t i = 0; i < rubric.size(); ++i) {
    const Json& points = Element(group, "rubric_points", i);
    const bool weighted = points.is_number() && points.get<double>() != 1;
    html += "<li>" + Escape(Text(rubric[i])) + (weighted ? Figure("points", points) : "") + "</li>";
  }
  return html + "</ol>\n";
}

std::string Group(const Json& group) {
  const std::string prompt = PromptText(Member(group, "prompt"));
  std::string line = Beginning(prompt, kLongestSummary);
  if (line.size() < prompt.size()) line += " …";
  double sum = 0;
  int count = 0;
  for (const Json& reward : Member(group, "rewards")) {
    if (!reward.is_number()) continue;
    sum += reward.get<double>();
    ++count;
  }
  const std::string mean = count > 0 ? Number(sum / count) : "none";
  const std::string summary = "<span class=\"chip\">reward " + mean + "</span> " + Escape(line);
  std::string body = "<h5>Prompt <span class=\"chip\">" + Escape(Text(Member(group, "id"))) + "</span></h5>\n" +
                     Pre(prompt) + Reference(group);
  const Json& completions = Member(group, "completions");
  for (std::size_t i = 0; completions.is_array() && i < completions.size(); ++i) body += Rollout(group, i);
  return Details(summary, "<div class=\"group\">" + body + "</div>\n");
}

}  // namespace

std::string Browser(const Run& run) {
  std::string html;
  for (const StepGroups& step : run.rollouts) {
    std::string groups;
    const std::size_t shown = std::min(kMostGroups, step.groups.size());
    for (std::size_t i = 0; i < shown; ++i) groups += Group(step.groups[i]);
    if (shown < step.groups.size()) {
      groups += base::Format("<p class=\"note\">{} groups more in rollouts/step_{:06}.jsonl</p>\n",
                             step.groups.size() - shown, step.step);
    }
    html += Details(base::Format("Step {}: {} groups", step.step, step.groups.size()), groups);
  }
  return html;
}

}  // namespace autodidact::report
