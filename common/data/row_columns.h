// What else than prompt and labels is read of a row.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "json/json.h"
#include "schema/types.h"

namespace autodidact::data {

// What a row gives a chat template: its "tools", "documents", and what "chat_template_kwargs" holds, as a JSON object.
// Empty when it has none of these. Error(kBadInput) naming where when the last is no object.
std::string RowVariables(const json::Json& row, const std::string& where);

// The text in a column; nothing where the row lacks it. Error(kBadInput) naming the row when it is no text.
std::optional<std::string> RowText(const schema::Prompt& prompt, const std::string& column);

// The list of texts in a column; nothing where the row lacks it or it is something else.
std::optional<std::vector<std::string>> RowTexts(const schema::Prompt& prompt, const std::string& column);

// The question alone, as it is handed out: without its row.
schema::Prompt WithoutRow(schema::Prompt prompt);

}  // namespace autodidact::data
