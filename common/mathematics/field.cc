#include "mathematics/field.h"

#include <cmath>

#include "mathematics/exact.h"
#include "mathematics/value.h"

namespace autodidact::mathematics {
namespace {

using Value = std::optional<std::uint64_t>;

constexpr std::int64_t kMaxFieldFactorial = 5000;
// Of the digits (and the degree) of an expression, in bits. Of the primes of 61 bits one in 2^18 divides such a number
// at the most, and all fields would have to be among them.
constexpr double kMaxSize = 1e12;

std::uint64_t PowerInField(std::uint64_t base, std::uint64_t exponent, const PrimeField& field) {
  std::uint64_t result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = MultiplyInField(result, base, field);
    base = MultiplyInField(base, base, field);
  }
  return result;
}

Value FieldNumber(const std::string& text, const PrimeField& field) {
  const Decimal decimal = ReadDecimal(text);
  const std::uint64_t above = fmpz_fdiv_ui(fmpq_numref(decimal.mantissa.Raw()), field.prime);
  const std::uint64_t scale = PowerInField(10, static_cast<std::uint64_t>(std::abs(decimal.exponent)), field);
  const Value below = InverseInField(fmpz_fdiv_ui(fmpq_denref(decimal.mantissa.Raw()), field.prime), field);
  const Value factor = decimal.exponent < 0 ? InverseInField(scale, field) : Value(scale);
  if (!below || !factor) return std::nullopt;
  return MultiplyInField(MultiplyInField(above, *below, field), *factor, field);
}

Value FieldFactorial(const Node& node, const PrimeField& field) {
  const auto argument = ToSmallRational(node.args[0]);
  if (!argument || argument->second != 1 || argument->first < 0 || argument->first > kMaxFieldFactorial) {
    return std::nullopt;
  }
  std::uint64_t value = 1;
  for (std::int64_t i = 2; i <= argument->first; ++i) {
    value = MultiplyInField(value, static_cast<std::uint64_t>(i), field);
  }
  return value;
}

// What names no number: infinity, sets, "…".
bool IsNoNumber(const std::string& name) {
  return name == "\\infty" || name == "\\ldots" || name == "\\emptyset" || name.starts_with("\\mathbb");
}

// The value of an expression and a bound of its size.
struct Sized {
  std::uint64_t value = 0;
  double size = 1;
};

class FieldEvaluation {
 public:
  FieldEvaluation(Trial& trial, const FieldPlace& place)
      : trial_(trial),
        field_(trial.Field(place.field)),
        draw_(static_cast<std::uint32_t>(place.field) + 1000 * (place.point + 1)),
        atoms_(place.atoms) {}

  std::optional<Sized> Of(const Node& node) {
    if (!trial_.Spend(1)) return std::nullopt;
    auto result = Unlimited(node);
    if (result && !(result->size <= kMaxSize)) return std::nullopt;
    return result;
  }

 private:
  static std::optional<Sized> With(const Value& value, double size) {
    return value ? std::optional<Sized>(Sized{*value, size}) : std::nullopt;
  }

  std::optional<Sized> Unlimited(const Node& node) {
    const std::uint64_t p = field_.prime;
    switch (node.op) {
      case Op::kNumber:
        return With(FieldNumber(node.name, field_), 4 * static_cast<double>(node.name.size()) + Exponent(node.name));
      case Op::kSymbol:
        if (node.name == "i") return Sized{field_.imaginary};
        if (IsNoNumber(node.name)) return std::nullopt;
        return Sized{trial_.Bits(node.name, draw_) % p};
      case Op::kNegate: {
        const auto value = Of(node.args[0]);
        return value ? Sized{(p - value->value) % p, value->size} : value;
      }
      case Op::kAdd:
      case Op::kSubtract:
      case Op::kMultiply:
      case Op::kDivide:
        return Binary(node);
      case Op::kPower:
        return OrAtom(node, FieldPower(node));
      case Op::kRoot:
      case Op::kCall:
        return OrAtom(node, std::nullopt);
      case Op::kUnit:
        return node.name == "degree" ? OrAtom(node, std::nullopt) : std::nullopt;
      case Op::kFactorial:
        return OrAtom(node, FactorialInField(node));
      case Op::kTuple:
        if (node.args.size() == 1 && node.name != "{}") return Of(node.args[0]);
        return std::nullopt;
      default:
        return std::nullopt;
    }
  }

  std::optional<Sized> Binary(const Node& node) {
    const std::uint64_t p = field_.prime;
    const auto left = Of(node.args[0]);
    const auto right = left ? Of(node.args[1]) : left;
    if (!right) return right;
    const double size = left->size + right->size + 1;
    const std::uint64_t a = left->value, b = right->value;
    if (node.op == Op::kAdd) return Sized{(a + b) % p, size};
    if (node.op == Op::kSubtract) return Sized{(a + p - b) % p, size};
    if (node.op == Op::kMultiply) return Sized{MultiplyInField(a, b, field_), size};
    const Value inverse = InverseInField(b, field_);
    return inverse ? std::optional<Sized>(Sized{MultiplyInField(a, *inverse, field_), size}) : std::nullopt;
  }

  std::optional<Sized> FactorialInField(const Node& node) {
    trial_.Spend(100);
    return With(FieldFactorial(node, field_), 1e5);
  }

  std::optional<Sized> OrAtom(const Node& node, std::optional<Sized> value) {
    if (value || !atoms_) return value;
    std::string key = std::to_string(static_cast<int>(node.op)) + node.name;
    double size = 1;
    for (const Node& argument : node.args) {
      const auto of_argument = Of(argument);
      if (!of_argument) return of_argument;
      key.append(" ").append(std::to_string(of_argument->value));
      size += of_argument->size;
    }
    return Sized{trial_.Bits(key, draw_) % field_.prime, size};
  }

  std::optional<Sized> FieldPower(const Node& node) {
    const auto exponent = ToSmallRational(node.args[1]);
    const auto base = exponent && exponent->second == 1 ? Of(node.args[0]) : std::nullopt;
    if (!base || (base->value == 0 && exponent->first <= 0)) return std::nullopt;
    const auto times = static_cast<std::uint64_t>(std::abs(exponent->first));
    const std::uint64_t power = PowerInField(base->value, times, field_);
    return With(exponent->first < 0 ? InverseInField(power, field_) : Value(power),
                base->size * static_cast<double>(times) + 1);
  }

  static double Exponent(const std::string& number) {
    const std::size_t at = number.find('e');
    return at == std::string::npos ? 0 : 4 * std::abs(std::stod(number.substr(at + 1)));
  }

  Trial& trial_;
  const PrimeField& field_;
  const std::uint32_t draw_;
  const bool atoms_;
};

}  // namespace

std::uint64_t MultiplyInField(std::uint64_t left, std::uint64_t right, const PrimeField& field) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(left) * right % field.prime);
}

std::optional<std::uint64_t> InverseInField(std::uint64_t value, const PrimeField& field) {
  if (value % field.prime == 0) return std::nullopt;
  return PowerInField(value, field.prime - 2, field);
}

std::optional<std::uint64_t> ValueInField(const Node& node, Trial& trial, const FieldPlace& place) {
  const auto result = FieldEvaluation(trial, place).Of(node);
  return result ? Value(result->value) : std::nullopt;
}

}  // namespace autodidact::mathematics
