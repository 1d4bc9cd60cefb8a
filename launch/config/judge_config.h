// What a judge is configured by, and the description of it: a backend adds its name, its own config and its keys here.
#pragma once

#include <string>

#include "base/names.h"
#include "judge_service/config.h"
#include "launch/config/key.h"
#include "launch/config/rules.h"
#include "text/chat_source.h"

namespace autodidact::launch {

// What a judge of rubric and model_as_judge is.
enum class JudgeBackend { kModel, kEndpoint };
constexpr auto NamesOf(JudgeBackend) {
  return base::NameTable<JudgeBackend, 2>{{{JudgeBackend::kModel, "model"}, {JudgeBackend::kEndpoint, "endpoint"}}};
}

struct JudgeConfig {
  judge_service::ModelJudgeConfig judging{.kind = judge_service::JudgeKind::kProgram};
  JudgeBackend backend = JudgeBackend::kModel;
  bool allow_same_model = false;  // the judge may be the anchor's own folder
  std::string system = {};
  std::string instruction = {};  // empty: built in; with {response} and {criterion}, or {reference} for model_as_judge
  judge_service::ModelBackendConfig model = {};
  // Of the judge's folder. The choice is read where the answer begins, so it must not begin with thoughts.
  text::ChatChoice chat{.variables = R"({"enable_thinking":false})"};
  judge_service::EndpointConfig endpoint = {};
  std::string api_key_env = {};  // environment variable that holds the endpoint's key; empty: no key

  judge_service::JudgeKind kind() const { return judging.kind; }
  bool by_program() const { return kind() == judge_service::JudgeKind::kProgram; }
  bool by_rubric() const { return kind() == judge_service::JudgeKind::kRubric; }
  // Whether it computes with a model folder of its own, or asks elsewhere.
  bool has_model() const { return !by_program() && backend == JudgeBackend::kModel; }
  bool has_endpoint() const { return !by_program() && backend == JudgeBackend::kEndpoint; }
};

template <class V>
void Describe(V& v, JudgeConfig& c) {
  constexpr Real kPause{1e-3, 86'400, "seconds"};
  v("kind", c.judging.kind, "Who says what a rollout is worth.");
  v("backend", c.backend, "What the judge of rubric and model_as_judge is.");
  v("allow_same_model", c.allow_same_model, MayChange("Whether the judge may be the anchor's own folder."));
  v("attempts", c.judging.attempts, Whole{1, 100},
    MayChange("Tries for each verdict until it is valid; then it is left out."));
  v("cache", c.judging.cache, Whole{0, 100'000'000}, MayChange("Verdicts kept for equal questions. 0: none."));
  v("system", c.system, "System turn of the judge's prompt.");
  v("instruction", c.instruction,
    "What a model judge is asked, with {response} and {criterion} (model_as_judge: {reference}). Empty: built in.");
  v.Section("model", [&](auto& s) {
    s("folder", c.model.folder, ByContent("Hugging Face folder of the judge, another than the anchor's."));
    s("format", c.chat.format, "Chat format of the judge, as prompt.format.");
    s.Mapping("template_variables", c.chat.variables, "What the judge's chat template is given.");
    s("yes", c.model.yes, "The text by which the judge says yes.");
    s("no", c.model.no, "The text by which the judge says no.");
    s("threshold", c.model.threshold, Real{1e-6, 1 - 1e-6}, "It is a yes when P(yes) / (P(yes) + P(no)) is above.");
  });
  v.Section("endpoint", [&](auto& s) {
    judge_service::EndpointConfig& e = c.endpoint;
    s("base_url", e.base_url, MayChange("Address of an OpenAI-compatible service, as http://127.0.0.1:8000/v1."));
    s("model", e.talk.model, "The model's name there.");
    s("api_key_env", c.api_key_env, MayChange("Environment variable that holds the key. Empty: no key."));
    s("concurrency", e.concurrency, Whole{1, 4096}, MayChange("Calls at once."));
    s("timeout", e.timeout, kPause, MayChange("For one call."));
    s("retries", e.retries, Whole{0, 1000}, MayChange("Further tries of a call after 429, 5xx, time-outs and cuts."));
    s("backoff", e.backoff, kPause, MayChange("Before the first further try, doubled each time."));
    s("max_backoff", e.max_backoff, kPause, MayChange("At most so long before a further try."));
    s("max_tokens", e.talk.max_tokens, Whole{1, 1 << 22, "tokens"}, MayChange("Of one reply."));
    s("extra_body", e.talk.extra_body, "JSON object put into each request; a null takes a member out.");
  });
  v("length_penalty_above", c.judging.length_penalty_above, Whole{0, 1 << 22, "tokens"},
    "A longer rollout's reward is lowered by length_penalty. 0: off.");
  v("length_penalty", c.judging.length_penalty, Real{-1000, 1000}, "What a rollout that is too long loses.");
}

}  // namespace autodidact::launch
