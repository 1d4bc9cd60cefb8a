#include "json/json.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/fault.h"
#include "base/format.h"
#include "base/write.h"
#include "json/dom_builder.h"
#include "json/spelled_number.h"

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

[[noreturn]] void ThrowAt(const std::string& where, const DomBuilder& builder) {
  const std::size_t column = builder.error_position();
  base::ThrowBadInput(column == 0 ? base::Format("{}: {}", where, builder.error())
                                  : base::Format("{}: column {}: {}", where, column, builder.error()));
}

// Puts the numbers that were taken out of the text back, as values that hold their digits.
class StrictBuilder : public DomBuilder {
 public:
  explicit StrictBuilder(std::map<std::size_t, std::string> spelled)
      : DomBuilder(RepeatedKey::kRefused), spelled_(std::move(spelled)) {}

  bool number_integer(number_integer_t value) { return AddSpelled() || DomBuilder::number_integer(value); }
  bool number_unsigned(number_unsigned_t value) { return AddSpelled() || DomBuilder::number_unsigned(value); }
  bool number_float(number_float_t value, const string_t& text) {
    return AddSpelled() || DomBuilder::number_float(value, text);
  }

 private:
  bool AddSpelled() {
    const auto found = spelled_.find(num_numbers_++);
    return found != spelled_.end() && Add(SpelledValue(found->second));
  }

  const std::map<std::size_t, std::string> spelled_;
  std::size_t num_numbers_ = 0;
};

bool HoldsSpelled(const Json& value) {
  return value.is_binary() || (value.is_structured() && std::any_of(value.begin(), value.end(), HoldsSpelled));
}

std::string DumpPlain(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void Write(const Json& value, std::string& out) {
  if (value.is_binary()) {
    out += SpelledNumber(value);
  } else if (value.is_structured() && HoldsSpelled(value)) {
    const char* separator = "";
    out += value.is_object() ? '{' : '[';
    for (const auto& [key, member] : value.items()) {
      out += separator;
      if (value.is_object()) out += DumpPlain(key) + ':';
      Write(member, out);
      separator = ",";
    }
    out += value.is_object() ? '}' : ']';
  } else {
    out += DumpPlain(value);
  }
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
  ThrowAt(where, builder);
}

Json ParseStrict(std::string_view text, const std::string& where) {
  std::string plain(text);
  StrictBuilder builder(TakeSpelledNumbers(plain));
  if (Json::sax_parse(plain.begin(), plain.end(), &builder)) return std::move(builder.root());
  ThrowAt(where, builder);
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
  if (std::filesystem::is_character_file(status) || std::filesystem::is_block_file(status)) {
    base::ThrowBadInput(file.string() + ": is a device, expected a file");
  }
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

void WriteFile(const std::filesystem::path& name, std::string_view bytes) {
  namespace fs = std::filesystem;
  std::error_code error;
  // What a link leads to is replaced, not the link. A device or a pipe cannot be replaced: it is written.
  const fs::path file = fs::is_symlink(name, error) && fs::exists(name, error) ? fs::canonical(name) : name;
  const fs::file_status status = fs::status(file, error);
  const bool replaced = !fs::exists(status) || fs::is_regular_file(status);
  fs::path written = file;
  if (replaced) written += base::Format(".{}.tmp", ::getpid());
  const int descriptor = ::open(written.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    base::ThrowBadInput(base::Format("{}: cannot be written: {}", name.string(), std::strerror(errno)));
  }
  const auto fail = [&](const std::string& message) {
    std::error_code ignored;
    if (replaced) fs::remove(written, ignored);
    throw base::Error(base::ErrorKind::kRetryLater, message);
  };
  try {
    base::WriteAll(descriptor, bytes, name.string());
  } catch (const base::Error& failed) {
    ::close(descriptor);
    fail(failed.message());
  }
  if (::close(descriptor) != 0) {
    fail(base::Format("{}: cannot be written: {}", name.string(), std::strerror(errno)));
  }
  if (!replaced) return;
  if (base::FaultFails("json.rename")) {
    error = std::error_code(errno, std::generic_category());
  } else {
    fs::rename(written, file, error);
  }
  if (error) fail(base::Format("{}: cannot be replaced: {}", name.string(), error.message()));
}

std::string Dump(const Json& value) {
  std::string text;
  Write(value, text);
  return text;
}

std::string GetString(const Json& object, const std::string& key, const std::string& where) {
  const Json& value = Member(object, key, where, "a string");
  if (!value.is_string()) ThrowWrongType(value, key, where, "a string");
  return value.get<std::string>();
}

double GetNumber(const Json& object, const std::string& key, const std::string& where) {
  const Json& value = Member(object, key, where, "a number");
  if (!IsNumber(value)) ThrowWrongType(value, key, where, "a number");
  return value.is_binary() ? std::strtod(SpelledNumber(value).c_str(), nullptr) : value.get<double>();
}

std::int64_t GetInteger(const Json& object, const std::string& key, const std::string& where) {
  const Json& value = Member(object, key, where, "an integer");
  if (!IsInteger(value)) ThrowWrongType(value, key, where, "an integer");
  if (value.is_binary()) ThrowWrongType(value, key, where, "an integer within 64 bits");
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
    case Json::value_t::binary:
      return "the number " + Shorten(Dump(value));
    default:
      return "something that is not JSON";
  }
}

}  // namespace autodidact::json
