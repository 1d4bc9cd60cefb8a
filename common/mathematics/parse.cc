#include "mathematics/parse.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "mathematics/fold.h"
#include "mathematics/parser.h"
#include "mathematics/text.h"
#include "mathematics/tokens.h"
#include "mathematics/words.h"

namespace autodidact::mathematics {
namespace {

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
    if (base::IsLetter(c)) {
      ++letters;
    } else if (!base::IsSpace(c)) {
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

Node Parser::Run() {
  Node answer = WithOver(List());
  if (Peek().kind != TokenKind::kEnd) throw SyntaxError();
  return answer;
}

bool Parser::IsConjunction() const {
  return Peek().kind == TokenKind::kText && (Peek().text == "or" || Peek().text == "and");
}

Node Parser::WithOver(Node above) {
  if (!TakeCommand("\\over")) return above;
  return MakeNode(Op::kDivide, "", {std::move(above), List()});
}

bool Parser::TakeSeparator(std::string& name) {
  bool taken = TakeSymbol(',');
  if (IsConjunction()) {  // also of "a, b, and c"
    name = Take().text;
    taken = true;
  }
  return taken;
}

Node Parser::List() {
  const Deeper deeper(depth_);
  std::vector<Node> groups = {Group()};
  while (TakeSymbol(';')) groups.push_back(Group());
  if (groups.size() == 1) return std::move(groups[0]);
  return MakeNode(Op::kList, ",", std::move(groups));
}

Node Parser::Group() {
  std::vector<Node> items = {Relation()};
  std::string name = ",";
  while (TakeSeparator(name)) items.push_back(Relation());
  if (items.size() == 1) return std::move(items[0]);
  return MakeNode(Op::kList, std::move(name), std::move(items));
}

char Parser::TakeRelation() {
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

Node Parser::Relation() {
  TakeCommand("\\approx");  // "≈ 3.14" alone
  std::string operators;
  std::vector<Node> operands;
  operands.push_back(Union());
  for (char c = TakeRelation(); c != '\0'; c = TakeRelation()) {
    operators.push_back(c);
    operands.push_back(Union());
  }
  if (operators.empty()) return std::move(operands.front());
  return MakeNode(Op::kRelation, operators, std::move(operands));
}

Node Parser::Union() {
  std::string op;
  std::vector<Node> parts;
  parts.push_back(Ratio());
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
    parts.push_back(Ratio());
  }
  if (op.empty()) return std::move(parts.front());
  return MakeNode(Op::kUnion, op, std::move(parts));
}

Node Parser::Ratio() {
  std::vector<Node> parts = {Sum()};
  while (TakeSymbol(':') || TakeTo()) parts.push_back(Sum());
  if (parts.size() == 1) return std::move(parts[0]);
  return MakeNode(Op::kRatio, ":", std::move(parts));
}

bool Parser::TakeTo() {
  if (Peek().kind != TokenKind::kText || Peek().text != "to") return false;
  Take();
  return true;
}

Node Parser::Sum() {
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
    if (IsIntegrated()) return sum;
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

bool Parser::TakePlainPlusMinus() {
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

std::optional<Node> Parse(std::string_view text, const Reading& reading) {
  try {
    std::vector<MathToken> tokens = Tokenize(text, reading.thousands);
    const std::string_view words = WithoutWrapping(text);
    TurnBrackets(tokens);
    if (const auto number = NumberInWords(words)) return Parse(*number, reading);
    const bool is_known = !tokens.empty() && tokens[0].kind == TokenKind::kCommand;
    if (reading.words && IsWordsAlone(words) && !is_known && words.find(" or ") == std::string_view::npos &&
        !IsListOfLetters(words)) {
      return MakeNode(Op::kText, base::FoldSpaces(words));
    }
    Node answer = Folded(Parser(std::move(tokens)).Run());
    const auto number = answer.op == Op::kText ? NumberInWords(answer.name) : std::nullopt;
    return number ? Parse(*number, reading) : std::optional<Node>(std::move(answer));
  } catch (const SyntaxError&) {
    return std::nullopt;
  }
}

}  // namespace autodidact::mathematics
