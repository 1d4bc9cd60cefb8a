#include <algorithm>
#include <functional>

#include "base/format.h"
#include "evaluation/figures.h"

namespace autodidact::evaluation {
namespace {

using json::Json;

Json ByGroup(const FiguresByGroup& figures, const std::function<Json(const Figure&)>& show) {
  Json object = Json::object();
  for (const auto& [size, figure] : figures) object[std::to_string(size)] = show(figure);
  return object;
}

Json Shape(const EvalFigures& figures, const std::function<Json(const Figure&)>& show) {
  Json object = Json::object();
  object["single"] = show(figures.single);
  object["greedy"] = show(figures.greedy);
  object["majority"] = ByGroup(figures.majority, show);
  if (!figures.position_vote.empty()) object["position_vote"] = ByGroup(figures.position_vote, show);
  for (const auto& [kind, by_group] : figures.further) object[Name(kind)] = ByGroup(by_group, show);
  object["pass"] = ByGroup(figures.pass, show);
  object["no_answer"] = {{"single", show(figures.single_no_answer)}, {"greedy", show(figures.greedy_no_answer)}};
  if (figures.synthesis.empty()) return object;
  object["synthesis"] = ByGroup(figures.synthesis, show);
  object["right_when_all_wrong"] = ByGroup(figures.right_when_all_wrong, show);
  object["agreement"] = ByGroup(figures.agreement, show);
  object["disagreement"] = {{"synthesis", ByGroup(figures.disagreement_synthesis, show)},
                            {"majority", ByGroup(figures.disagreement_majority, show)}};
  object["no_answer"]["synthesis"] = ByGroup(figures.synthesis_no_answer, show);
  return object;
}

std::string Cell(const Figure& figure) {
  if (!figure.value) return "-";
  std::string cell = base::Format("{:.1f}", *figure.value * 100);
  if (figure.low && figure.high) cell += base::Format(" ±{:.1f}", (*figure.high - *figure.low) * 50);
  return cell;
}

// "±" is two bytes and one column.
std::size_t Width(const std::string& cell) {
  return static_cast<std::size_t>(
      std::count_if(cell.begin(), cell.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

using Line = std::vector<std::string>;

std::string Aligned(const std::vector<Line>& lines) {
  std::vector<std::size_t> widths;
  for (const Line& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], Width(line[i]));
  }
  std::string text;
  for (const Line& line : lines) {
    std::string row;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string space(widths[i] - Width(line[i]), ' ');
      row += i == 0 ? line[i] + space : "  " + space + line[i];
    }
    text += row.erase(row.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

Line GroupLine(const std::string& name, const std::vector<int>& sizes, const FiguresByGroup& figures) {
  Line line = {name};
  for (const int size : sizes) line.push_back(Cell(figures.at(size)));
  return line;
}

Json Graded(const GradedAnswer& graded) {
  return {{"answer", json::OrNull(graded.answer)}, {"right", graded.right}};
}

// How the selection came about, or why there is none.
void AddSelection(const QuestionTexts& question, estimators::EstimatorKind kind, int size, Json& entry) {
  const auto selection = question.selections.find(kind);
  if (selection == question.selections.end()) return;
  const auto reference = selection->second.find(size);
  if (reference == selection->second.end()) return;
  if (reference->second.ok()) {
    entry["generation"] = reference->second->generation;
  } else {
    entry["failure"] = reference->second.failure().reason;
  }
}

}  // namespace

Json ToJson(const EvalFigures& figures) {
  Json object = Shape(figures, Value);
  object["questions"] = figures.questions;
  object["intervals"] = Shape(figures, Interval);
  return object;
}

std::string ToTable(const EvalFigures& figures) {
  std::vector<Line> lines = {{"accuracy in %"}};
  for (const int size : figures.group_sizes) lines[0].push_back(base::Format("G = {}", size));
  lines.push_back({"single sample", Cell(figures.single)});
  lines.push_back({"greedy", Cell(figures.greedy)});
  const auto add = [&](const std::string& name, const FiguresByGroup& by_group) {
    lines.push_back(GroupLine(name, figures.group_sizes, by_group));
  };
  add("majority", figures.majority);
  if (!figures.synthesis.empty()) add("synthesis", figures.synthesis);
  if (!figures.position_vote.empty()) add("vote per position", figures.position_vote);
  for (const auto& [kind, by_group] : figures.further) add(Name(kind), by_group);
  add("pass (any right)", figures.pass);
  if (!figures.synthesis.empty()) {
    add("right while all wrong", figures.right_when_all_wrong);
    add("agreement with majority", figures.agreement);
    add("synthesis where they differ", figures.disagreement_synthesis);
    add("majority where they differ", figures.disagreement_majority);
    add("synthesis without answer", figures.synthesis_no_answer);
  }
  return Aligned(lines) +
         base::Format("{} questions; ± is half the width of the 95 % interval (bootstrap over questions)\n",
                      figures.questions);
}

Json ToRecord(const QuestionTexts& question, const GradedQuestion& graded) {
  Json record = {{"id", question.id}, {"prompt", question.prompt}, {"labels", question.labels}};
  record["rollouts"] = question.rollouts;
  Json answers = Json::array(), right = Json::array();
  for (const GradedAnswer& rollout : graded.rollouts) {
    answers.push_back(json::OrNull(rollout.answer));
    right.push_back(rollout.right);
  }
  record["answers"] = answers;
  record["right"] = right;
  record["greedy"] = {{"text", json::OrNull(question.greedy)}};
  record["greedy"].update(Graded(graded.greedy));
  Json groups = Json::object();
  for (const auto& [size, group] : graded.groups) {
    Json entry = {{"majority", Graded(group.majority)}, {"synthesis", Graded(group.synthesis)}};
    const auto synthesis = question.syntheses.find(size);
    if (synthesis != question.syntheses.end() && synthesis->second.ok()) {
      entry["synthesis"]["text"] = synthesis->second->text;
      entry["synthesis"]["generation"] = synthesis->second->generation;
      entry["synthesis"]["stages"] = synthesis->second->stages;
    } else {
      entry["synthesis"]["failure"] = group.synthesis_failure;
    }
    if (group.position_vote.answer) entry["position_vote"] = Graded(group.position_vote);
    for (const auto& [kind, graded_answer] : group.further) {
      entry[Name(kind)] = Graded(graded_answer);
      AddSelection(question, kind, size, entry[Name(kind)]);
    }
    entry["any_right"] = group.any_right;
    entry["agree"] = group.agree;
    groups[std::to_string(size)] = std::move(entry);
  }
  record["groups"] = std::move(groups);
  return record;
}

}  // namespace autodidact::evaluation
