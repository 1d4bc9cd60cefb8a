// UTF-8 and the few facts about characters that tokenizers need. All functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace autodidact::text {

// The length of the valid UTF-8 sequence at the start of `text`, or 0 when there is none. Surrogates, overlong forms
// and values above U+10FFFF are invalid.
std::size_t SequenceLength(std::string_view text);

bool IsValidUtf8(std::string_view text);

// Each invalid sequence becomes one U+FFFD, with the longest prefix of a valid sequence counting as one (the Unicode
// standard's "maximal subparts").
std::string ReplaceInvalidUtf8(std::string_view text);

// How many bytes at the end of `text` are a proper prefix of a valid sequence, which more bytes may complete.
std::size_t IncompleteSuffix(std::string_view text);

// Decodes the character at `*position` of valid UTF-8 and moves the position behind it.
char32_t NextChar(std::string_view text, std::size_t* position);

void AppendUtf8(char32_t character, std::string* text);

// The four normal forms, as of Unicode 9 (see unicode_versions.h).
enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };
std::string Normalize(std::string_view text, NormalForm form);

std::string Lowercase(std::string_view text);
// Removes nonspacing marks.
std::string StripAccents(std::string_view text);

// The word characters of UTS #18 as the inside of a bracket expression: for the patterns that `tokenizers` has built
// in, which Oniguruma does not run.
inline constexpr std::string_view kWordClass =
    "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{200c}\\x{200d}\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}"
    "\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}";

bool IsSpace(char32_t character);        // White_Space
bool IsNumeric(char32_t character);      // general category N
bool IsPunctuation(char32_t character);  // general category P, and the ASCII punctuation that Unicode calls symbols

}  // namespace autodidact::text
