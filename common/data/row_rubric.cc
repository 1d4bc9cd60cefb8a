#include "data/row_rubric.h"

#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"

namespace autodidact::data {

std::vector<schema::Criterion> RowRubric(const schema::Prompt& prompt) {
  if (prompt.columns.empty()) return {};
  const std::string row = "row '" + prompt.id + "'";
  const json::Json columns = json::Parse(prompt.columns, row);
  const auto list = columns.find("rubrics");
  if (list == columns.end() || list->is_null()) return {};
  if (!list->is_array()) {
    base::ThrowBadInput(base::Format("{}: 'rubrics' holds {}, expected a list", row, json::Describe(*list)));
  }
  const auto kind = columns.find("_rubric_kind");
  if (kind != columns.end() && *kind != "full") return {};
  std::vector<schema::Criterion> criteria;
  for (const json::Json& item : *list) {
    const std::string where = base::Format("{}: criterion {}", row, criteria.size() + 1);
    schema::Criterion criterion{json::GetString(item, "criterion", where), json::GetNumber(item, "points", where)};
    if (criterion.text.empty()) base::ThrowBadInput(where + ": it is empty");
    if (!std::isfinite(criterion.points)) base::ThrowBadInput(where + ": its points are not a finite number");
    criteria.push_back(std::move(criterion));
  }
  return criteria;
}

}  // namespace autodidact::data
