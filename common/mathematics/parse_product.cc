#include "mathematics/parser.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/strings.h"
#include "mathematics/fold.h"

namespace autodidact::mathematics {
namespace {

// Of two strings of digits without a sign.
bool LessInteger(std::string_view left, std::string_view right) {
  while (left.size() > 1 && left.front() == '0') left.remove_prefix(1);
  while (right.size() > 1 && right.front() == '0') right.remove_prefix(1);
  return left.size() != right.size() ? left.size() < right.size() : left < right;
}

}  // namespace

Node Parser::Product() {
  const Deeper deeper(depth_);
  Node product = SignedPower();
  while (true) {
    if (IsIntegrated(1)) return product;
    if (TakeSymbol('*')) {
      product = MakeNode(Op::kMultiply, "", {std::move(product), SignedPower()});
    } else if (TakeSymbol('/')) {
      product = MakeNode(Op::kDivide, "", {std::move(product), SignedPower()});
    } else if (IsWordUnit()) {
      product = WithUnit(std::move(product));
    } else if (TakeCommand("\\pmod")) {
      product = MakeNode(Op::kUnit, "mod " + Raw(), {std::move(product)});
    } else if (TakeCommand("\\bmod")) {
      product = Remainder(std::move(product));
    } else if (IsCondition()) {
      product = WithCondition(std::move(product));
    } else if (StartsFactor() && Peek().kind != TokenKind::kNumber) {
      product = MakeNode(Op::kMultiply, "", {std::move(product), Power()});
    } else if (Peek().kind == TokenKind::kNumber) {
      product = BeforeNumber(std::move(product));
    } else {
      return product;
    }
  }
}

Node Parser::Remainder(Node product) {
  Node modulus = Power();
  const bool is_class = IsPlainInteger(product) && IsPlainInteger(modulus) && LessInteger(product.name, modulus.name);
  if (is_class) return MakeNode(Op::kUnit, "mod " + modulus.name, {std::move(product)});
  return MakeNode(Op::kCall, "\\mod", {std::move(product), std::move(modulus)});
}

bool Parser::IsCondition() const {
  return IsSymbol('(') && Peek(1).kind == TokenKind::kLetter && IsCommand("\\in", 2);
}

Node Parser::WithCondition(Node value) {
  Node condition = Bracketed();
  if (condition.op != Op::kRelation || condition.args[1].op != Op::kSymbol) throw SyntaxError();
  if (value.op > Op::kUnit) return value;
  return MakeNode(Op::kUnit, ConditionName(condition), {std::move(value)});
}

Node Parser::BeforeNumber(Node before) {
  const bool was_number = at_ > 0 && tokens_[at_ - 1].kind == TokenKind::kNumber;
  if (!was_number) return MakeNode(Op::kMultiply, "", {std::move(before), Power()});
  if (!IsPlainInteger(before) || !IsSymbol('/', 1) || Peek(2).kind != TokenKind::kNumber) throw SyntaxError();
  Node fraction = MakeNode(Op::kDivide, "", {MakeNode(Op::kNumber, Take().text)});
  Take();
  fraction.args.push_back(MakeNode(Op::kNumber, Take().text));
  if (!IsProperFraction(fraction)) throw SyntaxError();
  return Suffixed(MakeNode(Op::kAdd, "", {std::move(before), std::move(fraction)}));
}

bool Parser::IsWordUnit() const {
  if (IsDifferential()) return false;
  if (Peek().kind == TokenKind::kText) return Peek().text != "or" && Peek().text != "and" && Peek().text != "to";
  return IsCommand("\\degree") || IsSymbol('$');
}

Node Parser::WithUnit(Node value) {
  std::string unit;
  while (IsWordUnit()) {
    const MathToken token = Take();
    if (!unit.empty() && unit.back() != '/') unit.push_back(' ');
    unit += token.kind == TokenKind::kText ? token.text : token.kind == TokenKind::kCommand ? "degree" : "dollar";
    if (IsSymbol('^')) {
      Take();
      unit += "^" + Raw();
    }
    if (IsSymbol('*') && Peek(1).kind == TokenKind::kText) Take();
    if (IsSymbol('/') && Peek(1).kind == TokenKind::kText) {
      Take();
      unit.push_back('/');
    }
    if (unit == "degree") unit += Scale();
  }
  return MakeNode(Op::kUnit, unit, {std::move(value)});
}

std::string Parser::Scale() {
  for (const std::string_view scale : {"C", "F", "Celsius", "Fahrenheit"}) {
    if (Peek().text != scale || Peek(1).kind == TokenKind::kLetter) continue;
    Take();
    return scale.starts_with('C') ? " celsius" : " fahrenheit";
  }
  return std::string();
}

bool Parser::StartsFactor() const {
  const MathToken& token = Peek();
  switch (token.kind) {
    case TokenKind::kNumber:
    case TokenKind::kLetter:
      return true;
    case TokenKind::kText:
      return IsDifferential();
    case TokenKind::kCommand:
      return base::Contains(kFunctions, token.text) || base::Contains(kConstants, token.text) ||
             token.text == "\\frac" || token.text == "\\sqrt" || token.text == "\\binom" || token.text == "\\sum" ||
             token.text == "\\prod" || token.text == "\\int" || token.text == "\\lim" || token.text == "\\lvert" ||
             token.text == "\\lfloor" || token.text == "\\lceil" || token.text == "\\mathbf" || token.text == "\\vec" ||
             token.text == "\\hat" || token.text == "\\overline" || token.text == "\\mathbb" || token.text == "\\begin";
    case TokenKind::kSymbol:
      return IsSymbol('(') || IsSymbol('{') || (IsSymbol('[') && !in_root_degree_) || (IsSymbol('|') && bars_ == 0);
    default:
      return false;
  }
}

Node Parser::SignedPower() {
  if (TakeSymbol('-')) return MakeNode(Op::kNegate, "", {SignedPower()});
  if (TakeSymbol('+')) return SignedPower();
  return Power();
}

Node Parser::Power() {
  const Deeper deeper(depth_);
  Node base = Postfix();
  if (IsPlainInteger(base) && tokens_[at_ - 1].kind == TokenKind::kNumber && IsCommand("\\frac")) {
    Node fraction = Command();
    const Op op = IsProperFraction(fraction) ? Op::kAdd : Op::kMultiply;  // a mixed number, or a product
    return Suffixed(MakeNode(op, "", {std::move(base), std::move(fraction)}));
  }
  while (IsSymbol('^')) {
    if (IsPlainInteger(base) && TakeOrdinal()) continue;
    if (TakeDegree()) {
      base = MakeNode(Op::kUnit, "degree" + Scale(), {std::move(base)});
      continue;
    }
    Take();
    Node exponent = ScriptArgument();
    if (IsSymbol('^')) {
      Take();
      exponent = MakeNode(Op::kPower, "", {std::move(exponent), ScriptArgument()});
    }
    base = Suffixed(MakeNode(Op::kPower, "", {std::move(base), std::move(exponent)}));
  }
  return base;
}

bool Parser::TakeDegree() {
  const auto is_circle = [&](std::size_t ahead) { return IsCommand("\\circ", ahead) || IsCommand("\\degree", ahead); };
  if (is_circle(1)) {
    at_ += 2;
    return true;
  }
  if (IsSymbol('{', 1) && is_circle(2) && IsSymbol('}', 3)) {
    at_ += 4;
    return true;
  }
  return false;
}

bool Parser::TakeOrdinal() {
  if (!IsSymbol('{', 1)) return false;
  std::string ending;
  std::size_t at = 2;
  for (; !IsSymbol('}', at) && Peek(at).kind != TokenKind::kEnd && ending.size() < 3; ++at) ending += Peek(at).text;
  static constexpr std::string_view kEndings[] = {"st", "nd", "rd", "th"};
  if (!IsSymbol('}', at) || !base::Contains(kEndings, ending)) return false;
  at_ += at + 1;
  return true;
}

Node Parser::Postfix() {
  return Suffixed(Primary());
}

Node Parser::Suffixed(Node node) {
  while (true) {
    if (TakeSymbol('!')) {
      node = MakeNode(Op::kFactorial, "", {std::move(node)});
    } else if (TakeSymbol('%')) {
      node = MakeNode(Op::kPercent, "", {std::move(node)});
    } else {
      return node;
    }
  }
}

Node Parser::ScriptArgument() {
  const Deeper deeper(depth_);
  if (TakeSymbol('-')) return MakeNode(Op::kNegate, "", {ScriptArgument()});
  if (TakeSymbol('+')) return ScriptArgument();
  return Primary();
}

Node Parser::FractionArgument() {
  if (Peek().kind != TokenKind::kNumber || Peek().text.size() == 1 || !base::IsDigit(Peek().text[1])) return Primary();
  MathToken& number = tokens_[at_];
  const std::string digit = number.text.substr(0, 1);
  number.text.erase(0, 1);
  return MakeNode(Op::kNumber, digit);
}

std::string Parser::Raw() {
  if (!TakeSymbol('{')) return Take().text;
  std::string text;
  for (int open = 1; Peek().kind != TokenKind::kEnd;) {
    if (IsSymbol('{')) ++open;
    if (IsSymbol('}') && --open == 0) break;
    for (const char c : Take().text) {
      if (!base::IsSpace(c)) text.push_back(c);
    }
  }
  Expect('}');
  return text;
}

bool IsPlainInteger(const Node& node) {
  return node.op == Op::kNumber && std::all_of(node.name.begin(), node.name.end(), base::IsDigit);
}

bool IsProperFraction(const Node& node) {
  return node.op == Op::kDivide && IsPlainInteger(node.args[0]) && IsPlainInteger(node.args[1]) &&
         LessInteger(node.args[0].name, node.args[1].name);
}

}  // namespace autodidact::mathematics
