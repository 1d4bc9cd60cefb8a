#include "answers/mathematics.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "answers/math_node.h"
#include "answers/math_parse.h"
#include "answers/math_same.h"
#include "answers/math_tokens.h"
#include "answers/text_util.h"

namespace autodidact::answers {
namespace {

// Longer texts are no short answers: they are compared as texts.
constexpr std::size_t kMaxLength = 2000;
constexpr std::size_t kLong = 400;

// The tokens of a text, between spaces: what is left to compare where a text cannot be parsed.
std::string Spelling(std::string_view text) {
  std::string spelling;
  for (const MathToken& token : Tokenize(text, false)) spelling += token.text + ' ';
  return spelling;
}

std::vector<Node> Readings(std::string_view text, bool words) {
  std::vector<Node> readings;
  for (const bool thousands : {false, true}) {
    if (auto node = ParseMathematics(text, {thousands, words})) readings.push_back(std::move(*node));
  }
  return readings;
}

bool AnySame(const std::vector<Node>& left, const std::vector<Node>& right) {
  for (const Node& a : left) {
    for (const Node& b : right) {
      if (SameAnswer(a, b)) return true;
    }
  }
  return false;
}

bool IsText(const std::vector<Node>& readings) {
  return !readings.empty() && readings.front().op == Op::kText;
}

}  // namespace

bool EqualMathematics(std::string_view left, std::string_view right) {
  if (Fold(left) == Fold(right)) return true;
  if (left.size() > kMaxLength || right.size() > kMaxLength) return false;
  // What takes too much is given up at some place, which must be the same place both ways round.
  if (left.size() + right.size() > kLong && right < left) std::swap(left, right);
  const std::string spelling = Spelling(left);
  if (spelling.size() > 1 && spelling == Spelling(right)) return true;
  std::vector<Node> left_readings = Readings(left, true);
  std::vector<Node> right_readings = Readings(right, true);
  if (AnySame(left_readings, right_readings)) return true;
  // "xy" is a product where the other side is no words.
  if (IsText(left_readings) == IsText(right_readings)) return false;
  return AnySame(Readings(left, false), Readings(right, false));
}

}  // namespace autodidact::answers
