#include "json/json.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "base/error.h"
#include "base/format.h"
#include "json/dom_builder.h"

namespace autodidact::json {
namespace {

const Json& Member(const Json& object, const std::string& key, const std::string& where, const char* expected) {
  if (!object.is_object()) {
    base::ThrowBadInput(
        base::Format("{}: found {}, expected an object with the key '{}'", where, Describe(object), key));
  }
  auto it = object.find(key);
  if (it == object.end())
    base::ThrowBadInput(base::Format("{}: the key '{}' is missing, expected {}", where, key, expected));
  return *it;
}

[[noreturn]] void ThrowWrongType(const Json& value, const std::string& key, const std::string& where,
                                 const char* expected) {
  base::ThrowBadInput(base::Format("{}: the key '{}' holds {}, expected {}", where, key, Describe(value), expected));
}

// At most 80 bytes, cut between characters.
std::string Shorten(std::string text) {
  constexpr std::size_t kLongest = 80;
  if (text.size() <= kLongest) return text;
  std::size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

}  // namespace

Json Parse(std::string_view text, const std::string& where) {
  DomBuilder builder;
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return std::move(builder.root());
  base::ThrowBadInput(base::Format("{}: column {}: {}", where, builder.error_position(), builder.error()));
}

void ThrowParseError(const std::filesystem::path& file, std::string_view text, const DomBuilder& builder) {
  // The position counts the bytes read, so the offending one is the last of them.
  const std::size_t at = std::min(builder.error_position(), text.size());
  const auto seen = text.substr(0, at == 0 ? 0 : at - 1);
  const auto line = std::count(seen.begin(), seen.end(), '\n') + 1;
  const std::size_t line_start = seen.rfind('\n') == std::string_view::npos ? 0 : seen.rfind('\n') + 1;
  base::ThrowBadInput(base::Format("{}:{}: column {}: {}", file.string(), line, at - line_start, builder.error()));
}

Json ParseFile(const std::filesystem::path& file) {
  const std::string text = ReadFile(file);
  DomBuilder builder;
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return std::move(builder.root());
  ThrowParseError(file, text, builder);
}

std::string ReadFile(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (!std::filesystem::exists(status)) base::ThrowBadInput(file.string() + ": no such file");
  if (std::filesystem::is_directory(status)) base::ThrowBadInput(file.string() + ": is a folder, expected a file");
  std::ifstream in(file, std::ios::binary);
  if (!in) base::ThrowBadInput(base::Format("{}: cannot be opened: {}", file.string(), std::strerror(errno)));
  std::string bytes;
  if (std::filesystem::is_regular_file(status)) {
    const auto size = std::filesystem::file_size(file, error);
    if (!error) bytes.reserve(size);
  }
  char buffer[1 << 16];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) bytes.append(buffer, static_cast<std::size_t>(in.gcount()));
  if (in.bad()) base::ThrowBadInput(base::Format("{}: cannot be read: {}", file.string(), std::strerror(errno)));
  return bytes;
}

void WriteFile(const std::filesystem::path& file, std::string_view bytes) {
  std::filesystem::path temporary = file;
  temporary += base::Format(".{}.tmp", ::getpid());
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  std::error_code error;
  if (!out) {
    const std::string reason = std::strerror(errno);
    std::filesystem::remove(temporary, error);
    base::ThrowBadInput(base::Format("{}: cannot be written: {}", file.string(), reason));
  }
  std::filesystem::rename(temporary, file, error);
  if (error) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    base::ThrowBadInput(base::Format("{}: cannot be replaced: {}", file.string(), error.message()));
  }
}

std::string Dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string GetString(const Json& object, const std::string& key, const std::string& where) {
  const Json& value = Member(object, key, where, "a string");
  if (!value.is_string()) ThrowWrongType(value, key, where, "a string");
  return value.get<std::string>();
}

double GetNumber(const Json& object, const std::string& key, const std::string& where) {
  const Json& value = Member(object, key, where, "a number");
  if (!value.is_number()) ThrowWrongType(value, key, where, "a number");
  return value.get<double>();
}

std::int64_t GetInteger(const Json& object, const std::string& key, const std::string& where) {
  const Json& value = Member(object, key, where, "an integer");
  if (!value.is_number_integer()) ThrowWrongType(value, key, where, "an integer");
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    ThrowWrongType(value, key, where, "an integer below 2^63");
  }
  return value.get<std::int64_t>();
}

std::string Describe(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::boolean:
      return value.get<bool>() ? "true" : "false";
    case Json::value_t::string:
      return "the string " + Shorten(Dump(value));
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float:
      return "the number " + Dump(value);
    case Json::value_t::array:
      return base::Format("a list of {}", value.size());
    case Json::value_t::object:
      return base::Format("an object with {} keys", value.size());
    default:
      return "something that is not JSON";
  }
}

}  // namespace autodidact::json
