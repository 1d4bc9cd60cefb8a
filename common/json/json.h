// JSON values. The only header of the JSON library that other rooms see.
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace autodidact::json {

// Keeps the order of an object's keys, so that rows are written as they were read.
using Json = nlohmann::ordered_json;

// Error(kBadInput) "where: what the parser said" when the text is not JSON. `where` names the file and line.
Json Parse(std::string_view text, const std::string& where);
// The whole file; Error(kBadInput) when it cannot be read or parsed.
Json ParseFile(const std::filesystem::path& file);

// One line, no line breaks; invalid UTF-8 becomes U+FFFD.
std::string Dump(const Json& value);

// The member `key` of `object` as a T; Error(kBadInput) naming where, the key, what was found and what was expected.
std::string GetString(const Json& object, const std::string& key, const std::string& where);
double GetNumber(const Json& object, const std::string& key, const std::string& where);
std::int64_t GetInteger(const Json& object, const std::string& key, const std::string& where);

}  // namespace autodidact::json
