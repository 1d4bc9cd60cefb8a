// Builds a Json from the events of the JSON library's streaming parser.
#pragma once

#include <string>
#include <vector>

#include "json/json.h"

namespace autodidact::json {

// What the streaming parser calls, in the order of the text. A reader of a very large file derives from it, shadows the
// events whose values it wants to keep elsewhere and passes the others on. One thread; one text.
class DomBuilder {
 public:
  enum class RepeatedKey { kKeepsLast, kRefused };

  explicit DomBuilder(RepeatedKey repeated = RepeatedKey::kKeepsLast) : repeated_(repeated) {}

  using number_integer_t = Json::number_integer_t;
  using number_unsigned_t = Json::number_unsigned_t;
  using number_float_t = Json::number_float_t;
  using string_t = Json::string_t;
  using binary_t = Json::binary_t;

  bool null() { return Add(nullptr); }
  bool boolean(bool value) { return Add(value); }
  bool number_integer(number_integer_t value) { return Add(value); }
  bool number_unsigned(number_unsigned_t value) { return Add(value); }
  bool number_float(number_float_t value, const string_t&) { return Add(value); }
  bool string(string_t& value) { return Add(std::move(value)); }
  bool binary(binary_t&) { return false; }  // has no JSON text
  bool start_object(std::size_t) { return Open(Json::object()); }
  bool key(string_t& name);
  bool end_object() { return Close(); }
  bool start_array(std::size_t) { return Open(Json::array()); }
  bool end_array() { return Close(); }
  bool parse_error(std::size_t position, const std::string& last_token, const nlohmann::detail::exception& error);

  // Valid after a successful parse.
  Json& root() { return root_; }
  // Valid after a failed one: what was wrong, and the byte at which it was noticed (0: unknown).
  const std::string& error() const { return error_; }
  std::size_t error_position() const { return error_position_; }

  // How many containers are open.
  std::size_t depth() const { return open_.size(); }

 protected:
  // Stops the parse with this message.
  bool Fail(std::string message);
  bool Add(Json value);

 private:
  bool Open(Json container);
  bool Close();
  Json* Place(Json value);

  const RepeatedKey repeated_;
  Json root_;
  std::vector<Json*> open_;
  std::string key_;
  std::string error_;
  std::size_t error_position_ = 0;
};

// Error(kBadInput) "FILE:LINE: column N: …" for the parse of the file's `text` that left `builder` in error.
[[noreturn]] void ThrowParseError(const std::filesystem::path& file, std::string_view text, const DomBuilder& builder);

}  // namespace autodidact::json
