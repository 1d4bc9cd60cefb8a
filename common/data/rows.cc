#include "data/rows.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "data/row_columns.h"
#include "data/row_format.h"
#include "json/strict.h"

namespace autodidact::data {
namespace {

using json::Json;

// One parsed line: `where` is "FILE:LINE".
struct Line {
  Json object;
  std::string where;
  std::string text;
  std::string id;
};

// The first of `keys` that the row has, or nothing; a null counts as absent when `null_is_absent`.
const Json* FindFirst(const Json& object, const std::vector<std::string>& keys, bool null_is_absent,
                      std::string* found = nullptr) {
  for (const std::string& key : keys) {
    auto it = object.find(key);
    if (it == object.end() || (null_is_absent && it->is_null())) continue;
    if (found != nullptr) *found = key;
    return &*it;
  }
  return nullptr;
}

std::string Quoted(const std::vector<std::string>& keys) {
  std::string list;
  for (const std::string& key : keys) list += (list.empty() ? "'" : " | '") + key + "'";
  return list;
}

// The names that a row has in the place of those that are looked for.
std::string KeysIn(const Json& object) {
  constexpr std::size_t kShown = 8;
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) {
    if (keys.size() < kShown) keys.push_back(key);
  }
  if (keys.empty()) return "none";
  return Quoted(keys) + (object.size() > keys.size() ? base::Format(" and {} more", object.size() - keys.size()) : "");
}

std::string ReadId(const Line& line, const RowKeys& keys, std::int64_t number) {
  std::string key;
  const Json* value = FindFirst(line.object, keys.id, false, &key);
  if (value == nullptr) return std::to_string(number);
  if (value->is_string() && !value->get_ref<const std::string&>().empty()) return value->get<std::string>();
  if (json::IsInteger(*value)) return json::Dump(*value);
  base::ThrowBadInput(
      base::Format("{}: the key '{}' holds {}, expected a text that is not empty or an integer: "
                   "leave the key out where rows have no names",
                   line.where, key, json::Describe(*value)));
}

std::string_view WithoutMark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

void ForEachLine(const std::filesystem::path& file, const RowKeys& keys, const std::function<void(Line&)>& visit) {
  const std::string bytes = json::ReadFile(file);
  RefuseOtherFormats(file, bytes);
  std::string_view rest = bytes;
  std::unordered_map<std::string, std::int64_t> seen;
  for (std::int64_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view text = WithoutMark(rest.substr(0, end));  // files that were joined have marks inside
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Line line{.object = {}, .where = base::Format("{}:{}", file.string(), number), .text = std::string(text), .id = ""};
    line.object = ParseRow(text, line.where);
    line.id = ReadId(line, keys, number);
    const auto [it, is_new] = seen.emplace(line.id, number);
    if (!is_new) {
      base::ThrowBadInput(
          base::Format("{}: duplicate id '{}', first seen in line {}; expected each id once: "
                       "give the row another, or leave one of the two out",
                       line.where, line.id, it->second));
    }
    visit(line);
  }
}

// What templates know; which of them this model's does, it says itself.
constexpr std::string_view kRoles[] = {"system", "user", "assistant", "developer", "tool", "function", "ipython"};

// A content is text, or a list of {"type": "text", "text": …} parts.
std::string ReadContent(const Json& content, const std::string& where) {
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) {
    base::ThrowBadInput(base::Format("{}: 'content' holds {}, expected text", where, json::Describe(content)));
  }
  std::string text;
  for (const Json& part : content) {
    if (!part.is_object() || part.value("type", Json()) != "text") {
      base::ThrowBadInput(where + ": 'content' has a part that is not text; only text is supported");
    }
    text += json::GetString(part, "text", where);
  }
  return text;
}

std::vector<schema::ChatMessage> ReadMessages(const Json& list, const std::string& where) {
  if (list.empty()) base::ThrowBadInput(where + ": the list of messages is empty");
  std::vector<schema::ChatMessage> messages;
  for (const Json& item : list) {
    const std::string place = base::Format("{}: message {}", where, messages.size() + 1);
    schema::ChatMessage message{.role = json::GetString(item, "role", place), .content = {}};
    if (std::find(std::begin(kRoles), std::end(kRoles), message.role) == std::end(kRoles)) {
      base::ThrowBadInput(base::Format("{}: the role is '{}', expected system, user, assistant, developer or tool",
                                       place, message.role));
    }
    // A call of tools may come without words.
    const bool has_words = item.contains("content") && !item["content"].is_null();
    if (has_words) {
      message.content = ReadContent(item["content"], place);
    } else if (!item.contains("tool_calls")) {
      base::ThrowBadInput(place + ": the key 'content' is missing, expected text");
    }
    if (item.size() > 2 || !has_words || !item["content"].is_string()) message.json = json::Dump(item);
    messages.push_back(std::move(message));
  }
  return messages;
}

schema::Prompt ReadPrompt(const Line& line, const RowKeys& keys) {
  std::string key;
  const Json* value = FindFirst(line.object, keys.prompt, true, &key);
  if (value == nullptr) {
    base::ThrowBadInput(
        base::Format("{}: no prompt: the row has {}; expected one of the keys {}: rename one, or (but "
                     "for sft) name it by data.prompt",
                     line.where, KeysIn(line.object), Quoted(keys.prompt)));
  }
  schema::Prompt prompt;
  prompt.id = line.id;
  prompt.columns = json::Dump(line.object);
  if (value->is_string()) {
    prompt.text = value->get<std::string>();
    if (prompt.text.empty()) {
      base::ThrowBadInput(
          base::Format("{}: the prompt '{}' is empty, expected text: leave the row out", line.where, key));
    }
  } else if (value->is_array()) {
    prompt.messages = ReadMessages(*value, base::Format("{}: '{}'", line.where, key));
    prompt.variables = RowVariables(line.object, line.where);
  } else {
    base::ThrowBadInput(base::Format("{}: the key '{}' holds {}, expected text or a list of messages", line.where, key,
                                     json::Describe(*value)));
  }
  return prompt;
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

// The labels of a row, and why one of them is none.
struct Labels {
  std::vector<std::string> texts;
  std::string empty;
};

void AddLabel(const Json& value, const std::string& key, const Line& line, Labels& labels) {
  if (value.is_array()) {
    if (value.empty()) labels.empty = base::Format("the key '{}' holds an empty list", key);
    for (const Json& item : value) {
      if (item.is_array() || item.is_null()) {
        base::ThrowBadInput(base::Format("{}: the key '{}' holds {} in a list, expected texts or numbers", line.where,
                                         key, json::Describe(item)));
      }
      AddLabel(item, key, line, labels);
    }
    return;
  }
  auto label = LabelOf(value, key, line.where);
  if (!label) {
    labels.empty = base::Format("the key '{}' holds {}", key, value.is_null() ? "null" : "an empty text");
  } else if (std::find(labels.texts.begin(), labels.texts.end(), *label) == labels.texts.end()) {
    labels.texts.push_back(std::move(*label));
  }
}

// Of the first key of each list that the row has, and that holds no null.
Labels ReadLabels(const Line& line, const RowKeys& keys) {
  Labels labels;
  std::string key, null_key;
  for (const auto* list : {&keys.answer, &keys.answers}) {
    if (const Json* value = FindFirst(line.object, *list, true, &key)) {
      AddLabel(*value, key, line, labels);
    } else {
      FindFirst(line.object, *list, false, &null_key);
    }
  }
  if (labels.texts.empty() && labels.empty.empty() && !null_key.empty()) {
    labels.empty = base::Format("the key '{}' holds null", null_key);
  }
  return labels;
}

// Why these labels cannot serve where labels are needed, or nothing.
std::string Missing(const std::vector<std::string>& labels, const std::string& empty, const RowKeys& keys) {
  if (!empty.empty()) return empty + ", expected a label";
  if (!labels.empty()) return {};
  return base::Format("no label; expected one of the keys {} | {}", Quoted(keys.answer), Quoted(keys.answers));
}

// Whether `synthesize` wrote the row: the completions are then the group, not what is to be learned.
bool IsSynthesized(const Json& row) {
  return row.contains("completions") && (row.contains("reference") || row.contains("failure"));
}

// The texts that a reference admits: labels stand in it joined by a record separator.
std::vector<std::string> Alternatives(const std::string& reference) {
  std::vector<std::string> texts;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = reference.find('\x1e', begin);
    texts.push_back(reference.substr(begin, end - begin));
  }
  return texts;
}

// What `file` holds for the row's id; Error(kBadInput) naming `what` is missing.
template <class Value>
const Value& OfId(const std::unordered_map<std::string, Value>& by_id, const Row& row, const char* what,
                  const std::filesystem::path& file) {
  const auto found = by_id.find(row.prompt.id);
  if (found == by_id.end()) {
    base::ThrowBadInput(base::Format("{}: no {} for the id '{}'", file.string(), what, row.prompt.id));
  }
  return found->second;
}

}  // namespace

std::optional<std::string> LabelOf(const Json& value, const std::string& key, const std::string& where) {
  if (value.is_null()) return std::nullopt;
  if (value.is_string()) {
    auto text = value.get<std::string>();
    if (IsBlank(text)) return std::nullopt;
    return text;
  }
  if (!json::IsNumber(value) && !value.is_boolean()) {
    base::ThrowBadInput(base::Format("{}: the key '{}' holds {}, expected text, a number or a list of those", where,
                                     key, json::Describe(value)));
  }
  if (!value.is_binary() || json::IsInteger(value)) return json::Dump(value);
  // A decimal of more digits than a double has is that double, as for every other reader of the file.
  const double rounded = json::GetNumber({{key, value}}, key, where);
  return std::isnormal(rounded) ? json::Dump(Json(rounded)) : json::SpelledNumber(value);
}

Json ToJson(const schema::ChatMessage& message) {
  if (!message.json.empty()) return json::Parse(message.json, "message");
  return {{"role", message.role}, {"content", message.content}};
}

std::vector<Row> ReadRows(const std::filesystem::path& file, const RowKeys& keys) {
  std::vector<Row> rows;
  ForEachLine(file, keys, [&](Line& line) {
    Labels labels = ReadLabels(line, keys);
    rows.push_back({.prompt = ReadPrompt(line, keys),
                    .answers = std::move(labels.texts),
                    .reference = {},
                    .where = line.where,
                    .empty_label = std::move(labels.empty)});
  });
  if (rows.empty())
    base::ThrowBadInput(file.string() +
                        ": holds no rows; expected one JSON object a line: look whether it was written whole");
  return rows;
}

void RequireLabels(const std::vector<Row>& rows, const std::string& who, const RowKeys& keys) {
  for (const Row& row : rows) {
    const std::string missing = Missing(row.answers, row.empty_label, keys);
    if (!missing.empty()) base::ThrowBadInput(base::Format("{}: {}, which {} needs", row.where, missing, who));
  }
}

void JoinAnswers(std::vector<Row>& rows, const std::filesystem::path& labels, const RowKeys& keys) {
  struct Label {
    std::vector<std::string> answers;
    std::string where;
  };
  std::unordered_map<std::string, Label> by_id;
  ForEachLine(labels, keys, [&](Line& line) {
    Labels read = ReadLabels(line, keys);
    const std::string missing = Missing(read.texts, read.empty, keys);
    if (!missing.empty()) base::ThrowBadInput(line.where + ": " + missing);
    by_id.emplace(line.id, Label{std::move(read.texts), line.where});
  });
  for (Row& row : rows) {
    const Label& label = OfId(by_id, row, "label", labels);
    row.answers = label.answers;
    row.where = label.where;
    row.empty_label.clear();
  }
}

LeftOut JoinReferences(std::vector<Row>& rows, const std::filesystem::path& references, double min_agreement,
                       const RowKeys& keys) {
  struct Made {
    std::optional<std::string> reference;  // none: it failed
    bool disputed = false;
  };
  std::unordered_map<std::string, Made> by_id;
  ForEachLine(references, keys, [&](Line& line) {
    Made made;
    if (!line.object.contains("failure")) {
      made.reference = json::GetString(line.object, "reference", line.where);
      made.disputed = min_agreement > 0 && json::GetNumber(line.object, "agreement", line.where) < min_agreement;
    }
    by_id.emplace(line.id, std::move(made));
  });
  LeftOut left_out;
  std::erase_if(rows, [&](Row& row) {
    const Made& made = OfId(by_id, row, "reference", references);
    if (!made.reference) ++left_out.failed;
    if (made.disputed) ++left_out.disputed;
    row.reference = made.reference;
    return !made.reference || made.disputed;
  });
  return left_out;
}

std::vector<Pair> ReadPairs(const std::filesystem::path& file, const RowKeys& keys) {
  std::vector<Pair> pairs;
  ForEachLine(file, keys, [&](Line& line) {
    Pair pair{ReadPrompt(line, keys), {}};
    if (pair.prompt.messages.empty()) pair.prompt.columns.clear();
    std::string key;
    Labels labels;
    if (IsSynthesized(line.object)) {
      if (line.object.contains("failure")) return;
      pair.completions = Alternatives(json::GetString(line.object, "reference", line.where));
    } else if (const Json* value = FindFirst(line.object, keys.completion, true, &key)) {
      AddLabel(*value, key, line, labels);
    } else {
      labels = ReadLabels(line, keys);
    }
    if (!labels.empty.empty()) base::ThrowBadInput(line.where + ": " + labels.empty + ", expected a completion");
    if (pair.completions.empty()) pair.completions = std::move(labels.texts);
    if (pair.completions.empty()) {
      base::ThrowBadInput(base::Format("{}: no completion; expected one of the keys {} | {} | {}", line.where,
                                       Quoted(keys.completion), Quoted(keys.answer), Quoted(keys.answers)));
    }
    pairs.push_back(std::move(pair));
  });
  if (pairs.empty()) base::ThrowBadInput(file.string() + ": holds no rows to learn from");
  return pairs;
}

}  // namespace autodidact::data
