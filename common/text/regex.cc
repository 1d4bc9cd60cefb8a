#include "text/regex.h"

#include <algorithm>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/error.h"
#include "base/format.h"

namespace autodidact::text {
namespace {

constexpr std::string_view kSpaces = "\\p{Z}\\t-\\r\\x{85}";
// Alphabetic, M, Nd, Pc and the two joiners. The circled and squared letters are the alphabetic ones outside L, M and
// N.
constexpr std::string_view kWords =
    "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{200c}\\x{200d}\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}\\x{1f150}-\\x{1f169}"
    "\\x{1f170}-\\x{1f189}";

// PCRE2's own \s holds U+180E, and its \w lacks marks: both are written out.
std::string Translate(std::string_view pattern, const std::string& where) {
  std::string translated;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c != '\\' || i + 1 == pattern.size()) {
      if (c == '[') in_class = true;
      if (c == ']') in_class = false;
      translated += c;
      continue;
    }
    const char escaped = pattern[++i];
    const bool is_space = escaped == 's' || escaped == 'S';
    const bool is_word = escaped == 'w' || escaped == 'W';
    if (!is_space && !is_word) {
      translated += {'\\', escaped};
      continue;
    }
    const std::string_view members = is_space ? kSpaces : kWords;
    const bool is_negated = escaped == 'S' || escaped == 'W';
    if (in_class && is_negated) {
      base::ThrowBadInput(base::Format("{}: the pattern '{}' has \\{} inside brackets, which is not supported", where,
                                       pattern, escaped));
    }
    if (in_class) {
      translated += members;
    } else {
      translated.append(is_negated ? "[^" : "[").append(members).append("]");
    }
  }
  return translated;
}

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
    : code_(std::make_unique<Code>()), pattern_(Translate(pattern, where)) {
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
