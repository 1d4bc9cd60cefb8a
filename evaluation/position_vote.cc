#include "evaluation/position_vote.h"

#include <algorithm>
#include <sstream>
#include <utility>

namespace autodidact::evaluation {
namespace {

// The commonest value; ties go to the first that came. `values` is not empty.
template <class T>
T Commonest(const std::vector<T>& values) {
  std::vector<std::pair<T, int>> counts;
  for (const T& value : values) {
    const auto at = std::find_if(counts.begin(), counts.end(), [&](const auto& count) { return count.first == value; });
    if (at == counts.end()) {
      counts.emplace_back(value, 1);
    } else {
      ++at->second;
    }
  }
  return std::max_element(counts.begin(), counts.end(),
                          [](const auto& left, const auto& right) { return left.second < right.second; })
      ->first;
}

}  // namespace

std::optional<std::string> PositionVote(const std::vector<std::string>& candidates) {
  std::vector<std::vector<std::string>> sequences;
  std::vector<std::size_t> lengths;
  for (const std::string& candidate : candidates) {
    std::istringstream stream(candidate);
    std::vector<std::string> symbols;
    for (std::string symbol; stream >> symbol;) symbols.push_back(std::move(symbol));
    if (symbols.empty()) continue;
    lengths.push_back(symbols.size());
    sequences.push_back(std::move(symbols));
  }
  if (sequences.empty()) return std::nullopt;
  std::string result;
  for (std::size_t position = 0, length = Commonest(lengths); position < length; ++position) {
    std::vector<std::string> votes;
    for (const auto& symbols : sequences) {
      if (position < symbols.size()) votes.push_back(symbols[position]);
    }
    if (position > 0) result.push_back(' ');
    result += Commonest(votes);
  }
  return result;
}

}  // namespace autodidact::evaluation
