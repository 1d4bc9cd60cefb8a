#include "base/checksum.h"

#include <xxhash.h>

#include <fstream>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/format.h"

namespace autodidact::base {

std::uint64_t Checksum(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::uint64_t ChecksumOfFile(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) ThrowBadInput(file.string() + ": cannot be read");
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), &XXH3_freeState);
  XXH3_64bits_reset(state.get());
  std::vector<char> block(1 << 20);
  while (stream.read(block.data(), static_cast<std::streamsize>(block.size())) || stream.gcount() > 0) {
    XXH3_64bits_update(state.get(), block.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (stream.bad()) ThrowBadInput(file.string() + ": cannot be read to its end");
  return XXH3_64bits_digest(state.get());
}

std::string Hex(std::uint64_t checksum) {
  return Format("{:016x}", checksum);
}

}  // namespace autodidact::base
