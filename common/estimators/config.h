// What estimators are configured by. Chat templates and answer rules follow from other keys of a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "answers/compare.h"
#include "answers/extract.h"
#include "base/names.h"
#include "engine/config.h"
#include "text/chat.h"

namespace autodidact::estimators {

enum class EstimatorKind { kSynthesis, kMajority, kMinPerplexity, kSelfSelect, kMutualPredictability, kGroundTruth };
constexpr auto NamesOf(EstimatorKind) {
  return base::NameTable<EstimatorKind, 6>{{{EstimatorKind::kSynthesis, "synthesis"},
                                            {EstimatorKind::kMajority, "majority"},
                                            {EstimatorKind::kMinPerplexity, "min_perplexity"},
                                            {EstimatorKind::kSelfSelect, "self_select"},
                                            {EstimatorKind::kMutualPredictability, "mutual_predictability"},
                                            {EstimatorKind::kGroundTruth, "ground_truth"}}};
}

// How an answer is found in a text and compared.
struct AnswerRule {
  answers::Extractor extractor = answers::Extractor::kBoxed;
  answers::Comparator comparator = answers::Comparator::kExact;
};

// How the candidates of a group are ordered in the prompt of the synthesis.
enum class CandidateOrder : std::uint8_t {
  kGiven,      // as the rollouts were drawn, which is random
  kFrequency,  // equal texts together, the most frequent last (nearest to the anchor's answer)
  kCounted,    // the same, but each text once
};
constexpr auto NamesOf(CandidateOrder) {
  return base::NameTable<CandidateOrder, 3>{{{CandidateOrder::kGiven, "given"},
                                             {CandidateOrder::kFrequency, "frequency"},
                                             {CandidateOrder::kCounted, "counted"}}};
}

// The prompt of the synthesis: everything but the candidates is fixed by the config, so nothing of the question can
// enter. "{candidates}" in the template is replaced by the candidates, each rendered by `candidate` ("{index}" from 1,
// "{text}", "{count}" of rollouts equal to it).
struct SynthesisPrompt {
  std::string system;                        // empty: none
  std::string instruction = "{candidates}";  // the user turn
  std::string candidate = "{text}";
  std::string separator = "\n";  // between candidates
  CandidateOrder order = CandidateOrder::kGiven;
  std::string heading;  // only text under its last occurrence counts; empty: all of it
  text::ChatTemplate format;
};

// The structure that the anchor must write. Thoughts before it (<think>…</think>) are passed over.
enum class RubricFormat {
  kJson,   // a list of strings, or an object with that one member; sentences and a ``` fence around it are passed over
  kLines,  // nothing but one criterion a line (in a ``` fence or bare), all behind "- ", all behind "* ", or numbered
           // from 1 ("1. " or "1) ")
  kSeparated,  // criteria between separators; one separator may stand before the first
};
constexpr auto NamesOf(RubricFormat) {
  return base::NameTable<RubricFormat, 3>{
      {{RubricFormat::kJson, "json"}, {RubricFormat::kLines, "lines"}, {RubricFormat::kSeparated, "separated"}}};
}

struct RubricConfig {
  std::string system;        // empty: none
  std::string instruction =  // the user turn
      "Below is a reference answer to a question that you do not see.\n\n{reference}\n\nWrite a rubric for judging "
      "other answers to the same question: between 5 and 12 criteria, each a statement that a judge who sees one "
      "answer, and neither the question nor the reference, can settle with yes or no. Each names one specific fact, "
      "step or quality of the reference and can be understood by itself. Reply with a JSON list of strings and nothing "
      "else.";
  text::ChatTemplate chat;
  RubricFormat format = RubricFormat::kJson;
  std::string separator = "|";          // of kSeparated
  std::size_t min_criteria = 5;         // fewer: no rubric
  std::size_t words_per_criterion = 0;  // a reference of w words needs no more than max(1, w / this); 0: off
  std::size_t max_criteria = 20;        // further ones are dropped
  float retry_temperature = 0.7f;       // of the second try, when the first is greedy
  engine::SamplingParams sampling{.temperature = 0, .max_new_tokens = 512};
};

struct SynthesisConfig {
  SynthesisPrompt prompt;
  engine::SamplingParams sampling{.temperature = 0};
  std::int64_t context = 0;  // tokens of prompt and answer that the anchor may use; 0: the model's own limit
  AnswerRule rule;           // a synthesis without an answer under this rule fails
  std::optional<RubricConfig> rubric = {};  // rubric regime: what the anchor writes after the synthesis
};

// How a question stands before a model.
struct QuestionFormat {
  std::string system;             // a turn before all others; empty: none
  std::string text = "{prompt}";  // the user turn of a prompt in text; a prompt in turns stands as it is
  text::ChatTemplate format;
};

// The prompt of self_select, a single user turn.
struct SelfSelectPrompt {
  std::string system;  // empty: none
  std::string instruction =
      "{prompt}\n\nBelow are answers to this, each with its number.\n\n{candidates}\n\n"
      "Which answer is the best? Reply with its number and nothing else.";
  std::string candidate = "Answer {index}:\n{text}";
  std::string separator = "\n\n";
  // What the candidates are called: {index}, and the replies to choose among. Empty: "1", "2", … For vocabularies
  // without numerals.
  std::vector<std::string> choices;
};

struct SelectionConfig {
  QuestionFormat question;
  SelfSelectPrompt self_select;
  AnswerRule rule;  // a selected rollout without an answer under this rule is a failure
};

}  // namespace autodidact::estimators
