// The made-up task of the demo: words spelled out over the telephone by a fixed rule.
#pragma once

#include <string>
#include <vector>

#include "base/rng.h"

namespace autodidact::launch {

// Words of kWordLength letters. Each letter is spelled by a name that begins with it, and which of its two names is
// used depends on what stands before: a girl's name after a vowel, a boy's name otherwise ("adam", but "anna" in
// "ea…").
inline constexpr int kWordLength = 7;

// A pronounceable word; depends on the walk alone.
std::string MakeWord(base::RandomWalk& walk);
// "b a n a n a s" -> "bob adam nina adam nina adam sue": the right answer to a word.
std::vector<std::string> SpellWord(const std::string& word);
// All names that answers are made of.
const std::vector<std::string>& SpellingNames();

}  // namespace autodidact::launch
