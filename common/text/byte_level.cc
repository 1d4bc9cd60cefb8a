#include "text/byte_level.h"

#include <array>

#include "text/unicode.h"

namespace autodidact::text {
namespace {

struct Alphabet {
  Alphabet() {
    // Printable characters of Latin-1 stand for themselves; the other bytes take the characters from U+0100 on, in
    // order.
    char32_t next = 0x100;
    byte_of.fill(-1);
    for (int byte = 0; byte < 256; ++byte) {
      const bool is_printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      const char32_t character = is_printable ? static_cast<char32_t>(byte) : next++;
      AppendUtf8(character, &chars[static_cast<std::size_t>(byte)]);
      byte_of[character] = byte;
    }
  }

  std::array<std::string, 256> chars;
  std::array<int, 0x144> byte_of;  // by character; -1 for none
};

const Alphabet& TheAlphabet() {
  static const Alphabet kAlphabet;
  return kAlphabet;
}

}  // namespace

const std::string& CharOfByte(unsigned char byte) {
  return TheAlphabet().chars[byte];
}

std::optional<std::string> BytesOfToken(std::string_view token) {
  const auto& byte_of = TheAlphabet().byte_of;
  std::string bytes;
  for (std::size_t position = 0; position < token.size();) {
    const char32_t character = NextChar(token, &position);
    if (character >= byte_of.size() || byte_of[character] < 0) return std::nullopt;
    bytes += static_cast<char>(byte_of[character]);
  }
  return bytes;
}

}  // namespace autodidact::text
