// Checksums against damage, not against malice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace autodidact::base {

// XXH3-64, in pieces. One thread.
class Checksummer {
 public:
  Checksummer();
  ~Checksummer();
  Checksummer(const Checksummer&) = delete;
  Checksummer& operator=(const Checksummer&) = delete;

  void Update(const void* data, std::size_t size);
  // Of all bytes so far.
  std::uint64_t Digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The same of bytes at hand.
std::uint64_t Checksum(std::string_view bytes);
// Of a file's contents; Error(kBadInput) when it cannot be read.
std::uint64_t ChecksumOfFile(const std::filesystem::path& file);
// 16 hexadecimal digits.
std::string Hex(std::uint64_t checksum);

}  // namespace autodidact::base
