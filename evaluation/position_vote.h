// A vote by a plain program: what majority per position gives without any model.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace autodidact::evaluation {

// The candidates as sequences of space-separated symbols. The length is the commonest one, and each position holds the
// commonest symbol of the candidates that reach it; ties go to what came first. Nothing when no candidate has a symbol.
std::optional<std::string> PositionVote(const std::vector<std::string>& candidates);

}  // namespace autodidact::evaluation
