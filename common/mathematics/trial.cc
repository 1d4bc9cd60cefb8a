#include "mathematics/trial.h"

#include <flint/flint.h>
#include <flint/ulong_extras.h>

#include <algorithm>

#include "base/rng.h"

namespace autodidact::mathematics {
namespace {

constexpr std::int64_t kBudget = 2'000'000;

// FLINT keeps a thread's caches until the thread says that it ends.
struct FlintThread {
  FlintThread() = default;
  FlintThread(const FlintThread&) = delete;
  FlintThread& operator=(const FlintThread&) = delete;
  ~FlintThread() { flint_cleanup(); }
};

std::uint64_t HashOf(std::string_view text, std::uint64_t hash = 14695981039346656037ull) {  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return hash;
}

PrimeField FieldFrom(std::uint64_t bits) {
  PrimeField field;
  field.prime = (bits >> 4) | (std::uint64_t{1} << 60) | 1;  // below 2^61
  field.prime += field.prime % 4 == 3 ? 2 : 0;
  while (n_is_prime(field.prime) == 0) field.prime += 4;
  const std::uint64_t inverse = n_preinvert_limb(field.prime);
  // Half of all numbers have a power that is a root of −1.
  for (std::uint64_t base = 2;; ++base) {
    field.imaginary = n_powmod2_preinv(base, static_cast<slong>((field.prime - 1) / 4), field.prime, inverse);
    if (n_mulmod2_preinv(field.imaginary, field.imaginary, field.prime, inverse) == field.prime - 1) return field;
  }
}

}  // namespace

Trial::Trial(std::string_view left, std::string_view right) : left_to_spend_(kBudget) {
  static thread_local const FlintThread kThread;
  static_cast<void>(kThread);
  const auto [first, second] = std::minmax(left, right);
  seed_ = HashOf(second, HashOf(std::string_view("\0", 1), HashOf(first)));
}

const PrimeField& Trial::Field(std::size_t index) {
  auto& field = fields_.at(index);
  if (!field) field = FieldFrom(Bits("prime", static_cast<std::uint32_t>(index)));
  return *field;
}

std::uint64_t Trial::Bits(std::string_view name, std::uint32_t number) const {
  return base::BitsAt({seed_, base::RandomStream::kEval, HashOf(name), 0}, number);
}

bool Trial::Spend(std::int64_t cost) {
  left_to_spend_ = std::max<std::int64_t>(left_to_spend_ - cost, -1);
  return left_to_spend_ >= 0;
}

}  // namespace autodidact::mathematics
