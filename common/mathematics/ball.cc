#include "mathematics/ball.h"

#include <acb_calc.h>
#include <arb.h>
#include <mag.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "mathematics/value.h"
#include "mathematics/zero.h"

namespace autodidact::mathematics {
namespace {

using MaybeBall = std::optional<Ball>;

constexpr double kMaxLogOfCostly = 10;

struct BallFunction {
  const char* name;
  void (*function)(acb_t, const acb_t, slong);
};

constexpr BallFunction kBallFunctions[] = {
    {"\\sin", acb_sin},     {"\\cos", acb_cos},   {"\\tan", acb_tan},     {"\\cot", acb_cot},
    {"\\sec", acb_sec},     {"\\csc", acb_csc},   {"\\arcsin", acb_asin}, {"\\arccos", acb_acos},
    {"\\arctan", acb_atan}, {"\\sinh", acb_sinh}, {"\\cosh", acb_cosh},   {"\\tanh", acb_tanh},
    {"\\ln", acb_log},      {"\\exp", acb_exp},   {"\\Gamma", acb_gamma}, {"\\zeta", acb_zeta},
};

double LogOf(const mag_t size) {
  return mag_get_d_log2_approx(size);
}

bool IsExactlyReal(const Ball& x) {
  return arb_is_zero(acb_imagref(x.Raw())) != 0;
}

// x^(p/q): the real root of a negative number where q is odd.
Ball RationalPower(const Ball& x, const SmallRational& exponent, slong precision) {
  const auto [p, q] = exponent;
  if (p <= 0 && x.HasZero()) return Ball::Undefined();
  Ball result;
  if (acb_is_zero(x.Raw())) return result;
  if (q == 1) {
    acb_pow_si(result.Raw(), x.Raw(), p, precision);
    return result;
  }
  const bool is_negative = arb_is_negative(acb_realref(x.Raw())) != 0;
  if (IsExactlyReal(x) && (arb_is_positive(acb_realref(x.Raw())) || (is_negative && q % 2 != 0))) {
    arb_ptr real = acb_realref(result.Raw());
    arb_abs(real, acb_realref(x.Raw()));
    arb_root_ui(real, real, static_cast<ulong>(q), precision);
    if (is_negative) arb_neg(real, real);
    acb_pow_si(result.Raw(), result.Raw(), p, precision);
    return result;
  }
  if (q == 2) {
    acb_sqrt(result.Raw(), x.Raw(), precision);
    acb_pow_si(result.Raw(), result.Raw(), p, precision);
    return result;
  }
  Ball power(p);
  acb_div_si(power.Raw(), power.Raw(), q, precision);
  acb_pow(result.Raw(), x.Raw(), power.Raw(), precision);
  return result;
}

Ball GeneralPower(const Ball& base, const Ball& exponent, slong precision) {
  Ball result;
  if (acb_is_zero(base.Raw())) {
    const bool grows = IsExactlyReal(exponent) && arb_is_positive(acb_realref(exponent.Raw())) != 0;
    return grows ? result : Ball::Undefined();
  }
  if (base.HasZero()) return Ball::Undefined();
  acb_pow(result.Raw(), base.Raw(), exponent.Raw(), precision);
  return result;
}

// Whether part of the ball may lie on the negative half of the line, where roots and logarithms are cut, or at zero.
bool MeetsCut(const Ball& x) {
  return arb_contains_zero(acb_imagref(x.Raw())) != 0 && arb_is_positive(acb_realref(x.Raw())) == 0;
}

// Whether an inverse function is holomorphic in the ball, as far as is known.
bool IsOffCut(const std::string& function, const Ball& x) {
  if (function == "\\ln" || function == "\\log" || function == "\\lg") return !MeetsCut(x);
  const bool is_sine = function == "\\arcsin" || function == "\\arccos";
  if (!is_sine && function != "\\arctan") return true;
  // Within the unit disc there is no cut.
  return x.LogUpper() < 0;
}

Ball Logarithm(const Ball& x, const Ball& base, slong precision) {
  Ball above, below;
  acb_log(above.Raw(), x.Raw(), precision);
  acb_log(below.Raw(), base.Raw(), precision);
  return Quotient(above, below, precision);
}

// n! / (k! (n − k)!), the factorials being those of the gamma function.
Ball Binomial(const Ball& n, const Ball& k, slong precision) {
  if (!IsExactlyReal(n) || !IsExactlyReal(k) || std::max(n.LogUpper(), k.LogUpper()) > 64) return Ball::Undefined();
  Ball result(1), part;
  acb_add_si(part.Raw(), n.Raw(), 1, precision);
  acb_gamma(result.Raw(), part.Raw(), precision);
  acb_add_si(part.Raw(), k.Raw(), 1, precision);
  acb_rgamma(part.Raw(), part.Raw(), precision);
  acb_mul(result.Raw(), result.Raw(), part.Raw(), precision);
  acb_sub(part.Raw(), n.Raw(), k.Raw(), precision);
  acb_add_si(part.Raw(), part.Raw(), 1, precision);
  acb_rgamma(part.Raw(), part.Raw(), precision);
  acb_mul(result.Raw(), result.Raw(), part.Raw(), precision);
  return result;
}

// The variable of an integral and where it is.
struct BoundVariable {
  const std::string& name;
  acb_srcptr value;
  bool holomorphic;  // the value of the expression is asked for where it is holomorphic only
};

class BallEvaluation {
 public:
  BallEvaluation(Trial& trial, const Point& point, slong precision, const BoundVariable* bound = nullptr)
      : trial_(trial), point_(point), precision_(precision), bound_(bound) {}

  MaybeBall Of(const Node& node) {
    const std::int64_t words = precision_ / 64;
    const bool is_costly = node.op == Op::kCall || node.op == Op::kPower || node.op == Op::kFactorial;
    if (!trial_.Spend(is_costly ? 20 * words * (1 + words / 16) : 2 * words)) return Ball::Undefined();
    switch (node.op) {
      case Op::kNumber:
        return NumberBall(node.name);
      case Op::kSymbol:
        return SymbolBall(node.name);
      case Op::kPower:
        return PowerBall(node);
      case Op::kRoot:
        return RootBall(node);
      case Op::kFactorial:
        return FactorialBall(node);
      case Op::kCall:
        return CallBall(node);
      default:
        return ArithmeticBall(node);
    }
  }

 private:
  Ball NumberBall(const std::string& text) const {
    const Decimal decimal = ReadDecimal(text);
    Ball scale(10);
    acb_pow_si(scale.Raw(), scale.Raw(), decimal.exponent, precision_);
    Ball number;
    arb_set_fmpq(acb_realref(number.Raw()), decimal.mantissa.Raw(), precision_);
    acb_mul(number.Raw(), number.Raw(), scale.Raw(), precision_);
    return number;
  }

  MaybeBall SymbolBall(const std::string& name) const {
    Ball ball;
    if (name == "\\pi") {
      acb_const_pi(ball.Raw(), precision_);
    } else if (name == "e") {
      arb_const_e(acb_realref(ball.Raw()), precision_);
    } else if (name == "i") {
      acb_onei(ball.Raw());
    } else if (name == "\\infty") {
      return Ball::Undefined();
    } else if (name == "\\ldots" || name == "\\emptyset" || name.starts_with("\\mathbb")) {
      return std::nullopt;
    } else if (bound_ != nullptr && name == bound_->name) {
      acb_set(ball.Raw(), bound_->value);
    } else {
      return VariableBall(name);
    }
    return ball;
  }

  // Between 0.3 and 2.8 times 2^scale; no binary fraction, as a period might be.
  Ball VariableBall(const std::string& name) const {
    const std::uint64_t bits = trial_.Bits(name, point_.number);
    const bool negative = !point_.positive && (bits & 0x80000000u) != 0;
    if (point_.integer) {
      const auto size = static_cast<std::int64_t>(1 + (bits >> 40) % 8);
      return Ball(negative ? -size : size);
    }
    const std::int64_t below = static_cast<std::int64_t>(bits & 0x3fffffff) | 0x40000001;
    const double share = 0.3 + 2.5 * static_cast<double>(bits >> 32) / 4294967296.0;
    Ball ball(static_cast<std::int64_t>(share * static_cast<double>(below)));
    acb_div_si(ball.Raw(), ball.Raw(), below, precision_);
    if (negative) acb_neg(ball.Raw(), ball.Raw());
    acb_mul_2exp_si(ball.Raw(), ball.Raw(), point_.scale);
    if (point_.centre == nullptr) return ball;
    Ball centre;
    arb_set_fmpq(acb_realref(centre.Raw()), point_.centre->Raw(), precision_);
    acb_add(ball.Raw(), ball.Raw(), centre.Raw(), precision_);
    return ball;
  }

  MaybeBall PowerBall(const Node& node) {
    if (node.args[0].op == Op::kSymbol && node.args[0].name == "e") {
      MaybeBall exponent = Of(node.args[1]);
      if (exponent) acb_exp(exponent->Raw(), exponent->Raw(), precision_);
      return exponent;
    }
    const MaybeBall base = Of(node.args[0]);
    if (!base) return base;
    const auto rational = ToSmallRational(node.args[1]);
    const bool is_cut = IsHolomorphicAsked() && !(rational && rational->second == 1) && MeetsCut(*base);
    if (is_cut) return Ball::Undefined();
    if (rational) return RationalPower(*base, *rational, precision_);
    const MaybeBall exponent = Of(node.args[1]);
    return exponent ? GeneralPower(*base, *exponent, precision_) : exponent;
  }

  MaybeBall RootBall(const Node& node) {
    const MaybeBall radicand = Of(node.args[0]);
    if (!radicand) return radicand;
    if (IsHolomorphicAsked() && MeetsCut(*radicand)) return Ball::Undefined();
    const auto degree = ToSmallRational(node.args[1]);
    if (degree && degree->first > 0) return RationalPower(*radicand, {degree->second, degree->first}, precision_);
    const MaybeBall general = Of(node.args[1]);
    return general ? GeneralPower(*radicand, Quotient(Ball(1), *general, precision_), precision_) : general;
  }

  MaybeBall FactorialBall(const Node& node) {
    MaybeBall argument = Of(node.args[0]);
    if (!argument) return argument;
    if (!IsExactlyReal(*argument) || argument->LogUpper() > 64) return Ball::Undefined();
    acb_add_si(argument->Raw(), argument->Raw(), 1, precision_);
    acb_gamma(argument->Raw(), argument->Raw(), precision_);
    return argument;
  }

  bool IsHolomorphicAsked() const { return bound_ != nullptr && bound_->holomorphic; }

  // Arb's integration subdivides until the enclosure is narrow, or gives up.
  MaybeBall IntegralBall(const Node& node) {
    constexpr slong kMaxEvaluations = 20'000;
    if (bound_ != nullptr || node.args.size() != 4 || HasVariables(node.args[1])) return std::nullopt;
    const MaybeBall lower = Of(node.args[2]);
    const MaybeBall upper = lower ? Of(node.args[3]) : lower;
    if (!upper) return upper;
    if (!lower->IsFinite() || !upper->IsFinite()) return Ball::Undefined();
    Integrand integrand{this, node, true};
    Ball result;
    mag_t tolerance;
    mag_init(tolerance);
    mag_set_ui_2exp_si(tolerance, 1, -precision_);
    acb_calc_integrate_opt_t options;
    acb_calc_integrate_opt_init(options);
    options->eval_limit = kMaxEvaluations;
    acb_calc_integrate(result.Raw(), ValueOfIntegrand, &integrand, lower->Raw(), upper->Raw(), precision_, tolerance,
                       options, precision_);
    mag_clear(tolerance);
    if (!integrand.supported) return std::nullopt;
    return result.IsFinite() ? result : Ball::Undefined();
  }

  struct Integrand {
    const BallEvaluation* evaluation;
    const Node& integral;
    bool supported;
  };
  static int ValueOfIntegrand(acb_ptr result, const acb_t at, void* parameter, slong order, slong precision) {
    auto& integrand = *static_cast<Integrand*>(parameter);
    const BoundVariable bound{integrand.integral.args[0].name, at, order != 0};
    const BallEvaluation& outer = *integrand.evaluation;
    const MaybeBall value =
        integrand.supported
            ? BallEvaluation(outer.trial_, outer.point_, precision, &bound).Of(integrand.integral.args[1])
            : std::nullopt;
    integrand.supported = value.has_value();
    if (value) {
      acb_set(result, value->Raw());
    } else {
      acb_indeterminate(result);
    }
    return 0;
  }

  MaybeBall CallBall(const Node& node) {
    if (node.name == "\\int") return IntegralBall(node);
    std::vector<Ball> arguments;
    for (const Node& argument : node.args) {
      MaybeBall value = Of(argument);
      if (!value) return value;
      if (!value->IsFinite()) return Ball::Undefined();
      arguments.push_back(std::move(*value));
    }
    if (arguments.empty()) return std::nullopt;
    if (arguments.size() > 1) return OfMany(node, arguments);
    Ball result;
    if (IsHolomorphicAsked() && !IsOffCut(node.name, arguments[0])) return Ball::Undefined();
    if (node.name == "\\abs" && bound_ != nullptr) {
      acb_real_abs(result.Raw(), arguments[0].Raw(), IsHolomorphicAsked() ? 1 : 0, precision_);
      return result;
    }
    if (node.name == "\\abs") {
      acb_abs(acb_realref(result.Raw()), arguments[0].Raw(), precision_);
      return result;
    }
    if (node.name == "\\floor" || node.name == "\\ceil") return Stepped(node, arguments[0]);
    if (node.name == "\\lg" || node.name == "\\log") return Logarithm(arguments[0], Ball(10), precision_);
    // Far out, and far from the line, these two take more than all others together.
    const bool is_costly = node.name == "\\zeta" || node.name == "\\Gamma";
    const bool is_far = bound_ != nullptr || !IsExactlyReal(arguments[0]) || arguments[0].LogUpper() > kMaxLogOfCostly;
    if (is_costly && is_far) return std::nullopt;
    for (const BallFunction& named : kBallFunctions) {
      if (node.name != named.name) continue;
      named.function(result.Raw(), arguments[0].Raw(), precision_);
      return result;
    }
    return std::nullopt;
  }

  MaybeBall OfMany(const Node& node, const std::vector<Ball>& arguments) {
    if (bound_ != nullptr && node.name != "\\log") return std::nullopt;
    if (IsHolomorphicAsked() && (MeetsCut(arguments[0]) || MeetsCut(arguments[1]))) return Ball::Undefined();
    if (node.name == "\\log" && arguments.size() == 2) return Logarithm(arguments[0], arguments[1], precision_);
    if (node.name == "\\binom" || node.name == "\\gcd" || node.name == "\\lcm") {
      const auto exact = ExactValue(node);
      if (!exact && node.name == "\\binom" && arguments.size() == 2)
        return Binomial(arguments[0], arguments[1], precision_);
      if (!exact) return std::nullopt;
      Ball result;
      arb_set_fmpq(acb_realref(result.Raw()), exact->Raw(), precision_);
      return result;
    }
    if (node.name != "\\max" && node.name != "\\min") return std::nullopt;
    if (!std::all_of(arguments.begin(), arguments.end(), IsExactlyReal)) return Ball::Undefined();
    const auto choose = node.name == "\\max" ? arb_max : arb_min;
    Ball result = arguments[0];
    for (const Ball& argument : arguments) {
      choose(acb_realref(result.Raw()), acb_realref(result.Raw()), acb_realref(argument.Raw()), precision_);
    }
    return result;
  }

  // The roundings jump at integers: what cannot be told from one at any precision has to be proven to be one.
  MaybeBall Stepped(const Node& node, const Ball& argument) {
    if (!IsExactlyReal(argument)) return Ball::Undefined();
    Ball result;
    arb_ptr real = acb_realref(result.Raw());
    (node.name == "\\floor" ? arb_floor : arb_ceil)(real, acb_realref(argument.Raw()), precision_);
    if (arb_is_exact(real) || HasVariables(node) || argument.LogRadius() > -8 || argument.LogUpper() > 62)
      return result;
    arf_t nearest;
    arf_init(nearest);
    arf_set_d(nearest, 0.5);
    arf_add(nearest, nearest, arb_midref(acb_realref(argument.Raw())), precision_, ARF_RND_NEAR);
    arf_floor(nearest, nearest);
    const slong integer = arf_get_si(nearest, ARF_RND_NEAR);
    arf_clear(nearest);
    const Node difference =
        MakeNode(Op::kSubtract, "", {node.args[0], MakeNode(Op::kNumber, std::to_string(std::abs(integer)))});
    Node sum = difference;
    sum.op = integer < 0 ? Op::kAdd : Op::kSubtract;
    return CompareWithZero(sum, trial_) == ValueEquality::kSame ? Ball(integer) : result;
  }

  MaybeBall ArithmeticBall(const Node& node) {
    const bool is_degree = node.op == Op::kUnit && node.name == "degree";
    const bool is_group = node.op == Op::kTuple && node.args.size() == 1 && node.name != "{}";
    if (node.op == Op::kNegate || is_degree || is_group) {
      MaybeBall value = Of(node.args[0]);
      if (!value || is_group) return value;
      if (!is_degree) {
        acb_neg(value->Raw(), value->Raw());
        return value;
      }
      Ball degree;
      acb_const_pi(degree.Raw(), precision_);
      acb_div_si(degree.Raw(), degree.Raw(), 180, precision_);
      acb_mul(value->Raw(), value->Raw(), degree.Raw(), precision_);
      return value;
    }
    if (node.op != Op::kAdd && node.op != Op::kSubtract && node.op != Op::kMultiply && node.op != Op::kDivide) {
      return std::nullopt;
    }
    MaybeBall left = Of(node.args[0]);
    const MaybeBall right = left ? Of(node.args[1]) : left;
    if (!right) return right;
    if (node.op == Op::kDivide) return Quotient(*left, *right, precision_);
    const auto operation = node.op == Op::kAdd ? acb_add : node.op == Op::kSubtract ? acb_sub : acb_mul;
    operation(left->Raw(), left->Raw(), right->Raw(), precision_);
    return left;
  }

  Trial& trial_;
  const Point& point_;
  const slong precision_;
  const BoundVariable* const bound_;
};

}  // namespace

Ball Ball::Undefined() {
  Ball ball;
  acb_indeterminate(ball.value_);
  return ball;
}

double Ball::LogUpper() const {
  mag_t size;
  mag_init(size);
  acb_get_mag(size, value_);
  const double log = LogOf(size);
  mag_clear(size);
  return log;
}

double Ball::LogLower() const {
  mag_t size;
  mag_init(size);
  acb_get_mag_lower(size, value_);
  const double log = LogOf(size);
  mag_clear(size);
  return log;
}

double Ball::LogRadius() const {
  return std::max(LogOf(arb_radref(acb_realref(value_))), LogOf(arb_radref(acb_imagref(value_))));
}

Ball Difference(const Ball& left, const Ball& right, slong precision) {
  Ball difference;
  acb_sub(difference.Raw(), left.Raw(), right.Raw(), precision);
  return difference;
}

Ball Quotient(const Ball& left, const Ball& right, slong precision) {
  if (right.HasZero()) return Ball::Undefined();
  Ball quotient;
  acb_div(quotient.Raw(), left.Raw(), right.Raw(), precision);
  return quotient;
}

std::optional<Ball> BallValue(const Node& node, Trial& trial, const Point& point, slong precision) {
  return BallEvaluation(trial, point, precision).Of(node);
}

}  // namespace autodidact::mathematics
