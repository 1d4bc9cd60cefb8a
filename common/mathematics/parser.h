// The grammar of answers. Private to the room.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "mathematics/node.h"
#include "mathematics/tokens.h"

namespace autodidact::mathematics {

// Thrown inside the parser only; Parse turns it into nothing.
struct SyntaxError {};

// By recursive descent, one function for each level of the grammar. What is longer than an answer or nested more deeply
// than kMaxDepth is refused.
class Parser {
 public:
  explicit Parser(std::vector<MathToken> tokens) : tokens_(std::move(tokens)) {}

  Node Run();

 private:
  static constexpr int kMaxDepth = 300;
  static constexpr std::size_t kMaxDigits = 40;  // with letters among them

  // Guards every recursion; the grammar has no other loops than over tokens.
  class Deeper {
   public:
    explicit Deeper(int& depth) : depth_(depth) {
      if (++depth_ > kMaxDepth) throw SyntaxError();
    }
    ~Deeper() { --depth_; }

   private:
    int& depth_;
  };
  const MathToken& Peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  MathToken Take() {
    MathToken token = Peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool IsSymbol(char c, std::size_t ahead = 0) const {
    const MathToken& token = Peek(ahead);
    return token.kind == TokenKind::kSymbol && token.text.size() == 1 && token.text[0] == c;
  }
  bool IsCommand(std::string_view name, std::size_t ahead = 0) const {
    return Peek(ahead).kind == TokenKind::kCommand && Peek(ahead).text == name;
  }
  bool TakeSymbol(char c) {
    if (!IsSymbol(c)) return false;
    Take();
    return true;
  }
  bool TakeCommand(std::string_view name) {
    if (!IsCommand(name)) return false;
    Take();
    return true;
  }
  void Expect(char c) {
    if (!TakeSymbol(c)) throw SyntaxError();
  }

  bool IsConjunction() const;

  // "{a \\over b}"
  Node WithOver(Node above);

  // "or", "and" and "," separate; a list with one of the words, which is its name then, has no order.
  bool TakeSeparator(std::string& name);

  // Items between commas; groups of them between semicolons. Semicolons alone separate items.
  Node List();
  Node Group();
  char TakeRelation();
  Node Relation();
  Node Union();
  Node Ratio();
  bool TakeTo();
  Node Sum();

  // "+-" and "+/-".
  bool TakePlainPlusMinus();
  Node Product();

  // "17 \\bmod 5"; "3 \\bmod 5" is a residue class.
  Node Remainder(Node product);
  // "(k \\in \\mathbb{Z})" after a value.
  bool IsCondition() const;
  Node WithCondition(Node value);

  // A number right after a factor: the fraction of a mixed number ("1 4/5"), or an implicit product ("(2)3").
  Node BeforeNumber(Node before);
  bool IsWordUnit() const;

  // Words after a value are its unit, as many as there are, with powers and quotients: "miles per hour", "cm^2", "m/s".
  Node WithUnit(Node value);

  // The scale of a temperature after its degrees.
  std::string Scale();
  bool StartsFactor() const;
  Node SignedPower();
  Node Power();

  // "^\circ" and "^{\circ}".
  bool TakeDegree();
  // "^{th}" of "7^{th}".
  bool TakeOrdinal();
  Node Postfix();
  Node Suffixed(Node node);

  // What stands after ^: a group, or one signed primary.
  Node ScriptArgument();

  // The argument of \frac: a group, or one token, of a number its first digit.
  Node FractionArgument();

  // The text of a group or a token, without spaces.
  std::string Raw();
  Node Primary();
  // "BAD_{16}" and "1A_{16}"
  std::optional<Node> TakeDigitsInBase();
  Node Number();
  Node Variable(std::string name);

  // "f(x)" and "P(2)" on one side of a relation are names; elsewhere they may be products.
  bool IsFunctionValue(const std::string& name) const;
  static bool IsRelation(const MathToken& token);
  Node Words();
  Node Command();
  bool IsComplexNumber() const;
  Node Root();

  // \\sum_{k=1}^{n}, \\lim_{x \\to a} and \\int_a^b … dx with what they are of, and d/dx.
  Node Series(const std::string& name);
  Node Limit();
  char TakeDirection();
  Node Integral();
  bool IsDifferential() const;
  bool TakeDifferential();
  std::optional<Node> TakeDerivative();
  Node Enclosed(std::string_view close, std::string function);
  Node Angles();

  // { items }, or { x | what holds for x }, which is what holds.
  Node Set();

  // "x |", "x :" and "x ∈ ℝ |" at the head of a set.
  bool TakeBoundVariable();
  static Node AsTuple(std::string brackets, Node inside);
  Node Bracketed();

  // \begin{kind} rows of cells \end{kind}
  Node Matrix();
  std::string Environment();

  // The & beside the signs of equations under each other.
  void DropAlignment();

  // Rows of one cell each as a list: equations under each other.
  static Node AsList(std::vector<Node> rows);
  Node Function(const std::string& name);

  // A bracket, or the factors up to the next operator or function: "\sin 2x \cos x" is (sin 2x)(cos x).
  Node FunctionArgument();

  // An integral that is waiting for the "dx" of its variable.
  struct Integrand {
    std::string variable;
    int depth = 0;  // of the sum that it is of, which ends with the "dx"
  };
  bool IsIntegrated(int deeper = 0) const {
    return integrand_ != nullptr && !integrand_->variable.empty() && depth_ == integrand_->depth + deeper;
  }

  std::vector<MathToken> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int bars_ = 0;  // |…| that are open
  bool in_root_degree_ = false;
  Integrand* integrand_ = nullptr;
};

bool IsPlainInteger(const Node& node);
bool IsProperFraction(const Node& node);

inline constexpr std::string_view kFunctions[] = {
    "\\sin",  "\\cos",  "\\tan",  "\\cot",   "\\sec",  "\\csc", "\\arcsin", "\\arccos", "\\arctan",
    "\\sinh", "\\cosh", "\\tanh", "\\ln",    "\\log",  "\\lg",  "\\exp",    "\\gcd",    "\\lcm",
    "\\max",  "\\min",  "\\abs",  "\\floor", "\\ceil", "\\cis", "\\arccot"};

inline constexpr std::string_view kConstants[] = {
    "\\pi",    "\\infty", "\\theta", "\\alpha", "\\beta",  "\\gamma",    "\\delta", "\\lambda",
    "\\mu",    "\\phi",   "\\psi",   "\\omega", "\\sigma", "\\tau",      "\\rho",   "\\varepsilon",
    "\\eta",   "\\zeta",  "\\xi",    "\\nu",    "\\kappa", "\\ell",      "\\Delta", "\\Omega",
    "\\Gamma", "\\Sigma", "\\Phi",   "\\Theta", "\\ldots", "\\emptyset", "\\angle", "\\triangle"};

}  // namespace autodidact::mathematics
