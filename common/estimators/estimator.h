// From a group to its reference. Each estimator says what it reads; the synthesis is one among them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "answers/compare.h"
#include "answers/extract.h"
#include "base/error.h"
#include "engine/engine.h"
#include "schema/types.h"
#include "text/chat.h"

namespace autodidact::estimators {

enum class EstimatorKind { kSynthesis, kMajority, kGroundTruth };
// "synthesis", "majority", "ground_truth"; Error(kBadInput) listing them otherwise.
EstimatorKind EstimatorNamed(std::string_view name);
const char* Name(EstimatorKind kind);

// How an answer is found in a text and compared.
struct AnswerRule {
  answers::Extractor extractor = answers::Extractor::kBoxed;
  answers::Comparator comparator = answers::Comparator::kExact;
};

// Majority: the answer of the largest equivalence class; ties go to the class whose first member came first (texts are
// in rollout order, which is random). The reference's text is the first text of that class. Fails (kBadInput) when no
// text has an answer. Reads the group only.
base::Outcome<schema::Reference> MajorityReference(const AnswerRule& rule, const std::vector<std::string>& texts);

// Ground truth: the label. Reads the label only. Fails when there is none.
base::Outcome<schema::Reference> LabelReference(const std::vector<std::string>& answers);

// The prompt of the synthesis: everything but the candidates is fixed by the config, so nothing of the question can
// enter. "{candidates}" in the template is replaced by the candidates, each rendered by `candidate` ("{index}" from 1,
// "{text}").
struct SynthesisPrompt {
  std::string system;                       // empty: none
  std::string instruction = "{candidates}"; // the user turn
  std::string candidate = "{text}";
  std::string separator = "\n";             // between candidates
  std::string heading;                      // only text under its last occurrence counts; empty: all of it
  text::ChatFormat format = text::ChatFormat::kPlain;
};

struct SynthesisConfig {
  SynthesisPrompt prompt;
  engine::SamplingParams sampling;
  std::int64_t context = 0;   // tokens of prompt and answer that the anchor may use; 0: the model's own limit
  AnswerRule rule;            // a synthesis without an answer under this rule fails
};

// One synthesis under way: the prompts to generate for it, in stages when the group does not fit into the context (parts
// first, then the parts' references). A value-like state machine; one thread.
class SynthesisPlan {
 public:
  SynthesisPlan(const SynthesisConfig& config, const text::Tokenizer& tokenizer, std::vector<std::string> candidates,
                std::int64_t context);

  // The token ids of the prompts of this stage; empty when a candidate alone does not fit (then result() fails).
  const std::vector<std::vector<schema::TokenId>>& prompts() const { return prompts_; }
  // Gives the texts generated for prompts(). True when the plan is finished, false when prompts() holds another stage.
  bool Advance(const std::vector<base::Outcome<std::string>>& generations);
  // Once finished.
  const base::Outcome<schema::Reference>& result() const { return result_; }

 private:
  void PlanStage();

  const SynthesisConfig& config_;
  const text::Tokenizer& tokenizer_;
  std::int64_t context_;
  std::vector<std::string> candidates_;
  std::vector<std::vector<schema::TokenId>> prompts_;
  std::uint32_t stages_ = 0;
  base::Outcome<schema::Reference> result_;
};

// The text under the last heading, trimmed; the whole text when the heading is empty; nothing when it is missing.
std::optional<std::string> TextUnderHeading(std::string_view text, std::string_view heading);

}  // namespace autodidact::estimators
