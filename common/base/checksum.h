// Checksums against damage, not against malice.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace autodidact::base {

// XXH3-64.
std::uint64_t Checksum(std::string_view bytes);
// Of a file's contents; Error(kBadInput) when it cannot be read.
std::uint64_t ChecksumOfFile(const std::filesystem::path& file);
// 16 hexadecimal digits.
std::string Hex(std::uint64_t checksum);

}  // namespace autodidact::base
