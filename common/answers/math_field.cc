#include "answers/math_field.h"

#include "answers/math_value.h"
#include "answers/text_util.h"
#include "base/rng.h"

namespace autodidact::answers {
namespace {

using Value = std::optional<std::uint64_t>;

std::uint64_t Power(std::uint64_t base, std::uint64_t exponent, const PrimeField& field) {
  std::uint64_t result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = MultiplyInField(result, base, field);
    base = MultiplyInField(base, base, field);
  }
  return result;
}

std::uint64_t Digits(std::string_view digits, const PrimeField& field) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    value = (MultiplyInField(value, 10, field) + static_cast<std::uint64_t>(c - '0')) % field.prime;
  }
  return value;
}

// "12.3(45)e-6": the digits before the repeating ones, plus those over 99…900…0.
Value Number(std::string_view text, const PrimeField& field) {
  std::int64_t exponent = 0;
  if (const std::size_t at = text.find('e'); at != std::string_view::npos) {
    exponent = std::stoll(std::string(text.substr(at + 1)));
    text = text.substr(0, at);
  }
  std::string_view repeating;
  if (const std::size_t at = text.find('('); at != std::string_view::npos) {
    repeating = text.substr(at + 1, text.size() - at - 2);
    text = text.substr(0, at);
  }
  std::string digits(text);
  if (const std::size_t at = digits.find('.'); at != std::string::npos) {
    exponent -= static_cast<std::int64_t>(digits.size() - at - 1);
    digits.erase(at, 1);
  }
  std::uint64_t value = Digits(digits, field);
  if (!repeating.empty()) {
    const std::uint64_t nines = (Power(10, repeating.size(), field) + field.prime - 1) % field.prime;
    const Value inverse = InverseInField(nines, field);
    if (!inverse) return std::nullopt;
    value = (value + MultiplyInField(Digits(repeating, field), *inverse, field)) % field.prime;
  }
  const std::uint64_t scale = Power(10, static_cast<std::uint64_t>(exponent < 0 ? -exponent : exponent), field);
  if (exponent >= 0) return MultiplyInField(value, scale, field);
  const Value inverse = InverseInField(scale, field);
  if (!inverse) return std::nullopt;
  return MultiplyInField(value, *inverse, field);
}

Value PowerOf(const Node& node, const PrimeField& field, std::uint32_t point) {
  const auto exponent = ToSmallRational(node.args[1]);
  const Value base = ValueInField(node.args[0], field, point);
  if (!exponent || exponent->second != 1 || !base) return std::nullopt;
  if (*base == 0 && exponent->first <= 0) return std::nullopt;
  const bool negative = exponent->first < 0;
  const Value result = Power(*base, static_cast<std::uint64_t>(negative ? -exponent->first : exponent->first), field);
  return negative ? InverseInField(*result, field) : result;
}

Value Factorial(const Node& node, const PrimeField& field) {
  const auto argument = ToSmallRational(node.args[0]);
  if (!argument || argument->second != 1 || argument->first < 0 || argument->first > 5000) return std::nullopt;
  std::uint64_t value = 1;
  for (std::int64_t i = 2; i <= argument->first; ++i) {
    value = MultiplyInField(value, static_cast<std::uint64_t>(i), field);
  }
  return value;
}

}  // namespace

std::uint64_t MultiplyInField(std::uint64_t left, std::uint64_t right, const PrimeField& field) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(left) * right % field.prime);
}

std::optional<std::uint64_t> InverseInField(std::uint64_t value, const PrimeField& field) {
  if (value % field.prime == 0) return std::nullopt;
  return Power(value, field.prime - 2, field);
}

std::uint64_t PointBits(const std::string& name, std::uint32_t point) {
  std::uint64_t hash = 14695981039346656037ull;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  return base::BitsAt({hash, base::RandomStream::kEval, 0, 0}, point);
}

std::optional<std::uint64_t> ValueInField(const Node& node, const PrimeField& field, std::uint32_t point) {
  const auto of = [&](std::size_t i) { return ValueInField(node.args[i], field, point); };
  const std::uint64_t p = field.prime;
  switch (node.op) {
    case Op::kNumber:
      return Number(node.name, field);
    case Op::kSymbol:
      if (node.name == "i") return field.imaginary;
      return PointBits(node.name, point) % p;
    case Op::kNegate: {
      const Value value = of(0);
      return value ? Value((p - *value) % p) : value;
    }
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide: {
      const Value left = of(0);
      Value right = left ? of(1) : left;
      if (!right) return right;
      if (node.op == Op::kAdd) return (*left + *right) % p;
      if (node.op == Op::kSubtract) return (*left + p - *right) % p;
      if (node.op == Op::kDivide) right = InverseInField(*right, field);
      return right ? Value(MultiplyInField(*left, *right, field)) : right;
    }
    case Op::kPower:
      return PowerOf(node, field, point);
    case Op::kFactorial:
      return Factorial(node, field);
    case Op::kTuple:
      if (node.args.size() == 1 && node.name != "{}") return of(0);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace autodidact::answers
