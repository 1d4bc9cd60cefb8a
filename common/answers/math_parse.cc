#include "answers/math_parse.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "answers/math_fold.h"
#include "answers/math_text.h"
#include "answers/math_tokens.h"
#include "answers/text_util.h"

namespace autodidact::answers {
namespace {

// Thrown inside the parser only; ParseMathematics turns it into nothing.
struct SyntaxError {};

constexpr int kMaxDepth = 300;

constexpr std::string_view kFunctions[] = {"\\sin",    "\\cos",    "\\tan",  "\\cot",   "\\sec",  "\\csc", "\\arcsin",
                                           "\\arccos", "\\arctan", "\\sinh", "\\cosh",  "\\tanh", "\\ln",  "\\log",
                                           "\\lg",     "\\exp",    "\\gcd",  "\\lcm",   "\\max",  "\\min", "\\abs",
                                           "\\floor",  "\\ceil",   "\\cis",  "\\arccot"};

constexpr std::string_view kConstants[] = {
    "\\pi",    "\\infty", "\\theta", "\\alpha", "\\beta",  "\\gamma",    "\\delta", "\\lambda",
    "\\mu",    "\\phi",   "\\psi",   "\\omega", "\\sigma", "\\tau",      "\\rho",   "\\varepsilon",
    "\\eta",   "\\zeta",  "\\xi",    "\\nu",    "\\kappa", "\\ell",      "\\Delta", "\\Omega",
    "\\Gamma", "\\Sigma", "\\Phi",   "\\Theta", "\\ldots", "\\emptyset", "\\angle", "\\triangle"};

bool IsPlainInteger(const Node& node) {
  return node.op == Op::kNumber && std::all_of(node.name.begin(), node.name.end(), IsDigit);
}

// Of two strings of digits without a sign.
bool LessInteger(std::string_view left, std::string_view right) {
  while (left.size() > 1 && left.front() == '0') left.remove_prefix(1);
  while (right.size() > 1 && right.front() == '0') right.remove_prefix(1);
  return left.size() != right.size() ? left.size() < right.size() : left < right;
}

bool IsProperFraction(const Node& node) {
  return node.op == Op::kDivide && IsPlainInteger(node.args[0]) && IsPlainInteger(node.args[1]) &&
         LessInteger(node.args[0].name, node.args[1].name);
}

// The base that a subscript names: "5", "five", "base 5".
std::string BaseName(std::string subscript) {
  static constexpr std::string_view kNames[] = {"two",    "three",    "four",     "five",    "six",
                                                "seven",  "eight",    "nine",     "ten",     "eleven",
                                                "twelve", "thirteen", "fourteen", "fifteen", "sixteen"};
  if (subscript.starts_with("base")) subscript.erase(0, 4);
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (subscript == kNames[i]) return std::to_string(i + 2);
  }
  return subscript;
}

class Parser {
 public:
  explicit Parser(std::vector<MathToken> tokens) : tokens_(std::move(tokens)) {}

  Node Run() {
    Node answer = WithOver(List());
    if (Peek().kind != TokenKind::kEnd) throw SyntaxError();
    return answer;
  }

 private:
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

  bool IsConjunction() const {
    return Peek().kind == TokenKind::kText && (Peek().text == "or" || Peek().text == "and");
  }

  // "{a \\over b}"
  Node WithOver(Node above) {
    if (!TakeCommand("\\over")) return above;
    return MakeNode(Op::kDivide, "", {std::move(above), List()});
  }

  // "or", "and" and "," separate; a list with one of the words, which is its name then, has no order.
  bool TakeSeparator(std::string& name) {
    bool taken = TakeSymbol(',');
    if (IsConjunction()) {  // also of "a, b, and c"
      name = Take().text;
      taken = true;
    }
    return taken;
  }

  // Items between commas; groups of them between semicolons. Semicolons alone separate items.
  Node List() {
    const Deeper deeper(depth_);
    std::vector<Node> groups = {Group()};
    while (TakeSymbol(';')) groups.push_back(Group());
    if (groups.size() == 1) return std::move(groups[0]);
    return MakeNode(Op::kList, ",", std::move(groups));
  }

  Node Group() {
    std::vector<Node> items = {Relation()};
    std::string name = ",";
    while (TakeSeparator(name)) items.push_back(Relation());
    if (items.size() == 1) return std::move(items[0]);
    return MakeNode(Op::kList, std::move(name), std::move(items));
  }

  char TakeRelation() {
    const MathToken& token = Peek();
    if (token.kind == TokenKind::kSymbol && (token.text == "=" || token.text == "<" || token.text == ">")) {
      return Take().text[0];
    }
    if (TakeCommand("\\le")) return 'l';
    if (TakeCommand("\\ge")) return 'g';
    if (TakeCommand("\\ne")) return 'n';
    if (TakeCommand("\\in")) return 'e';
    if (TakeCommand("\\approx")) return '~';
    return '\0';
  }

  Node Relation() {
    TakeCommand("\\approx");  // "≈ 3.14" alone
    Node first = Union();
    std::string operators;
    std::vector<Node> operands;
    for (char c = TakeRelation(); c != '\0'; c = TakeRelation()) {
      if (operands.empty()) operands.push_back(std::move(first));
      operators.push_back(c);
      operands.push_back(Union());
    }
    if (operands.empty()) return first;
    return MakeNode(Op::kRelation, operators, std::move(operands));
  }

  Node Union() {
    Node first = Ratio();
    std::string op;
    std::vector<Node> parts;
    while (true) {
      std::string next;
      if (TakeCommand("\\cup")) {
        next = "∪";
      } else if (TakeCommand("\\cap")) {
        next = "∩";
      } else if (TakeCommand("\\setminus")) {
        next = "\\";
      } else {
        break;
      }
      if (!op.empty() && op != next) throw SyntaxError();
      op = next;
      if (parts.empty()) parts.push_back(std::move(first));
      parts.push_back(Ratio());
    }
    if (parts.empty()) return first;
    return MakeNode(Op::kUnion, op, std::move(parts));
  }

  Node Ratio() {
    std::vector<Node> parts = {Sum()};
    while (TakeSymbol(':') || TakeTo()) parts.push_back(Sum());
    if (parts.size() == 1) return std::move(parts[0]);
    return MakeNode(Op::kRatio, ":", std::move(parts));
  }

  bool TakeTo() {
    if (Peek().kind != TokenKind::kText || Peek().text != "to") return false;
    Take();
    return true;
  }

  Node Sum() {
    const Deeper deeper(depth_);
    Node sum;
    if (TakeCommand("\\pm") || TakePlainPlusMinus()) {
      sum = MakeNode(Op::kPlusMinus, "+", {MakeNode(Op::kNumber, "0"), Product()});
    } else if (TakeCommand("\\mp")) {
      sum = MakeNode(Op::kPlusMinus, "-", {MakeNode(Op::kNumber, "0"), Product()});
    } else if (TakeSymbol('-')) {
      sum = MakeNode(Op::kNegate, "", {Product()});
    } else {
      TakeSymbol('+');
      sum = Product();
    }
    while (true) {
      if (TakeCommand("\\pm") || TakePlainPlusMinus()) {
        sum = MakeNode(Op::kPlusMinus, "+", {std::move(sum), Product()});
      } else if (TakeCommand("\\mp")) {
        sum = MakeNode(Op::kPlusMinus, "-", {std::move(sum), Product()});
      } else if (TakeSymbol('+')) {
        sum = MakeNode(Op::kAdd, "", {std::move(sum), Product()});
      } else if (TakeSymbol('-')) {
        sum = MakeNode(Op::kSubtract, "", {std::move(sum), Product()});
      } else {
        return sum;
      }
    }
  }

  // "+-" and "+/-".
  bool TakePlainPlusMinus() {
    if (IsSymbol('+') && IsSymbol('-', 1)) {
      at_ += 2;
      return true;
    }
    if (IsSymbol('+') && IsSymbol('/', 1) && IsSymbol('-', 2)) {
      at_ += 3;
      return true;
    }
    return false;
  }

  Node Product() {
    const Deeper deeper(depth_);
    Node product = SignedPower();
    while (true) {
      if (TakeSymbol('*')) {
        product = MakeNode(Op::kMultiply, "", {std::move(product), SignedPower()});
      } else if (TakeSymbol('/')) {
        product = MakeNode(Op::kDivide, "", {std::move(product), SignedPower()});
      } else if (IsWordUnit()) {
        product = WithUnit(std::move(product));
      } else if (TakeCommand("\\pmod")) {
        product = MakeNode(Op::kUnit, "mod " + Raw(), {std::move(product)});
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

  // "(k \\in \\mathbb{Z})" after a value.
  bool IsCondition() const { return IsSymbol('(') && Peek(1).kind == TokenKind::kLetter && IsCommand("\\in", 2); }
  Node WithCondition(Node value) {
    Node condition = Bracketed();
    if (condition.op != Op::kRelation || condition.args[1].op != Op::kSymbol) throw SyntaxError();
    return MakeNode(Op::kUnit, ConditionName(condition), {std::move(value)});
  }

  // A number right after a factor: the fraction of a mixed number ("1 4/5"), or an implicit product ("(2)3").
  Node BeforeNumber(Node before) {
    const bool was_number = at_ > 0 && tokens_[at_ - 1].kind == TokenKind::kNumber;
    if (!was_number) return MakeNode(Op::kMultiply, "", {std::move(before), Power()});
    if (!IsPlainInteger(before) || !IsSymbol('/', 1) || Peek(2).kind != TokenKind::kNumber) throw SyntaxError();
    Node fraction = MakeNode(Op::kDivide, "", {MakeNode(Op::kNumber, Take().text)});
    Take();
    fraction.args.push_back(MakeNode(Op::kNumber, Take().text));
    if (!IsProperFraction(fraction)) throw SyntaxError();
    return Suffixed(MakeNode(Op::kAdd, "", {std::move(before), std::move(fraction)}));
  }

  bool IsWordUnit() const {
    if (Peek().kind == TokenKind::kText) return Peek().text != "or" && Peek().text != "and" && Peek().text != "to";
    return IsCommand("\\degree") || IsSymbol('$');
  }

  // Words after a value are its unit, as many as there are, with powers and quotients: "miles per hour", "cm^2", "m/s".
  Node WithUnit(Node value) {
    std::string unit;
    while (IsWordUnit()) {
      const MathToken token = Take();
      if (!unit.empty() && unit.back() != '/') unit.push_back(' ');
      unit += token.kind == TokenKind::kText ? token.text : token.kind == TokenKind::kCommand ? "degree" : "dollar";
      if (IsSymbol('^')) {
        Take();
        unit += "^" + Raw();
      }
      if (IsSymbol('/') && Peek(1).kind == TokenKind::kText) {
        Take();
        unit.push_back('/');
      }
      if (unit == "degree") unit += Scale();
    }
    return MakeNode(Op::kUnit, unit, {std::move(value)});
  }

  // The scale of a temperature after its degrees.
  std::string Scale() {
    for (const std::string_view scale : {"C", "F", "Celsius", "Fahrenheit"}) {
      if (Peek().text != scale || Peek(1).kind == TokenKind::kLetter) continue;
      Take();
      return scale.starts_with('C') ? " celsius" : " fahrenheit";
    }
    return std::string();
  }

  bool StartsFactor() const {
    const MathToken& token = Peek();
    switch (token.kind) {
      case TokenKind::kNumber:
      case TokenKind::kLetter:
        return true;
      case TokenKind::kCommand:
        return Contains(kFunctions, token.text) || Contains(kConstants, token.text) || token.text == "\\frac" ||
               token.text == "\\sqrt" || token.text == "\\binom" || token.text == "\\sum" || token.text == "\\prod" ||
               token.text == "\\lvert" || token.text == "\\lfloor" || token.text == "\\lceil" ||
               token.text == "\\mathbf" || token.text == "\\vec" || token.text == "\\hat" ||
               token.text == "\\overline" || token.text == "\\mathbb" || token.text == "\\begin";
      case TokenKind::kSymbol:
        return IsSymbol('(') || IsSymbol('{') || (IsSymbol('[') && !in_root_degree_) || (IsSymbol('|') && bars_ == 0);
      default:
        return false;
    }
  }

  Node SignedPower() {
    if (TakeSymbol('-')) return MakeNode(Op::kNegate, "", {SignedPower()});
    if (TakeSymbol('+')) return SignedPower();
    return Power();
  }

  Node Power() {
    const Deeper deeper(depth_);
    Node base = Postfix();
    if (IsPlainInteger(base) && tokens_[at_ - 1].kind == TokenKind::kNumber && IsCommand("\\frac")) {
      Node fraction = Command();
      const Op op = IsProperFraction(fraction) ? Op::kAdd : Op::kMultiply;  // a mixed number, or a product
      return Suffixed(MakeNode(op, "", {std::move(base), std::move(fraction)}));
    }
    while (IsSymbol('^')) {
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

  // "^\circ" and "^{\circ}".
  bool TakeDegree() {
    const auto is_circle = [&](std::size_t ahead) {
      return IsCommand("\\circ", ahead) || IsCommand("\\degree", ahead);
    };
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

  Node Postfix() { return Suffixed(Primary()); }

  Node Suffixed(Node node) {
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

  // What stands after ^: a group, or one signed primary.
  Node ScriptArgument() {
    const Deeper deeper(depth_);
    if (TakeSymbol('-')) return MakeNode(Op::kNegate, "", {ScriptArgument()});
    if (TakeSymbol('+')) return ScriptArgument();
    return Primary();
  }

  // The argument of \frac: a group, or one token, of a number its first digit.
  Node FractionArgument() {
    if (Peek().kind != TokenKind::kNumber || Peek().text.size() == 1 || !IsDigit(Peek().text[1])) return Primary();
    MathToken& number = tokens_[at_];
    const std::string digit = number.text.substr(0, 1);
    number.text.erase(0, 1);
    return MakeNode(Op::kNumber, digit);
  }

  // The text of a group or a token, without spaces.
  std::string Raw() {
    if (!TakeSymbol('{')) return Take().text;
    std::string text;
    for (int open = 1; Peek().kind != TokenKind::kEnd;) {
      if (IsSymbol('{')) ++open;
      if (IsSymbol('}') && --open == 0) break;
      for (const char c : Take().text) {
        if (!IsSpace(c)) text.push_back(c);
      }
    }
    Expect('}');
    return text;
  }

  Node Primary() {
    const Deeper deeper(depth_);
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

  Node Number() {
    Node number = MakeNode(Op::kNumber, Take().text);
    if (TakeSymbol('_')) return MakeNode(Op::kSymbol, number.name + "_" + BaseName(Raw()));
    if (Peek().kind == TokenKind::kText && Peek().text.starts_with("base")) {
      const std::string words = Take().text;
      const std::string base(Trim(std::string_view(words).substr(4)));
      return MakeNode(Op::kSymbol, number.name + "_" + BaseName(base.empty() ? Raw() : base));
    }
    return number;
  }

  Node Variable(std::string name) {
    if (TakeSymbol('_')) name += "_" + Raw();
    while (TakeSymbol('\'')) name += "'";
    if (IsFunctionValue(name)) {
      name += "(" + Peek(1).text + ")";
      at_ += 3;
    }
    return MakeNode(Op::kSymbol, std::move(name));
  }

  // "f(x)" and "P(2)" on one side of a relation are names; elsewhere they may be products.
  bool IsFunctionValue(const std::string& name) const {
    constexpr std::string_view kFunctionNames = "fghpqrstuvwyFGHPQRSTVW";
    const TokenKind argument = Peek(1).kind;
    if (kFunctionNames.find(name.front()) == std::string_view::npos || !IsSymbol('(') || !IsSymbol(')', 2))
      return false;
    if (argument != TokenKind::kLetter && argument != TokenKind::kNumber) return false;
    const std::size_t begin = at_ - 1 - (tokens_[at_ - 1].text == "'" ? 1 : 0);
    return IsRelation(Peek(3)) || (begin > 0 && IsRelation(tokens_[begin - 1]) && Peek(3).kind == TokenKind::kEnd);
  }

  static bool IsRelation(const MathToken& token) {
    static constexpr std::string_view kSigns[] = {"=", "<", ">"};
    static constexpr std::string_view kNames[] = {"\\le", "\\ge", "\\ne", "\\approx"};
    return token.kind == TokenKind::kSymbol ? Contains(kSigns, token.text)
                                            : token.kind == TokenKind::kCommand && Contains(kNames, token.text);
  }

  Node Words() {
    static constexpr std::string_view kCurrencies[] = {"euro", "pound", "yen", "rupee"};
    if (Contains(kCurrencies, Peek().text) && Peek(1).kind == TokenKind::kNumber) {
      std::string currency = Take().text;
      return MakeNode(Op::kUnit, std::move(currency), {Power()});
    }
    std::string words = Take().text;
    while (Peek().kind == TokenKind::kText && Peek().text != "or" && Peek().text != "and") words += " " + Take().text;
    return MakeNode(Op::kText, std::move(words));
  }

  Node Command() {
    const std::string name = Take().text;
    if (name == "\\frac") {
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
    if (name == "\\mathbb" || name == "\\mathbf" || name == "\\vec" || name == "\\hat" || name == "\\overline") {
      return Variable(name + "{" + Raw() + "}");
    }
    if (Contains(kFunctions, name)) return Function(name);
    if (Contains(kConstants, name)) return Variable(name);
    throw SyntaxError();
  }

  Node Root() {
    Node degree = MakeNode(Op::kNumber, "2");
    if (TakeSymbol('[')) {
      in_root_degree_ = true;
      degree = Sum();
      in_root_degree_ = false;
      Expect(']');
    }
    return MakeNode(Op::kRoot, "", {Primary(), std::move(degree)});
  }

  // \\sum_{k=1}^{n} and the product after it.
  Node Series(const std::string& name) {
    if (!TakeSymbol('_')) throw SyntaxError();
    Node lower = Primary();
    if (lower.op != Op::kRelation || lower.name != "=" || lower.args[0].op != Op::kSymbol) throw SyntaxError();
    Expect('^');
    Node upper = ScriptArgument();
    return MakeNode(Op::kCall, name, {std::move(lower.args[0]), std::move(lower.args[1]), std::move(upper), Product()});
  }

  Node Enclosed(std::string_view close, std::string function) {
    Node inside = Sum();
    if (!TakeCommand(close)) throw SyntaxError();
    return MakeNode(Op::kCall, std::move(function), {std::move(inside)});
  }

  Node Angles() {
    Node inside = List();
    if (!TakeCommand("\\rangle")) throw SyntaxError();
    return AsTuple("<>", std::move(inside));
  }

  // { items }, or { x | what holds for x }, which is what holds.
  Node Set() {
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

  // "x |", "x :" and "x ∈ ℝ |" at the head of a set.
  bool TakeBoundVariable() {
    if (Peek().kind != TokenKind::kLetter) return false;
    std::size_t length = 1;
    if (IsCommand("\\in", 1) && IsCommand("\\mathbb", 2)) length = IsSymbol('{', 3) ? 6 : 4;
    if (!IsSymbol('|', length) && !IsSymbol(':', length)) return false;
    at_ += length + 1;
    return true;
  }

  static Node AsTuple(std::string brackets, Node inside) {
    if (inside.op == Op::kList) return MakeNode(Op::kTuple, std::move(brackets), std::move(inside.args));
    return MakeNode(Op::kTuple, std::move(brackets), {std::move(inside)});
  }

  Node Bracketed() {
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

  // \begin{kind} rows of cells \end{kind}
  Node Matrix() {
    const std::string kind = Environment();
    if (kind == "array" && IsSymbol('{')) Raw();
    DropAlignment();
    std::vector<Node> rows;
    std::vector<Node> cells;
    const auto end_row = [&] {
      rows.push_back(MakeNode(Op::kList, ",", std::move(cells)));
      cells.clear();
    };
    while (!IsCommand("\\end")) {
      if (Peek().kind == TokenKind::kEnd) throw SyntaxError();
      if (Peek().kind == TokenKind::kSymbol && Peek().text == "\\\\") {
        Take();
        end_row();
      } else if (!TakeSymbol('&')) {
        cells.push_back(List());
      }
    }
    Take();
    if (!cells.empty()) end_row();
    if (Environment() != kind) throw SyntaxError();
    const bool is_system =
        kind == "array" && !rows.empty() && std::all_of(rows.begin(), rows.end(), [](const Node& row) {
          return row.args.size() == 1 && row.args[0].op == Op::kRelation;
        });
    if (is_system || kind == "cases" || kind == "aligned" || kind == "align*" || kind == "split" ||
        kind == "gathered") {
      return AsList(std::move(rows));
    }
    const bool is_plain = kind == "pmatrix" || kind == "bmatrix" || kind == "matrix" || kind == "array" ||
                          kind == "smallmatrix" || kind == "psmallmatrix";
    return MakeNode(Op::kMatrix, is_plain ? "matrix" : kind, std::move(rows));
  }

  std::string Environment() { return Raw(); }

  // The & beside the signs of equations under each other.
  void DropAlignment() {
    for (std::size_t i = at_; i + 1 < tokens_.size() && tokens_[i].text != "\\end"; ++i) {
      if (tokens_[i].text == "&" && i > at_ && (IsRelation(tokens_[i + 1]) || IsRelation(tokens_[i - 1]))) {
        tokens_.erase(tokens_.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
  }

  // Rows of one cell each as a list: equations under each other.
  static Node AsList(std::vector<Node> rows) {
    Node list = MakeNode(Op::kList, ",");
    for (Node& row : rows) {
      if (row.args.size() != 1) throw SyntaxError();
      list.args.push_back(std::move(row.args[0]));
    }
    return list;
  }

  Node Function(const std::string& name) {
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

  // A bracket, or the factors up to the next operator or function: "\sin 2x \cos x" is (sin 2x)(cos x).
  Node FunctionArgument() {
    if (IsSymbol('(') || IsSymbol('{')) return Primary();
    if (TakeSymbol('-')) return MakeNode(Op::kNegate, "", {FunctionArgument()});
    Node argument = Power();
    while (StartsFactor() && Peek().kind != TokenKind::kNumber && !IsSymbol('(') &&
           !(Peek().kind == TokenKind::kCommand && Contains(kFunctions, Peek().text))) {
      argument = MakeNode(Op::kMultiply, "", {std::move(argument), Power()});
    }
    return argument;
  }

  std::vector<MathToken> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int bars_ = 0;  // |…| that are open
  bool in_root_degree_ = false;
};

// Intervals that are open where their brackets are turned outwards: "]2, 5[".
void TurnBrackets(std::vector<MathToken>& tokens) {
  std::vector<std::size_t> open;
  bool has_comma = false;
  const auto is = [&](std::size_t i, std::string_view text) {
    return tokens[i].kind == TokenKind::kSymbol && tokens[i].text == text;
  };
  const auto ends_interval = [&](std::size_t i) {
    return tokens[i + 1].kind == TokenKind::kEnd || tokens[i + 1].text == "\\cup" || tokens[i + 1].text == "\\cap";
  };
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (is(i, "(") || (is(i, "[") && (open.empty() || !has_comma || !ends_interval(i))) ||
        (is(i, "]") && open.empty())) {
      if (is(i, "]")) tokens[i].text = "(";
      if (open.empty()) has_comma = false;
      open.push_back(i);
    } else if (is(i, ")") || is(i, "]") || is(i, "[")) {
      if (is(i, "[")) tokens[i].text = ")";
      if (!open.empty()) open.pop_back();
    } else if (open.size() == 1 && (is(i, ",") || is(i, ";"))) {
      has_comma = true;
    }
  }
}

// A text of words alone is words: "no" is not a product, and its letters have an order.
bool IsWordsAlone(std::string_view text) {
  std::size_t letters = 0;
  for (const char c : text) {
    if (IsLetter(c)) {
      ++letters;
    } else if (!IsSpace(c)) {
      return false;
    }
  }
  return letters >= 2;
}

// "A and C" is a list, as "A or C" is.
bool IsListOfLetters(std::string_view words) {
  if (words.find(" and ") == std::string_view::npos) return false;
  for (std::size_t begin = 0; begin < words.size();) {
    const std::size_t end = std::min(words.find(' ', begin), words.size());
    if (end - begin != 1 && words.substr(begin, end - begin) != "and") return false;
    begin = end + 1;
  }
  return true;
}

}  // namespace

std::optional<Node> ParseMathematics(std::string_view text, const Reading& reading) {
  try {
    std::vector<MathToken> tokens = Tokenize(text, reading.thousands);
    const std::string_view words = WithoutWrapping(text);
    TurnBrackets(tokens);
    const bool is_known = !tokens.empty() && tokens[0].kind == TokenKind::kCommand;
    if (reading.words && IsWordsAlone(words) && !is_known && words.find(" or ") == std::string_view::npos &&
        !IsListOfLetters(words)) {
      return MakeNode(Op::kText, Fold(words));
    }
    return Folded(Parser(std::move(tokens)).Run());
  } catch (const SyntaxError&) {
    return std::nullopt;
  }
}

}  // namespace autodidact::answers
