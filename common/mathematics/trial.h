// What one comparison draws at random and what it may cost. Private to the room.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace autodidact::mathematics {

// A prime p with p % 4 == 1, so that −1 has a root: the imaginary unit is exact too.
struct PrimeField {
  std::uint64_t prime = 0;
  std::uint64_t imaginary = 0;  // squared: −1
};

// The primes and the points follow from the two texts: whoever writes one of them cannot know them before it knows the
// other, and the same comparison always has the same outcome. One thread.
class Trial {
 public:
  // The order of the texts does not matter.
  Trial(std::string_view left, std::string_view right);

  static constexpr std::size_t kFields = 3;
  const PrimeField& Field(std::size_t index);

  // 64 bits that depend on the texts, a name and a number.
  std::uint64_t Bits(std::string_view name, std::uint32_t number) const;

  // Takes `cost` from what is left, a unit being a tenth of a microsecond or so. False once nothing is left.
  bool Spend(std::int64_t cost);

 private:
  std::uint64_t seed_;
  std::array<std::optional<PrimeField>, kFields> fields_;
  std::int64_t left_to_spend_;
};

}  // namespace autodidact::mathematics
