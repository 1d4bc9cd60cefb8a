#include <optional>
#include <string>
#include <utility>

#include "mathematics/parser.h"
#include "mathematics/tree.h"

namespace autodidact::mathematics {

// The bound variable and what it stands for get one name, whatever it was called.
Node Parser::Series(const std::string& name) {
  if (!TakeSymbol('_')) throw SyntaxError();
  Node lower = Primary();
  if (lower.op != Op::kRelation || lower.name != "=" || lower.args[0].op != Op::kSymbol) throw SyntaxError();
  Expect('^');
  Node upper = ScriptArgument();
  return Bound(
      MakeNode(Op::kCall, name, {std::move(lower.args[0]), Product(), std::move(lower.args[1]), std::move(upper)}));
}

// "^+" or "^{-}" before the brace that closes the group, taken out of it; '\0' without.
char Parser::TakeDirection() {
  std::size_t end = at_;
  for (int open = 1; end + 1 < tokens_.size(); ++end) {
    if (tokens_[end].text == "{") ++open;
    if (tokens_[end].text == "}" && --open == 0) break;
  }
  const bool in_group = end > at_ + 3 && tokens_[end - 1].text == "}";
  const std::size_t sign = end - (in_group ? 2 : 1);
  const std::size_t power = sign - (in_group ? 2 : 1);
  if (end < at_ + 3 || tokens_[power].text != "^" || (in_group && tokens_[power + 1].text != "{")) return '\0';
  const std::string direction = tokens_[sign].text;
  if (direction != "+" && direction != "-") return '\0';
  tokens_.erase(tokens_.begin() + static_cast<std::ptrdiff_t>(power),
                tokens_.begin() + static_cast<std::ptrdiff_t>(end));
  return direction[0];
}

Node Parser::Limit() {
  if (!TakeSymbol('_') || !TakeSymbol('{')) throw SyntaxError();
  const char direction = TakeDirection();
  Node variable = Primary();
  if (variable.op != Op::kSymbol || !TakeCommand("\\to")) throw SyntaxError();
  Node target = Sum();
  Expect('}');
  std::string name = "\\lim";
  if (direction != '\0') name.push_back(direction);
  return Bound(MakeNode(Op::kCall, std::move(name), {std::move(variable), Product(), std::move(target)}));
}

Node Parser::Integral() {
  std::optional<Node> lower, upper;
  for (int i = 0; i < 2; ++i) {
    if (!lower && TakeSymbol('_')) lower = ScriptArgument();
    if (!upper && TakeSymbol('^')) upper = ScriptArgument();
  }
  if (lower.has_value() != upper.has_value()) throw SyntaxError();
  Integrand integrand{{}, depth_ + 1};
  Integrand* const outer = std::exchange(integrand_, &integrand);
  Node body = Sum();
  integrand_ = outer;
  if (body.op == Op::kMultiply && IsNumber(body.args[1], 1)) body = Node(std::move(body.args[0]));
  // "∫ dx f(x)": what follows may belong to the integral.
  const bool goes_on = IsSymbol('*') || IsSymbol('/') || (StartsFactor() && !IsDifferential());
  if (integrand.variable.empty() || goes_on) throw SyntaxError();
  Node integral = MakeNode(Op::kCall, "\\int", {MakeNode(Op::kSymbol, integrand.variable), std::move(body)});
  if (!lower) return integral;
  integral.args.push_back(std::move(*lower));
  integral.args.push_back(std::move(*upper));
  return Bound(std::move(integral));
}

// The "dx" that an integral is waiting for.
bool Parser::IsDifferential() const {
  if (integrand_ == nullptr || !integrand_->variable.empty() || Peek().text != "d") return false;
  if (Peek().kind != TokenKind::kLetter && Peek().kind != TokenKind::kText) return false;
  return Peek(1).kind == TokenKind::kLetter ||
         (Peek(1).kind == TokenKind::kCommand && base::Contains(kConstants, Peek(1).text));
}

bool Parser::TakeDifferential() {
  if (!IsDifferential()) return false;
  Take();
  integrand_->variable = Take().text;
  return true;
}

// "\frac{d}{dx}" and "\frac{d^2}{dx^2}" before what is derived.
std::optional<Node> Parser::TakeDerivative() {
  const auto is = [&](std::size_t ahead, std::string_view text) { return Peek(ahead).text == text; };
  std::size_t at = 0;
  const auto skip = [&](std::string_view text) {
    const bool found = is(at, text);
    if (found) ++at;
    return found;
  };
  // The order of the derivative after ^.
  const auto order = [&]() -> std::string {
    if (!skip("^")) return "1";
    const bool in_group = skip("{");
    const std::string times = Peek(at++).text;
    if (in_group && !skip("}")) return {};
    return times;
  };
  if (!skip("{") || !skip("d")) return std::nullopt;
  const std::string times = order();
  if (!skip("}") || !skip("{") || !skip("d") || Peek(at).kind != TokenKind::kLetter) return std::nullopt;
  Node variable = MakeNode(Op::kSymbol, Peek(at++).text);
  if (order() != times || !skip("}") || times.size() != 1 || times[0] < '1' || times[0] > '4') return std::nullopt;
  at_ += at;
  if (!StartsFactor()) throw SyntaxError();
  Node derived = Product();
  for (char i = '0'; i < times[0]; ++i) derived = MakeNode(Op::kCall, "\\diff", {variable, std::move(derived)});
  return derived;
}

}  // namespace autodidact::mathematics
