#include "mathematics/parser.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"

namespace autodidact::mathematics {
namespace {

// The base that a subscript names: "5", "five", "base 5".
std::string BaseName(std::string subscript) {
  static constexpr std::string_view kNames[] = {"two",    "three",    "four",     "five",    "six",
                                                "seven",  "eight",    "nine",     "ten",     "eleven",
                                                "twelve", "thirteen", "fourteen", "fifteen", "sixteen"};
  if (subscript.starts_with("base")) subscript.erase(0, 4);
  if (subscript.size() > 2 && subscript.front() == '(' && subscript.back() == ')') {
    subscript = subscript.substr(1, subscript.size() - 2);
  }
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (subscript == kNames[i]) return std::to_string(i + 2);
  }
  return subscript;
}

// Digits in a base are a name, but those in base ten.
Node InBase(const Node& number, const std::string& base) {
  if (base == "10" && IsPlainInteger(number)) return number;
  return MakeNode(Op::kSymbol, number.name + "_" + base);
}

}  // namespace

Node Parser::Primary() {
  const Deeper deeper(depth_);
  if (auto number = TakeDigitsInBase()) return std::move(*number);
  if (TakeDifferential()) return MakeNode(Op::kNumber, "1");
  switch (Peek().kind) {
    case TokenKind::kNumber:
      return Number();
    case TokenKind::kLetter:
      return Variable(Take().text);
    case TokenKind::kText:
      return Words();
    case TokenKind::kCommand:
      return Command();
    case TokenKind::kSymbol:
      return Bracketed();
    case TokenKind::kEnd:
      break;
  }
  throw SyntaxError();
}

// The digits are one name, as those without letters are.
std::optional<Node> Parser::TakeDigitsInBase() {
  constexpr std::string_view kDigits = "ABCDEF";
  std::size_t length = 0;
  bool has_letter = false;
  std::string digits;
  for (; length < kMaxDigits; ++length) {
    const MathToken& token = Peek(length);
    const bool is_letter = (token.kind == TokenKind::kLetter || (token.kind == TokenKind::kText && length == 0)) &&
                           token.text.find_first_not_of(kDigits) == std::string::npos;
    const bool is_number =
        token.kind == TokenKind::kNumber && token.text.find_first_not_of("0123456789") == std::string::npos;
    if (length > 0 && token.space_before) break;
    if (!is_letter && !is_number) break;
    has_letter = has_letter || is_letter;
    digits += token.text;
  }
  const std::size_t base = length + (IsSymbol('{', length + 1) ? 2 : 1);
  const bool is_base = IsSymbol('_', length) && Peek(base).kind == TokenKind::kNumber && Peek(base).text.size() == 2;
  if (!has_letter || digits.size() < 2 || !is_base) return std::nullopt;
  at_ += length + 1;
  return MakeNode(Op::kSymbol, digits + "_" + BaseName(Raw()));
}

Node Parser::Number() {
  Node number = MakeNode(Op::kNumber, Take().text);
  if (TakeSymbol('_')) return InBase(number, BaseName(Raw()));
  if (Peek().kind == TokenKind::kText && Peek().text.starts_with("base")) {
    const std::string words = Take().text;
    const std::string name(base::Trim(std::string_view(words).substr(4)));
    return InBase(number, BaseName(name.empty() ? Raw() : name));
  }
  return number;
}

Node Parser::Variable(std::string name) {
  if (TakeSymbol('_')) name += "_" + Raw();
  while (TakeSymbol('\'')) name += "'";
  if (IsFunctionValue(name)) {
    name += "(" + Peek(1).text + ")";
    at_ += 3;
  }
  return MakeNode(Op::kSymbol, std::move(name));
}

bool Parser::IsFunctionValue(const std::string& name) const {
  constexpr std::string_view kFunctionNames = "fghpqrstuvwyFGHPQRSTVW";
  const TokenKind argument = Peek(1).kind;
  if (kFunctionNames.find(name.front()) == std::string_view::npos || !IsSymbol('(') || !IsSymbol(')', 2)) return false;
  if (argument != TokenKind::kLetter && argument != TokenKind::kNumber) return false;
  const std::size_t begin = at_ - 1 - (tokens_[at_ - 1].text == "'" ? 1 : 0);
  return IsRelation(Peek(3)) || (begin > 0 && IsRelation(tokens_[begin - 1]) && Peek(3).kind == TokenKind::kEnd);
}

bool Parser::IsRelation(const MathToken& token) {
  static constexpr std::string_view kSigns[] = {"=", "<", ">"};
  static constexpr std::string_view kNames[] = {"\\le", "\\ge", "\\ne", "\\approx"};
  return token.kind == TokenKind::kSymbol ? base::Contains(kSigns, token.text)
                                          : token.kind == TokenKind::kCommand && base::Contains(kNames, token.text);
}

Node Parser::Words() {
  static constexpr std::string_view kCurrencies[] = {"euro", "pound", "yen", "rupee"};
  if (base::Contains(kCurrencies, Peek().text) && Peek(1).kind == TokenKind::kNumber) {
    std::string currency = Take().text;
    return MakeNode(Op::kUnit, std::move(currency), {Power()});
  }
  std::string words = Take().text;
  while (Peek().kind == TokenKind::kText && Peek().text != "or" && Peek().text != "and") words += " " + Take().text;
  return MakeNode(Op::kText, std::move(words));
}

Node Parser::Command() {
  const std::string name = Take().text;
  if (name == "\\lim") return Limit();
  if (name == "\\int") return Integral();
  if (name == "\\frac") {
    if (auto derivative = TakeDerivative()) return std::move(*derivative);
    Node above = FractionArgument();
    Node below = FractionArgument();
    return MakeNode(Op::kDivide, "", {std::move(above), std::move(below)});
  }
  if (name == "\\sqrt") return Root();
  if (name == "\\sum" || name == "\\prod") return Series(name);
  if (name == "\\binom") {
    Node above = FractionArgument();
    return MakeNode(Op::kCall, "\\binom", {std::move(above), FractionArgument()});
  }
  if (name == "\\{") return Set();
  if (name == "\\begin") return Matrix();
  if (name == "\\lvert") return Enclosed("\\rvert", "\\abs");
  if (name == "\\lfloor") return Enclosed("\\rfloor", "\\floor");
  if (name == "\\lceil") return Enclosed("\\rceil", "\\ceil");
  if (name == "\\langle") return Angles();
  if (name == "\\angle" || name == "\\triangle") {
    std::string points;
    while (Peek().kind == TokenKind::kLetter) points += Take().text;
    return MakeNode(Op::kSymbol, name + points);
  }
  if (name == "\\mathbf" && Peek(1).kind == TokenKind::kNumber) return Primary();
  if (name == "\\mathbf" && (Peek().text == "R" || Peek(1).text == "R")) return Variable("\\mathbb{" + Raw() + "}");
  if (name == "\\overline" && IsComplexNumber()) return MakeNode(Op::kCall, "\\conj", {Primary()});
  if (name == "\\mathbb" || name == "\\mathbf" || name == "\\vec" || name == "\\hat" || name == "\\overline") {
    return Variable(name + "{" + Raw() + "}");
  }
  const bool is_applied = IsSymbol('(') && (name == "\\Gamma" || name == "\\zeta");
  if (base::Contains(kFunctions, name) || is_applied) return Function(name);
  if (base::Contains(kConstants, name)) return Variable(name);
  throw SyntaxError();
}

// "{2+3i}"
bool Parser::IsComplexNumber() const {
  bool has_unit = false, has_sign = false;
  if (!IsSymbol('{')) return false;
  for (std::size_t i = 1; !IsSymbol('}', i); ++i) {
    const MathToken& token = Peek(i);
    has_unit = has_unit || token.text == "i";
    has_sign = has_sign || token.text == "+" || token.text == "-";
    if (token.kind == TokenKind::kEnd || (token.kind == TokenKind::kLetter && token.text != "i")) return false;
  }
  return has_unit && has_sign;
}

Node Parser::Root() {
  Node degree = MakeNode(Op::kNumber, "2");
  if (TakeSymbol('[')) {
    in_root_degree_ = true;
    degree = Sum();
    in_root_degree_ = false;
    Expect(']');
  }
  return MakeNode(Op::kRoot, "", {Primary(), std::move(degree)});
}

Node Parser::Enclosed(std::string_view close, std::string function) {
  Node inside = Sum();
  if (!TakeCommand(close)) throw SyntaxError();
  return MakeNode(Op::kCall, std::move(function), {std::move(inside)});
}

Node Parser::Angles() {
  Node inside = List();
  if (!TakeCommand("\\rangle")) throw SyntaxError();
  return AsTuple("<>", std::move(inside));
}

Node Parser::Set() {
  if (TakeCommand("\\}")) return MakeNode(Op::kTuple, "{}");
  if (TakeBoundVariable()) {
    Node condition = List();
    if (!TakeCommand("\\}")) throw SyntaxError();
    return condition;
  }
  Node inside = List();
  if (!TakeCommand("\\}")) throw SyntaxError();
  return AsTuple("{}", std::move(inside));
}

bool Parser::TakeBoundVariable() {
  if (Peek().kind != TokenKind::kLetter) return false;
  std::size_t length = 1;
  if (IsCommand("\\in", 1) && IsCommand("\\mathbb", 2)) length = IsSymbol('{', 3) ? 6 : 4;
  if (!IsSymbol('|', length) && !IsSymbol(':', length)) return false;
  at_ += length + 1;
  return true;
}

Node Parser::AsTuple(std::string brackets, Node inside) {
  if (inside.op == Op::kList) return MakeNode(Op::kTuple, std::move(brackets), std::move(inside.args));
  return MakeNode(Op::kTuple, std::move(brackets), {std::move(inside)});
}

Node Parser::Bracketed() {
  if (TakeSymbol('{')) {
    if (TakeSymbol('}')) return Primary();
    Node inside = List();
    inside = WithOver(std::move(inside));
    if (TakeCommand("\\choose")) inside = MakeNode(Op::kCall, "\\binom", {std::move(inside), Sum()});
    Expect('}');
    return inside.op == Op::kList ? AsTuple("{}", std::move(inside)) : inside;
  }
  if (TakeSymbol('$')) return MakeNode(Op::kUnit, "dollar", {Power()});
  if (TakeSymbol('|')) {
    ++bars_;
    Node inside = Sum();
    --bars_;
    Expect('|');
    return MakeNode(Op::kCall, "\\abs", {std::move(inside)});
  }
  const bool closed_left = IsSymbol('[');
  if (!closed_left && !IsSymbol('(')) throw SyntaxError();
  Take();
  const int outer_bars = std::exchange(bars_, 0);
  const bool outer_degree = std::exchange(in_root_degree_, false);
  Node inside = List();
  bars_ = outer_bars;
  in_root_degree_ = outer_degree;
  const bool closed_right = IsSymbol(']');
  if (!closed_right) Expect(')');
  if (closed_right) Take();
  if (inside.op != Op::kList) {
    if (closed_left != closed_right) throw SyntaxError();
    if (IsPlainInteger(inside) && TakeSymbol('_')) {
      return MakeNode(Op::kSymbol, inside.name + "_" + BaseName(Raw()));
    }
    return inside;
  }
  return AsTuple(std::string(closed_left ? "[" : "(") + (closed_right ? "]" : ")"), std::move(inside));
}

Node Parser::Function(const std::string& name) {
  Node call = MakeNode(Op::kCall, name);
  std::optional<Node> base;
  std::optional<Node> power;
  for (int i = 0; i < 2; ++i) {
    if (IsSymbol('_') && name == "\\log") {
      Take();
      base = ScriptArgument();
    } else if (IsSymbol('^')) {
      Take();
      power = ScriptArgument();
    }
  }
  Node argument = FunctionArgument();
  if (argument.op == Op::kTuple) {
    call.args = std::move(argument.args);
  } else {
    call.args.push_back(std::move(argument));
  }
  if (base) call.args.push_back(std::move(*base));
  const bool is_inverse =
      power && power->op == Op::kNegate && power->args[0].op == Op::kNumber && power->args[0].name == "1";
  if (is_inverse && (name == "\\sin" || name == "\\cos" || name == "\\tan")) {
    call.name = "\\arc" + name.substr(1);
    return call;
  }
  if (power) return MakeNode(Op::kPower, "", {std::move(call), std::move(*power)});
  return call;
}

Node Parser::FunctionArgument() {
  if (IsSymbol('(') || IsSymbol('{')) return Primary();
  if (TakeSymbol('-')) return MakeNode(Op::kNegate, "", {FunctionArgument()});
  Node argument = Power();
  while (StartsFactor() && Peek().kind != TokenKind::kNumber && !IsSymbol('(') &&
         !(Peek().kind == TokenKind::kCommand && base::Contains(kFunctions, Peek().text))) {
    argument = MakeNode(Op::kMultiply, "", {std::move(argument), Power()});
  }
  return argument;
}

}  // namespace autodidact::mathematics
