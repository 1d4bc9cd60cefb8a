// JSON values. The only header of the JSON library that other rooms see.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace autodidact::json {

// Keeps the order of an object's keys, so that rows are written as they were read.
using Json = nlohmann::ordered_json;

// Deeper nesting is refused: values are written and destroyed by recursion.
inline constexpr int kMaxDepth = 200;

// Error(kBadInput) "where: column N: what the parser said" when the text is not JSON in valid UTF-8, or nested deeper
// than kMaxDepth. `where` names the file and line. A key that an object repeats keeps its last value.
Json Parse(std::string_view text, const std::string& where);
// The whole file; Error(kBadInput) "FILE:LINE: column N: …" when it cannot be read or parsed.
Json ParseFile(const std::filesystem::path& file);

// The file's bytes; Error(kBadInput) naming the file and the reason when it cannot be read.
std::string ReadFile(const std::filesystem::path& file);

// Replaces the file as a whole: a reader sees the old bytes or the new ones, never a part. What is no regular file (a
// device, a pipe) is written as it is. Error naming the file and the reason: kBadInput when it cannot be opened,
// kRetryLater when it cannot be written (a full disk).
void WriteFile(const std::filesystem::path& file, std::string_view bytes);

// One line, no line breaks; invalid UTF-8 becomes U+FFFD. A number that is not finite becomes null.
std::string Dump(const Json& value);

// The member `key` of `object` as a T; Error(kBadInput) naming where, the key, what was found and what was expected.
std::string GetString(const Json& object, const std::string& key, const std::string& where);
double GetNumber(const Json& object, const std::string& key, const std::string& where);
std::int64_t GetInteger(const Json& object, const std::string& key, const std::string& where);

// The value, or null where there is none.
template <class T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

// "a string", "a list", "null" …, and the value itself where it is short: for messages that say what was found.
std::string Describe(const Json& value);

}  // namespace autodidact::json
