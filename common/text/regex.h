// Regular expressions as tokenizer.json files write them (Oniguruma's Ruby syntax), run by PCRE2 with its JIT.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/span.h"

namespace autodidact::text {

// Immutable, hence thread-safe.
class Regex {
 public:
  // \s means White_Space, \d any decimal digit, \w Oniguruma's word characters, all and \p{…} by Unicode 16 at least;
  // ^ and $ match at lines. Error(kBadInput) "where: …" for a pattern that PCRE2 does not understand.
  Regex(std::string_view pattern, const std::string& where);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  // Appends the matches that are not empty, left to right. `text` is valid UTF-8. Error(kBadInput) when the pattern
  // needs more steps than PCRE2 allows (an exponential pattern).
  void FindAll(std::string_view text, std::vector<Span>* matches) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
  std::string pattern_;
};

}  // namespace autodidact::text
