// Answers as tokens: LaTeX commands, numbers, letters, words. Private to the room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace autodidact::mathematics {

enum class TokenKind {
  kNumber,   // digits, a point, an exponent; thousands separators removed
  kLetter,   // one letter: a variable
  kCommand,  // with its backslash: "\\frac"; also known names written plainly ("sin"), as "\\sin"
  kText,     // words: the contents of \text{…}, or a plain word that is no function
  kSymbol,   // one character: + - * / ^ _ ( ) [ ] { } | , ; : = < > & ! % $ ' or "\\\\" (a new row)
  kEnd,
};

struct MathToken {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  bool space_before = false;
};

// Never fails: what is unknown becomes a command or symbol that the parser refuses. `thousands`: a plain comma or space
// between groups of three digits belongs to the number. The last token is kEnd.
std::vector<MathToken> Tokenize(std::string_view text, bool thousands);

}  // namespace autodidact::mathematics
