// The descriptions that both kinds of config share (visitor.h says what a description is).
#pragma once

#include "estimators/estimator.h"
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

inline const Choice& EstimatorNames() {
  static const Choice names{base::AllNames<estimators::EstimatorKind>()};
  return names;
}

template <class V>
void Describe(V& v, PromptKeys& c) {
  v("format", c.format,
    "Chat format: auto (the model's template), plain, llama3, qwen3, qwen2, chatml, smollm2, gemma3.");
  v("template", c.chat_template, "File of a chat template (jinja2) in the place of the model's. Empty: the model's.");
  v.Mapping("template_variables", c.template_variables, "What the template is given, as enable_thinking: false.");
  v("python", c.python, "The Python that has jinja2. Empty: looked for.");
  v("system", c.system, "System turn. Empty: none.");
  v("text", c.text, "The user's turn; {prompt} stands for the row's text.");
}

template <class V>
void Describe(V& v, AnchorKeys& c) {
  v("system", c.system, "System turn of the anchor's prompt. Empty: none.");
  v("instruction", c.instruction, "What the anchor is asked; {candidates} stands for the group's answers.");
  v("candidate", c.candidate, "How a candidate stands there: {text}, {index} from 1, {count} of equal ones.");
  v("separator", c.separator, "What stands between two candidates.");
  v("order", c.order, Choice{{"given", "frequency", "counted"}}, "In which order the candidates stand.");
  v("heading", c.heading, "Only what follows its last occurrence is the reference. Empty: all is.");
  v("context", c.context, Whole{0, 1 << 24, "tokens; 0: the model's own"}, "The anchor's prompt and answer together.");
  v.Section("sampling", [&](auto& s) { Describe(s, c.sampling); });
}

}  // namespace autodidact::launch
