// From a group to its reference. Each estimator says what it reads; the synthesis is one among them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "estimators/config.h"
#include "schema/types.h"
#include "text/tokenizer.h"

namespace autodidact::estimators {

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
