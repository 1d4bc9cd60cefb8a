#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "launch/config/checks.h"
#include "text/tokenizer.h"

namespace autodidact::launch {
namespace {

using answers::Extractor;

constexpr const char* kHeading = "## Unified answer";
constexpr const char* kReconcile =
    "Below are several answers to one question, written independently of each other. The question itself is not shown."
    "\n\n{candidates}\n\n"
    "Reconcile them into the one answer that the question must have. Do not pick one of them, and do not count how "
    "many "
    "agree: follow each, compare where they part, keep what is right even where only one of them saw it, and mend what "
    "is wrong or missing. Every one of them may be wrong. Then write the unified answer in full, under this heading "
    "and "
    "with nothing after it:\n\n";

// How a prompt asks for a final answer in the form that the extractor finds. Empty: no form is asked for.
std::string FormOf(Extractor extractor) {
  switch (extractor) {
    case Extractor::kBoxed:
      return "the final answer in \\boxed{}";
    case Extractor::kAfterHashes:
      return "a line of its own that holds #### and the final answer";
    case Extractor::kLastNumber:
      return "the final answer as a number";
    case Extractor::kWholeText:
      break;
  }
  return "";
}

std::string Question(Extractor extractor) {
  const std::string form = FormOf(extractor);
  return form.empty() ? "{prompt}" : "{prompt}\n\nReason step by step, and end with " + form + ".";
}

std::string Instruction(Extractor extractor, const std::string& heading) {
  const std::string form = FormOf(extractor);
  return kReconcile + heading + (form.empty() ? "" : "\n\nEnd it with " + form + ".");
}

// Whether the model's vocabulary has what a text needs; true where that cannot be known yet.
bool CanSay(const std::string& folder, const std::string& text) {
  if (!std::filesystem::exists(std::filesystem::path(folder) / "tokenizer.json")) return true;
  try {
    text::Tokenizer(folder).Encode(text, /*add_special_tokens=*/false);
  } catch (const base::Error&) {
    return false;
  }
  return true;
}

// What asks for an answer: of a model that knows no more than the symbols of its task, nothing can be asked in words.
void FillInTexts(RunConfig& config, const ConfigChecker& check) {
  const bool prompt = !check.Given("prompt.text");
  const bool anchor = !check.Given("anchor.instruction");
  if (!prompt && !anchor) return;
  const bool free = config.answer.programs() || config.judge.by_rubric();
  const Extractor extractor = free ? Extractor::kWholeText : config.answer.extractor;
  const std::string heading = check.Given("anchor.heading") ? config.anchor.prompt.heading : kHeading;
  std::string needed = prompt ? Question(extractor) : "";
  if (anchor) needed += Instruction(extractor, heading);
  if (!CanSay(config.model, needed)) {
    if (check.Given("answer.extractor") || free) return;
    config.answer.extractor = Extractor::kWholeText;
    if (!check.Given("answer.comparator")) config.answer.comparator = Comparison::kExact;
    // Such a vocabulary is split at spaces and has no line break.
    if (!check.Given("anchor.separator")) config.anchor.prompt.separator = " ";
    check.Warn("prompt.text",
               "is left out, and the model's vocabulary has no words to ask for an answer with: prompts and candidates "
               "stand bare, and "
               "answers are compared as whole texts; write prompt.text and anchor.instruction for this model");
    return;
  }
  if (prompt) config.prompt.text = Question(extractor);
  if (!anchor) return;
  config.anchor.prompt.instruction = Instruction(extractor, heading);
  config.anchor.prompt.heading = heading;
  if (!check.Given("anchor.candidate")) config.anchor.prompt.candidate = "### Answer {index}\n\n{text}";
  if (!check.Given("anchor.separator")) config.anchor.prompt.separator = "\n\n";
}

// An empty list means the usual names.
void FillInColumns(data::RowKeys& columns) {
  const data::RowKeys usual;
  for (const auto names : {&data::RowKeys::id, &data::RowKeys::prompt, &data::RowKeys::answer, &data::RowKeys::answers})
    if ((columns.*names).empty()) columns.*names = usual.*names;
}

// Several completions and an answer must fit into the anchor's context beside each other.
void FillInLengths(RunConfig& config, const ConfigChecker& check, std::int64_t context) {
  constexpr std::int64_t kUsual = 1024;
  const auto length =
      static_cast<std::int32_t>(context > 0 ? std::clamp<std::int64_t>(context / 8, 1, kUsual) : kUsual);
  if (!check.Given("rollout.max_completion_length")) config.rollout.max_new_tokens = length;
  if (!check.Given("anchor.sampling.max_completion_length")) {
    config.anchor.sampling.max_new_tokens = std::max(length, config.rollout.max_new_tokens);
  }
}

}  // namespace

void FillIn(RunConfig& config, const ConfigChecker& check, std::int64_t context) {
  FillInColumns(config.data.columns);
  if (!check.Given("train.epsilon_high")) {
    config.train.trainer.loss.epsilon_high = config.train.trainer.loss.epsilon;
  }
  if (!check.Given("timeouts.collective")) {
    config.timeouts.collective = std::max(config.timeouts.collective, config.timeouts.step);
  }
  if (!check.Given("answer.extractor") && !check.Given("answer.comparator"))
    config.answer.comparator = Comparison::kMathematics;
  FillInTexts(config, check);
  FillInLengths(config, check, context);
}

}  // namespace autodidact::launch
