// From a group to its reference. Each estimator says what it reads; the synthesis is one among them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "answers/compare.h"
#include "answers/extract.h"
#include "base/error.h"
#include "base/names.h"
#include "engine/engine.h"
#include "estimators/rubric.h"
#include "schema/types.h"
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
// Error(kBadInput) listing the names for one that is not among them.
EstimatorKind EstimatorNamed(std::string_view name);
std::string Name(EstimatorKind kind);

// What an estimator reads and needs; it decides where it may run. Whatever reads the question or a label never runs in
// the anchor service.
struct Reads {
  bool group = false;
  bool question = false;
  bool label = false;
  bool model = false;  // the weights of version 0
};
Reads ReadsOf(EstimatorKind kind);
// Whether it picks one of the rollouts by what a model says about them (selection.h).
bool IsSelection(EstimatorKind kind);
// Whether it reads the group's texts and nothing else: FromGroup is all that it is.
bool ReadsGroupAlone(EstimatorKind kind);

// How an answer is found in a text and compared.
struct AnswerRule {
  answers::Extractor extractor = answers::Extractor::kBoxed;
  answers::Comparator comparator = answers::Comparator::kExact;
};

// Majority: the answer of the largest equivalence class; ties go to the class whose first member came first (texts are
// in rollout order, which is random). The reference's text is the first text of that class. Fails (kBadInput) when no
// text has an answer. Reads the group only.
base::Outcome<schema::Reference> MajorityReference(const AnswerRule& rule, const std::vector<std::string>& texts);

// What an estimator that ReadsGroupAlone makes of the texts of a group, in rollout order. Fails (kBadInput) where they
// give no reference; Error(kBug) for another kind.
base::Outcome<schema::Reference> FromGroup(EstimatorKind kind, const AnswerRule& rule,
                                           const std::vector<std::string>& texts);

// Ground truth: the labels, any of which is right; the text is theirs by answers::LabelText, to be read by
// answers::ReferenceAnswers under the same rule. Reads the labels only. Fails (kBadInput) when there is none.
base::Outcome<schema::Reference> LabelReference(const AnswerRule& rule, const std::vector<std::string>& labels);

// The rubric regime's ground truth: the row's own criteria, and no text. Reads the row's rubric only. Fails (kBadInput)
// when there is none.
base::Outcome<schema::Reference> OwnRubricReference(std::vector<schema::Criterion> rubric);

// How the candidates of a group are ordered in the prompt of the synthesis.
enum class CandidateOrder : std::uint8_t {
  kGiven,      // as the rollouts were drawn, which is random
  kFrequency,  // equal texts together, those of which there are most last, next to where the anchor begins to write
  kCounted,    // so too, but each text once
};

// given, frequency, counted; Error(kBadInput) for another name.
CandidateOrder CandidateOrderNamed(const std::string& name);

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

struct SynthesisConfig {
  SynthesisPrompt prompt;
  engine::SamplingParams sampling;
  std::int64_t context = 0;  // tokens of prompt and answer that the anchor may use; 0: the model's own limit
  AnswerRule rule;           // a synthesis without an answer under this rule fails
  std::optional<RubricConfig> rubric = {};  // rubric regime: what the anchor writes after the synthesis
};

// Error(kBadInput) when the instruction has no "{candidates}" or the candidate no "{text}".
void Validate(const SynthesisPrompt& prompt);

// The text of the prompt, chat template included. What candidates contain is never expanded again.
std::string RenderSynthesisPrompt(const SynthesisPrompt& prompt, const std::vector<std::string>& candidates);

// Its token ids (text/chat.h): a candidate is only ever text, whatever it spells. Error(kBadInput) when the vocabulary
// cannot express the text.
std::vector<schema::TokenId> EncodeSynthesisPrompt(const SynthesisPrompt& prompt, const text::Tokenizer& tokenizer,
                                                   const std::vector<std::string>& candidates);

// The smaller of the config's context and the model's; either may be 0 for "no limit of its own".
std::int64_t SynthesisContext(const SynthesisConfig& config, std::int64_t model_limit);

// One synthesis under way: the prompts to generate for it, in stages when the group does not fit into the context
// (parts first, then the parts' references). A group is never cut: when no two neighbours fit into one prompt, or one
// candidate alone does not, it fails. A value-like state machine; one thread.
class SynthesisPlan {
 public:
  // `context` in tokens, 0 for no limit; a prompt may use what max_new_tokens leaves of it. The config and the
  // tokenizer must outlive the plan. Error(kBadInput) for a prompt that Validate refuses.
  SynthesisPlan(const SynthesisConfig& config, const text::Tokenizer& tokenizer, std::vector<std::string> candidates,
                std::int64_t context);

  // The token ids of the prompts of this stage; empty once finished, which may be from the start (then result() fails).
  const std::vector<std::vector<schema::TokenId>>& prompts() const { return prompts_; }
  // The number of this stage, from 1.
  std::uint32_t stage() const { return stages_; }
  // Gives the texts generated for prompts(), one each. True when the plan is finished, false when prompts() holds
  // another stage. A generation that failed, or lacks the heading, or the last one without an answer, fails the plan.
  bool Advance(const std::vector<base::Outcome<std::string>>& generations);
  // Once finished.
  const base::Outcome<schema::Reference>& result() const { return result_; }

 private:
  using Part = std::pair<std::size_t, std::size_t>;  // candidates [first, second)

  void PlanStage();
  void SplitIntoParts();
  std::vector<Part> PackParts();
  std::optional<std::vector<schema::TokenId>> PromptThatFits(const Part& part);
  void Fail(std::string reason);
  void Finish(const std::string& generation);

  const SynthesisConfig& config_;
  const text::Tokenizer& tokenizer_;
  std::int64_t prompt_limit_;
  std::vector<std::string> candidates_;
  // Of this stage, in order; a part of one candidate among others needs no prompt: it goes on as it is.
  std::vector<Part> parts_;
  std::vector<std::vector<schema::TokenId>> prompts_;
  std::uint32_t stages_ = 0;
  base::Outcome<schema::Reference> result_;
};

// The text under the last heading, trimmed; the whole text when the heading is empty; nothing when it is missing.
std::optional<std::string> TextUnderHeading(std::string_view text, std::string_view heading);

}  // namespace autodidact::estimators
