#include "data/rows.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"

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

std::string ReadId(const Line& line, const RowKeys& keys, std::int64_t number) {
  std::string key;
  const Json* value = FindFirst(line.object, keys.id, false, &key);
  if (value == nullptr) return std::to_string(number);
  if (value->is_string() && !value->get_ref<const std::string&>().empty()) return value->get<std::string>();
  if (value->is_number_integer()) return json::Dump(*value);
  base::ThrowBadInput(base::Format("{}: the key '{}' holds {}, expected a text that is not empty or an integer",
                                   line.where, key, json::Describe(*value)));
}

std::string_view WithoutMark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

void ForEachLine(const std::filesystem::path& file, const RowKeys& keys, const std::function<void(Line&)>& visit) {
  const std::string bytes = json::ReadFile(file);
  std::string_view rest = WithoutMark(bytes);
  std::unordered_map<std::string, std::int64_t> seen;
  for (std::int64_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Line line{.object = {}, .where = base::Format("{}:{}", file.string(), number), .text = std::string(text), .id = ""};
    line.object = json::Parse(text, line.where);
    if (!line.object.is_object()) {
      base::ThrowBadInput(
          base::Format("{}: found {}, expected one JSON object", line.where, json::Describe(line.object)));
    }
    line.id = ReadId(line, keys, number);
    const auto [it, is_new] = seen.emplace(line.id, number);
    if (!is_new) {
      base::ThrowBadInput(
          base::Format("{}: duplicate id '{}', first seen in line {}", line.where, line.id, it->second));
    }
    visit(line);
  }
}

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
    std::string role = json::GetString(item, "role", place);
    if (role != "system" && role != "user" && role != "assistant") {
      base::ThrowBadInput(base::Format("{}: the role is '{}', expected system, user or assistant", place, role));
    }
    if (!item.contains("content")) base::ThrowBadInput(place + ": the key 'content' is missing, expected text");
    messages.push_back({std::move(role), ReadContent(item["content"], place)});
  }
  return messages;
}

schema::Prompt ReadPrompt(const Line& line, const RowKeys& keys) {
  std::string key;
  const Json* value = FindFirst(line.object, keys.prompt, false, &key);
  if (value == nullptr) {
    base::ThrowBadInput(base::Format("{}: no prompt; expected one of the keys {}", line.where, Quoted(keys.prompt)));
  }
  schema::Prompt prompt;
  prompt.id = line.id;
  prompt.columns = json::Dump(line.object);
  if (value->is_string()) {
    prompt.text = value->get<std::string>();
    if (prompt.text.empty()) base::ThrowBadInput(base::Format("{}: the prompt '{}' is empty", line.where, key));
  } else if (value->is_array()) {
    prompt.messages = ReadMessages(*value, base::Format("{}: '{}'", line.where, key));
  } else {
    base::ThrowBadInput(base::Format("{}: the key '{}' holds {}, expected text or a list of messages", line.where, key,
                                     json::Describe(*value)));
  }
  return prompt;
}

void AddLabel(const Json& value, const std::string& key, const Line& line, std::vector<std::string>& labels) {
  if (value.is_array()) {
    for (const Json& item : value) {
      if (!item.is_array()) {
        AddLabel(item, key, line, labels);
        continue;
      }
      base::ThrowBadInput(
          base::Format("{}: the key '{}' holds a list in a list, expected texts or numbers", line.where, key));
    }
    return;
  }
  std::string label;
  if (value.is_string()) {
    label = value.get<std::string>();
  } else if (value.is_number() || value.is_boolean()) {
    label = json::Dump(value);
  } else {
    base::ThrowBadInput(base::Format("{}: the key '{}' holds {}, expected text, a number or a list of those",
                                     line.where, key, json::Describe(value)));
  }
  if (std::find(labels.begin(), labels.end(), label) == labels.end()) labels.push_back(std::move(label));
}

std::vector<std::string> ReadLabels(const Line& line, const RowKeys& keys) {
  std::vector<std::string> labels;
  for (const auto* list : {&keys.answer, &keys.answers}) {
    std::string key;
    if (const Json* value = FindFirst(line.object, *list, true, &key)) AddLabel(*value, key, line, labels);
  }
  return labels;
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

std::vector<Row> ReadRows(const std::filesystem::path& file, const RowKeys& keys) {
  std::vector<Row> rows;
  ForEachLine(file, keys, [&](Line& line) { rows.push_back({ReadPrompt(line, keys), ReadLabels(line, keys), {}}); });
  if (rows.empty()) base::ThrowBadInput(file.string() + ": holds no rows");
  return rows;
}

void JoinAnswers(std::vector<Row>& rows, const std::filesystem::path& labels, const RowKeys& keys) {
  std::unordered_map<std::string, std::vector<std::string>> by_id;
  ForEachLine(labels, keys, [&](Line& line) {
    std::vector<std::string> answers = ReadLabels(line, keys);
    if (answers.empty()) {
      base::ThrowBadInput(base::Format("{}: no label; expected one of the keys {} | {}", line.where,
                                       Quoted(keys.answer), Quoted(keys.answers)));
    }
    by_id.emplace(line.id, std::move(answers));
  });
  for (Row& row : rows) row.answers = OfId(by_id, row, "label", labels);
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
    pair.prompt.columns.clear();
    std::string key;
    if (IsSynthesized(line.object)) {
      if (line.object.contains("failure")) return;
      pair.completions = Alternatives(json::GetString(line.object, "reference", line.where));
    } else if (const Json* value = FindFirst(line.object, keys.completion, true, &key)) {
      AddLabel(*value, key, line, pair.completions);
    } else {
      pair.completions = ReadLabels(line, keys);
    }
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
