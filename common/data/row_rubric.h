// The rubric that a row brings with it: physicians' criteria with points, as HealthBench has them.
#pragma once

#include <string>
#include <vector>

#include "json/json.h"
#include "schema/types.h"

namespace autodidact::data {

// What stands in the column "rubrics" of prompt.columns, a list of {"criterion", "points"}; further keys are ignored.
// Empty when the row has none, or not all of it (a column "_rubric_kind" other than "full"). Error(kBadInput) naming
// the row, the criterion and what was found for a list that is not like that.
std::vector<schema::Criterion> RowRubric(const schema::Prompt& prompt);

// One rubric as it stands in JSON: a list of {"criterion", "points"}, or of texts with one point each. Error(kBadInput)
// as above; `where` begins its message.
std::vector<schema::Criterion> ReadRubric(const json::Json& list, const std::string& where);

}  // namespace autodidact::data
