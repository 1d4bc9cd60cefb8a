// What the value of a key or of an option may be, and how it is read from its text. One rule serves the config's reader
// and the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace autodidact::launch {

// Whole numbers, both ends included.
struct Whole {
  std::int64_t least = 0;
  std::int64_t most = 0;
  const char* unit = "";   // "tokens"; empty: a plain number
  std::int64_t scale = 1;  // what one of them is where the config keeps the value: 2^20 for MiB kept as bytes
};

// Finite numbers, both ends included.
struct Real {
  double least = 0;
  double most = 0;
  const char* unit = "";  // "seconds"
  bool or_zero = false;   // 0 too, although `least` is above
};

// One of these names.
struct Choice {
  std::vector<std::string> names;
};

// A scalar as it was written. In quotes it is a text, whatever it looks like.
struct Scalar {
  std::string text;
  bool quoted = false;
};

// "a whole number from 1 to 8 (tokens)", "one of group, batch, none": how messages and help name a rule.
std::string Expected(const Whole& rule);
std::string Expected(const Real& rule);
std::string Expected(const Choice& rule);

// Sets `value`, or leaves it and returns why not: `got "2m", expected a number from 0 to 10 (seconds): write 120`.
std::optional<std::string> Read(const Scalar& scalar, const Whole& rule, std::int64_t& value);
std::optional<std::string> Read(const Scalar& scalar, const Real& rule, double& value);
std::optional<std::string> Read(const Scalar& scalar, const Choice& rule, std::string& value);
std::optional<std::string> Read(const Scalar& scalar, bool& value);

// `"text"`, cut where it is long, for messages.
std::string Quoted(const std::string& text);

// The name that is most like `name`, where one is like it at all.
std::optional<std::string> Nearest(const std::string& name, const std::vector<std::string>& names);

}  // namespace autodidact::launch
