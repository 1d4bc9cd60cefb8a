#include "data/row_rubric.h"

#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "json/strict.h"

namespace autodidact::data {

std::vector<schema::Criterion> ReadRubric(const json::Json& list, const std::string& where) {
  if (!list.is_array()) {
    base::ThrowBadInput(base::Format("{}: found {}, expected a list of criteria", where, json::Describe(list)));
  }
  std::vector<schema::Criterion> criteria;
  for (const json::Json& item : list) {
    const std::string place = base::Format("{}: criterion {}", where, criteria.size() + 1);
    schema::Criterion criterion;
    if (item.is_string()) {
      criterion.text = item.get<std::string>();
    } else {
      criterion = {json::GetString(item, "criterion", place), json::GetNumber(item, "points", place)};
    }
    if (criterion.text.empty()) base::ThrowBadInput(place + ": it is empty");
    if (!std::isfinite(criterion.points)) base::ThrowBadInput(place + ": its points are not a finite number");
    criteria.push_back(std::move(criterion));
  }
  return criteria;
}

std::vector<schema::Criterion> RowRubric(const schema::Prompt& prompt) {
  if (prompt.columns.empty()) return {};
  const std::string row = "row '" + prompt.id + "'";
  const json::Json columns = json::ParseStrict(prompt.columns, row);
  const auto list = columns.find("rubrics");
  if (list == columns.end() || list->is_null()) return {};
  const auto kind = columns.find("_rubric_kind");
  if (kind != columns.end() && *kind != "full") return {};
  return ReadRubric(*list, row + ": rubrics");
}

}  // namespace autodidact::data
