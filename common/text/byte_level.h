// GPT-2's alphabet: each of the 256 bytes as a printable character, so that a vocabulary can be written as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace autodidact::text {

// The character that stands for a byte, in UTF-8.
const std::string& CharOfByte(unsigned char byte);

// The bytes that a token stands for, or nothing when one of its characters stands for none.
std::optional<std::string> BytesOfToken(std::string_view token);

}  // namespace autodidact::text
