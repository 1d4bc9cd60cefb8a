#include "text/regex.h"

#include <algorithm>
#include <utility>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/error.h"
#include "base/format.h"
#include "text/unicode_versions.h"

namespace autodidact::text {
namespace {

constexpr std::string_view kSpaces = "\\p{Z}\\t-\\r\\x{85}";
// Oniguruma's word characters: alphabetic, M, Nd, Pc, and the numbers of Latin-1. The circled and squared letters are
// the alphabetic ones outside L, M and N.
constexpr std::string_view kWords =
    "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}"
    "\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}";

// PCRE2's own \s holds U+180E and its \w lacks marks: both are written out. Properties get the members that PCRE2's
// version of Unicode lacks. A property of ASCII letters or digits names those first, for the sake of the JIT's bitmap.
class Translator {
 public:
  Translator(std::string_view pattern, const std::string& where) : pattern_(pattern), where_(where) {}

  std::string Run() {
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_++];
      if (c == '\\' && at_ < pattern_.size()) {
        Escape(pattern_[at_++]);
        continue;
      }
      if (c == '[') in_class_ = true;
      if (c == ']') in_class_ = false;
      out_ += c;
    }
    return std::move(out_);
  }

 private:
  void Escape(char escaped) {
    switch (escaped) {
      case 's':
      case 'S':
        return Class(std::string(kSpaces), escaped == 'S', {'\\', escaped});
      case 'w':
      case 'W':
        return Class(WithProperties(kWords), escaped == 'W', {'\\', escaped});
      case 'd':
      case 'D':
        return Class(Property("Nd"), escaped == 'D', {'\\', escaped});
      case 'p':
      case 'P':
        return NamedProperty(escaped == 'P');
      default:
        out_ += {'\\', escaped};
    }
  }

  // \p{L}, \p{^L}, \pL
  void NamedProperty(bool is_negated) {
    std::string name;
    if (at_ < pattern_.size() && pattern_[at_] == '{') {
      const std::size_t end = pattern_.find('}', at_);
      if (end == std::string_view::npos) base::ThrowBadInput(where_ + ": the pattern has an unfinished \\p{");
      name = pattern_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
    } else if (at_ < pattern_.size()) {
      name = pattern_[at_++];
    }
    if (name.starts_with('^')) {
      is_negated = !is_negated;
      name.erase(0, 1);
    }
    Class(Property(name), is_negated, (is_negated ? "\\P{" : "\\p{") + name + "}");
  }

  // `original` stands in for a negated class inside brackets, which cannot be nested.
  void Class(const std::string& members, bool is_negated, const std::string& original) {
    if (in_class_ && is_negated) {
      if (original == "\\S" || original == "\\W") {
        base::ThrowBadInput(base::Format("{}: the pattern '{}' has {} inside brackets, which is not supported", where_,
                                         pattern_, original));
      }
      out_ += original;
    } else if (in_class_) {
      out_ += members;
    } else {
      out_.append(is_negated ? "[^" : "[").append(members).append("]");
    }
  }

  static std::string Property(const std::string& name) {
    std::string members;
    if (name == "L") members = "A-Za-z";
    if (name == "N" || name == "Nd") members = "0-9";
    // Names longer than a general category are scripts; PCRE2 alone would add the characters that share a script.
    const bool is_category = name.size() <= 2;
    return members + (is_category ? "\\p{" : "\\p{sc:") + name + "}" + std::string(NewMembers(name));
  }

  static std::string WithProperties(std::string_view members) {
    return std::string(members).append(NewMembers("L")).append(NewMembers("M")).append(NewMembers("Nd"));
  }

  std::string_view pattern_;
  const std::string& where_;
  std::size_t at_ = 0;
  bool in_class_ = false;
  std::string out_;
};

// One per thread: the match data and the JIT's stack are written to by every match.
struct MatchSpace {
  MatchSpace() {
    data = pcre2_match_data_create(64, nullptr);
    context = pcre2_match_context_create(nullptr);
    stack = pcre2_jit_stack_create(32 * 1024, 8 * 1024 * 1024, nullptr);
    pcre2_jit_stack_assign(context, nullptr, stack);
  }
  ~MatchSpace() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_jit_stack_free(stack);
  }
  MatchSpace(const MatchSpace&) = delete;
  MatchSpace& operator=(const MatchSpace&) = delete;

  pcre2_match_data* data = nullptr;
  pcre2_match_context* context = nullptr;
  pcre2_jit_stack* stack = nullptr;
};

std::string ErrorText(int error) {
  PCRE2_UCHAR message[256];
  pcre2_get_error_message(error, message, sizeof message);
  return reinterpret_cast<const char*>(message);
}

}  // namespace

struct Regex::Code {
  ~Code() { pcre2_code_free(code); }
  pcre2_code* code = nullptr;
  bool has_jit = false;
};

Regex::Regex(std::string_view pattern, const std::string& where)
    : code_(std::make_unique<Code>()), pattern_(Translator(pattern, where).Run()) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  code_->code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern_.data()), pattern_.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (code_->code == nullptr) {
    base::ThrowBadInput(base::Format("{}: the pattern '{}' is not understood at byte {}: {}", where, pattern_, offset,
                                     ErrorText(error)));
  }
  code_->has_jit = pcre2_jit_compile(code_->code, PCRE2_JIT_COMPLETE) == 0;
}

Regex::~Regex() = default;

void Regex::FindAll(std::string_view text, std::vector<Span>* matches) const {
  thread_local MatchSpace space;
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(space.data);
  for (std::size_t position = 0; position < text.size();) {
    const int result = code_->has_jit ? pcre2_jit_match(code_->code, subject, text.size(), position, PCRE2_NO_UTF_CHECK,
                                                        space.data, space.context)
                                      : pcre2_match(code_->code, subject, text.size(), position, PCRE2_NO_UTF_CHECK,
                                                    space.data, space.context);
    if (result == PCRE2_ERROR_NOMATCH) return;
    if (result < 0) {
      base::ThrowBadInput(
          base::Format("the tokenizer's pattern '{}' cannot be matched: {}", pattern_, ErrorText(result)));
    }
    // A pattern with \K may report a match that begins before the search or ends before it begins.
    if (bounds[1] > bounds[0] && bounds[0] >= position) {
      matches->push_back({bounds[0], bounds[1]});
      position = bounds[1];
      continue;
    }
    // An empty match: go on behind the next character.
    position = std::max(position, static_cast<std::size_t>(bounds[1])) + 1;
    while (position < text.size() && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80) ++position;
  }
}

}  // namespace autodidact::text
