#include "answers/mathematics.h"

#include <algorithm>
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

// Equal where any pair of readings is.
Sameness BestSameness(const std::vector<Node>& left, const std::vector<Node>& right, Trial& trial) {
  Sameness best = Sameness::kUnequal;
  for (const Node& a : left) {
    for (const Node& b : right) {
      const Sameness sameness = SameAnswer(a, b, trial);
      if (sameness == Sameness::kEqual) return sameness;
      if (sameness == Sameness::kUndecided) best = sameness;
    }
  }
  return best;
}

bool IsText(const std::vector<Node>& readings) {
  return !readings.empty() && readings.front().op == Op::kText;
}

}  // namespace

Sameness CompareMathematics(std::string_view left, std::string_view right) {
  if (Fold(left) == Fold(right)) return Sameness::kEqual;
  if (left.size() > kMaxLength || right.size() > kMaxLength) return Sameness::kUnequal;
  // What takes too much is given up at some place, which must be the same place both ways round.
  if (right < left) std::swap(left, right);
  const std::string spelling = Spelling(left);
  if (spelling.size() > 1 && spelling == Spelling(right)) return Sameness::kEqual;
  Trial trial(left, right);
  const std::vector<Node> left_readings = Readings(left, true), right_readings = Readings(right, true);
  const Sameness sameness = BestSameness(left_readings, right_readings, trial);
  // "xy" is a product where the other side is no words.
  if (sameness == Sameness::kEqual || IsText(left_readings) == IsText(right_readings)) return sameness;
  const Sameness without_words = BestSameness(Readings(left, false), Readings(right, false), trial);
  return without_words == Sameness::kUnequal ? sameness : without_words;
}

bool SaysSomething(std::string_view answer) {
  if (answer.size() > kMaxLength) return true;
  Trial trial(answer, answer);
  const std::vector<Node> readings = Readings(answer, true);
  return readings.empty() ||
         std::any_of(readings.begin(), readings.end(), [&](const Node& node) { return HasValues(node, trial); });
}

}  // namespace autodidact::answers
