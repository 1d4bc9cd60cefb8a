#include "data/row_columns.h"

#include <string_view>

#include "base/error.h"
#include "base/format.h"
#include "json/strict.h"

namespace autodidact::data {
namespace {

using json::Json;

bool IsNothing(const Json& value) {
  return value.is_null() || value.empty() || (value.is_string() && value.get_ref<const std::string&>().empty());
}

Json RowOf(const schema::Prompt& prompt) {
  return prompt.columns.empty() ? Json::object() : json::ParseStrict(prompt.columns, "row " + prompt.id);
}

}  // namespace

std::string RowVariables(const Json& row, const std::string& where) {
  constexpr std::string_view kOfItsOwn = "chat_template_kwargs";
  Json variables = Json::object();
  for (const std::string key : {"tools", "documents", "chat_template_kwargs"}) {
    const auto found = row.find(key);
    if (found == row.end() || IsNothing(*found)) continue;
    if (key != kOfItsOwn) {
      variables[key] = *found;
      continue;
    }
    if (!found->is_object()) {
      base::ThrowBadInput(
          base::Format("{}: the key '{}' holds {}, expected an object", where, key, json::Describe(*found)));
    }
    for (const auto& [name, value] : found->items()) variables[name] = value;
  }
  return variables.empty() ? "" : json::Dump(variables);
}

std::optional<std::string> RowText(const schema::Prompt& prompt, const std::string& column) {
  const Json row = RowOf(prompt);
  if (!row.contains(column)) return std::nullopt;
  return json::GetString(row, column, "row " + prompt.id);
}

std::optional<std::vector<std::string>> RowTexts(const schema::Prompt& prompt, const std::string& column) {
  const Json row = RowOf(prompt);
  const auto found = row.find(column);
  if (found == row.end() || !found->is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const Json& item : *found) {
    if (!item.is_string()) return std::nullopt;
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

schema::Prompt WithoutRow(schema::Prompt prompt) {
  prompt.columns.clear();
  return prompt;
}

}  // namespace autodidact::data
