#include "base/checksum.h"

#include <xxhash.h>

#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/format.h"

namespace autodidact::base {

struct Checksummer::State {
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> xxh{XXH3_createState(), &XXH3_freeState};
};

Checksummer::Checksummer() : state_(std::make_unique<State>()) {
  XXH3_64bits_reset(state_->xxh.get());
}

Checksummer::~Checksummer() = default;

void Checksummer::Update(const void* data, std::size_t size) {
  XXH3_64bits_update(state_->xxh.get(), data, size);
}

std::uint64_t Checksummer::Digest() const {
  return XXH3_64bits_digest(state_->xxh.get());
}

std::uint64_t Checksum(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::uint64_t ChecksumOfFile(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) ThrowBadInput(file.string() + ": cannot be read");
  Checksummer checksummer;
  std::vector<char> block(1 << 20);
  while (stream.read(block.data(), static_cast<std::streamsize>(block.size())) || stream.gcount() > 0) {
    checksummer.Update(block.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (stream.bad()) ThrowBadInput(file.string() + ": cannot be read to its end");
  return checksummer.Digest();
}

std::string Hex(std::uint64_t checksum) {
  return Format("{:016x}", checksum);
}

}  // namespace autodidact::base
