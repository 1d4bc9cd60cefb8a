#include "base/reasons.h"

#include <cctype>

namespace autodidact::base {
namespace {

std::string WithoutNumbers(const std::string& reason) {
  std::string text;
  for (const char c : reason) {
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) {
      text += c;
    } else if (text.empty() || text.back() != '#') {
      text += '#';
    }
  }
  return text;
}

}  // namespace

void Reasons::Add(const std::string& reason, std::int64_t count) {
  Known& known = known_[WithoutNumbers(reason)];
  if (known.count == 0) known.first = reason;
  known.count += count;
  total_ += count;
}

void Reasons::Add(const Reasons& other) {
  for (const auto& [key, known] : other.known_) Add(known.first, known.count);
}

std::string Reasons::Commonest() const {
  const Known* commonest = nullptr;
  for (const auto& [key, known] : known_) {
    if (!commonest || known.count > commonest->count) commonest = &known;
  }
  return commonest ? commonest->first : "";
}

}  // namespace autodidact::base
