#include "weights/delta.h"

#include <zstd.h>

#include "base/check.h"

namespace autodidact::weights {
namespace {

constexpr std::size_t kWord = 4;
// Level 1: the network is rarely slower than this, and zeros compress at any level.
constexpr int kLevel = 1;

// Byte i of the row stands at Place(i): all first bytes of words, then all second ones, …; what is left over stays
// last.
std::string Regroup(std::string_view bytes) {
  const std::size_t words = bytes.size() / kWord;
  std::string planes(bytes.size(), '\0');
  for (std::size_t w = 0; w < words; ++w) {
    for (std::size_t b = 0; b < kWord; ++b) planes[b * words + w] = bytes[w * kWord + b];
  }
  for (std::size_t i = words * kWord; i < bytes.size(); ++i) planes[i] = bytes[i];
  return planes;
}

std::string Ungroup(std::string_view planes) {
  const std::size_t words = planes.size() / kWord;
  std::string bytes(planes.size(), '\0');
  for (std::size_t w = 0; w < words; ++w) {
    for (std::size_t b = 0; b < kWord; ++b) bytes[w * kWord + b] = planes[b * words + w];
  }
  for (std::size_t i = words * kWord; i < planes.size(); ++i) bytes[i] = planes[i];
  return bytes;
}

void XorInto(std::string& bytes, std::string_view other) {
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i] ^ other[i]);
}

}  // namespace

std::string EncodeDelta(std::string_view base, std::string_view next) {
  AD_CHECK(base.size() == next.size(), "a delta between {} and {} bytes", base.size(), next.size());
  std::string difference(next);
  XorInto(difference, base);
  const std::string planes = Regroup(difference);
  std::string packed(ZSTD_compressBound(planes.size()), '\0');
  const std::size_t size = ZSTD_compress(packed.data(), packed.size(), planes.data(), planes.size(), kLevel);
  AD_CHECK(ZSTD_isError(size) == 0, "zstd: {}", ZSTD_getErrorName(size));
  packed.resize(size);
  return packed;
}

std::optional<std::string> ApplyDelta(std::string_view base, std::string_view delta) {
  std::string planes(base.size(), '\0');
  const std::size_t size = ZSTD_decompress(planes.data(), planes.size(), delta.data(), delta.size());
  if (ZSTD_isError(size) != 0 || size != base.size()) return std::nullopt;
  std::string next = Ungroup(planes);
  XorInto(next, base);
  return next;
}

}  // namespace autodidact::weights
