// The descriptions that both kinds of config share (visitor.h says what a description is).
#pragma once

#include "launch/config/run_config.h"
#include "launch/config/visitor.h"

namespace autodidact::launch {

// Above these no run means it, and sums of them stay far from the ends of their types.
inline constexpr Whole kCount{0, 1'000'000'000};
inline constexpr Whole kSteps{0, 1'000'000'000, "steps"};
inline constexpr Whole kRows{0, 1'000'000'000, "rows; 0: all"};
inline constexpr Whole kSeed{0, INT64_MAX};
inline constexpr Whole kThreads{0, 4096, "0: all cores"};
inline constexpr Whole kGroupSize{1, 1024, "rollouts"};
inline constexpr Real kShare{0, 1};
inline constexpr Real kLearningRate{0, 10};
inline constexpr Real kMomentum{0, 0.999999};
inline constexpr Real kWait{1e-3, 1e8, "seconds"};

inline constexpr Real kTemperature{.least = 1e-6, .most = 1e6, .unit = "0: greedy", .or_zero = true};
inline constexpr Whole kTopK{0, 1 << 24, "0: off"};
inline constexpr Real kTopP{1e-6, 1, "1: off"};
inline constexpr Real kMinP{0, 1, "0: off"};
inline constexpr Real kRepetitionPenalty{1e-3, 1e3, "1: off"};
inline constexpr Whole kTokens{1, 1 << 22, "tokens"};

template <class V>
void Describe(V& v, engine::SamplingParams& c) {
  v("temperature", c.temperature, kTemperature, "Logits are divided by it; the higher, the more varied. 0: greedy.");
  v("top_k", c.top_k, kTopK, "Only the so many likeliest tokens can be drawn. 0: all.");
  v("top_p", c.top_p, kTopP, "Only the likeliest tokens that together have this probability can be drawn. 1: all.");
  v("min_p", c.min_p, kMinP, "Only tokens with this share of the likeliest one's probability can be drawn. 0: all.");
  v("repetition_penalty", c.repetition_penalty, kRepetitionPenalty,
    "Above 1, tokens of the prompt and of the completion become less likely. 1: off.");
  v("max_completion_length", c.max_new_tokens, kTokens, "A completion is cut after so many tokens.");
  v("stop", c.stop_strings, "Texts that end a completion; they are no part of it.");
}

template <class V>
void Describe(V& v, PromptConfig& c) {
  v("format", c.chat.format,
    "Chat format: auto (the model's template), plain, llama3, qwen3, qwen2, chatml, smollm2, gemma3.");
  v("template", c.chat.file,
    ByContent("File of a chat template (jinja2) in the place of the model's. Empty: the model's."));
  v.Mapping("template_variables", c.chat.variables, "What the template is given, as enable_thinking: false.");
  v("python", c.chat.python, MayChange("The Python that has jinja2. Empty: looked for."));
  v("system", c.system, "System turn. Empty: none.");
  v("text", c.text, "The user's turn; {prompt} stands for the row's text.");
}

template <class V>
void Describe(V& v, estimators::SynthesisConfig& c) {
  v("system", c.prompt.system, "System turn of the anchor's prompt. Empty: none.");
  v("instruction", c.prompt.instruction, "What the anchor is asked; {candidates} stands for the group's answers.");
  v("candidate", c.prompt.candidate, "How a candidate stands there: {text}, {index} from 1, {count} of equal ones.");
  v("separator", c.prompt.separator, "What stands between two candidates.");
  v("order", c.prompt.order, "In which order the candidates stand.");
  v("heading", c.prompt.heading, "Only what follows its last occurrence is the reference. Empty: all is.");
  v("context", c.context, Whole{0, 1 << 24, "tokens; 0: the model's own"}, "The anchor's prompt and answer together.");
  v.Section("sampling", [&](auto& s) { Describe(s, c.sampling); });
}

}  // namespace autodidact::launch
