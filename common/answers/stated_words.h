// The words by which sentences say, hedge and explain an answer, in small letters. Private to the room.
#pragma once

#include <string_view>

namespace autodidact::answers {

// Between "answer" and the answer.
inline constexpr std::string_view kVerbs[] = {"is",      "are", "=",    ":",    "equals", "be",
                                              "becomes", "was", "were", "will", "->",     "\u2192"};
// After which a sentence's value stands.
inline constexpr std::string_view kComesTo[] = {
    "is",     "are",      "was",    "were",      "be",       "equals",  "equal",    "get",    "gets",
    "obtain", "have",     "has",    "gives",     "yields",   "find",    "becomes",  "to",     "got",
    "found",  "obtained", "costs",  "cost",      "pays",     "pay",     "earns",    "earn",   "makes",
    "make",   "takes",    "take",   "spends",    "saves",    "weighs",  "measures", "totals", "amounts",
    "leaves", "equaling", "giving", "obtaining", "yielding", "getting", "implies"};
// Words by which a sentence says more than one thing, or less than one.
inline constexpr std::string_view kHedges[] = {
    "either",    "neither", "maybe",   "perhaps", "possibly", "might",    "could",     "cannot",
    "unless",    "except",  "not",     "isn't",   "if",       "or",       "when",      "whenever",
    "otherwise", "unclear", "unsure",  "guess",   "can't",    "aren't",   "wasn't",    "depending",
    "depends",   "never",   "without", "suppose", "assume",   "assuming", "supposing", "say"};
// Words after a value that make more of it.
inline constexpr std::string_view kContinues[] = {
    "plus",    "minus",      "times",   "divided", "multiplied", "mod",   "modulo", "squared", "cubed",    "factorial",
    "hundred", "thousand",   "million", "billion", "trillion",   "dozen", "halves", "thirds",  "quarters", "fifths",
    "tenths",  "hundredths", "for",     "to",      "where",      "and",   "but",    "more",    "less",     "over",
    "choose",  "while",      "until",   "modulus", "raised",     "half",  "base"};
// Clauses that only explain what stands before them.
inline constexpr std::string_view kExplains[] = {"because",   "since", "as",    "which", "so",   "thus", "hence", "by",
                                                 "therefore", "i.e",   "using", "see",   "that", "with", "after"};
// Of these, those that draw a conclusion: what follows may be the value.
inline constexpr std::string_view kConcludes[] = {"which", "so", "thus", "hence", "therefore"};
// Of a clause before: what follows may be no more than a possibility.
inline constexpr std::string_view kDenials[] = {
    "either",  "neither", "maybe",    "perhaps",   "possibly", "might", "could",   "unclear",   "unsure", "guess",
    "suppose", "assume",  "assuming", "supposing", "if",       "or",    "depends", "depending", "unless"};
// Clauses that say of a value where it is taken.
inline constexpr std::string_view kAttained[] = {"attained", "achieved", "reached", "obtained", "occurring"};
// Clauses whose formula is no conclusion.
inline constexpr std::string_view kSupposes[] = {"where", "for",   "since", "because", "as", "with", "using", "by",
                                                 "let",   "given", "than",  "from",    "at", "of",   "note",  "see"};
// Sentences that begin so say what is given.
inline constexpr std::string_view kGiven[] = {"let", "suppose", "assume", "given", "consider"};
inline constexpr std::string_view kNotTheAnswer[] = {
    "wrong",   "incorrect", "common",   "tempting",  "naive", "possible", "partial", "one",
    "another", "an",        "previous", "no",        "first", "second",   "initial", "any",
    "each",    "every",     "this",     "student's", "false", "typical",  "old"};
inline constexpr std::string_view kCorrections[] = {"wait",  "actually",   "mistake", "incorrect",
                                                    "wrong", "correction", "recheck", "error",
                                                    "sorry", "scratch",    "instead"};
inline constexpr std::string_view kConclusions[] = {"so",    "then", "thus",       "therefore", "hence",
                                                    "total", "in",   "altogether", "finally",   "overall"};

}  // namespace autodidact::answers
