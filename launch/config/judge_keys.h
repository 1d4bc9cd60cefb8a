// The keys of the rubric regime: how the anchor writes criteria, and who judges.
#pragma once

#include <cstdint>
#include <string>

#include "launch/config/sampling_keys.h"

namespace autodidact::launch {

struct RunConfig;
class ConfigChecker;

// How the frozen anchor writes a rubric from its reference.
struct RubricKeys {
  std::string system = {};
  std::string instruction =
      "Below is a reference answer to a question that you do not see.\n\n{reference}\n\nWrite a rubric for judging "
      "other answers to the same question: between 5 and 12 criteria, each a statement that a judge who sees one "
      "answer, "
      "and neither the question nor the reference, can settle with yes or no. Each names one specific fact, step or "
      "quality of the reference and can be understood by itself. Reply with a JSON list of strings and nothing else.";
  std::string format = "json";           // json, lines, separated
  std::string separator = "|";           // of separated
  std::int64_t min_criteria = 5;         // fewer: one retry, then the group fails
  std::int64_t words_per_criterion = 0;  // short references need only one criterion for so many words; 0: off
  std::int64_t max_criteria = 20;        // further ones are dropped
  double retry_temperature = 0.7;        // of the retry when the first try is greedy
  SamplingKeys sampling{.temperature = 0.0, .max_completion_length = 512};
};

// A judge that is a model folder on this engine.
struct JudgeModelKeys {
  std::string folder = {};      // Hugging Face folder, another than the anchor's
  std::string format = "auto";  // chat format
  // What the template is given, as prompt.template_variables. The choice is read where the answer begins, so it must
  // not begin with thoughts.
  std::string template_variables = R"({"enable_thinking":false})";
  std::string yes = "yes";  // the two choices, tokenized by themselves
  std::string no = "no";
  double threshold = 0.5;  // yes when P(yes) / (P(yes) + P(no)) is above
};

// A judge behind an OpenAI-compatible endpoint.
struct JudgeEndpointKeys {
  std::string base_url = {};     // "http://127.0.0.1:8000/v1"
  std::string model = {};        // as the endpoint names it
  std::string api_key_env = {};  // environment variable that holds the key; empty: no key
  std::int64_t concurrency = 8;  // calls at once
  double timeout = 60;           // seconds per call
  std::int64_t retries = 5;      // of a call, on 429, 5xx, time-outs and cut connections
  double backoff = 0.5;          // seconds before the first retry, doubled each time
  double max_backoff = 30;
  std::int64_t max_tokens = 1024;
  std::string extra_body = {};  // JSON object put into each request; a null takes a member out
};

struct JudgeKeys {
  std::string kind = "program";   // program (verifiable), rubric, model_as_judge
  std::string backend = "model";  // model, endpoint; of rubric and model_as_judge
  bool allow_same_model = false;  // the judge may be the anchor's own folder
  std::int64_t attempts = 3;      // per criterion, until its verdict is valid; then it is left out
  std::int64_t cache = 100000;    // verdicts kept; 0: none
  std::string system = {};
  std::string instruction = {};  // empty: built in; with {response} and {criterion}, or {reference} for model_as_judge
  JudgeModelKeys model;
  JudgeEndpointKeys endpoint;
  std::int64_t length_penalty_above = 0;  // tokens; 0: off (the paper: 750)
  double length_penalty = 1.0;
};

// Checks of the judge's keys by themselves, and of all these keys and how they fit to the others.
void CheckJudgeItself(const ConfigChecker& check, const RunConfig& config);
void CheckJudge(const ConfigChecker& check, const RunConfig& config);

template <class V>
void DescribeRubric(V& v, RubricKeys& c) {
  v("system", c.system, "System turn of the anchor's prompt for criteria.");
  v("instruction", c.instruction, "What the anchor is asked; {reference} stands for its reference.");
  v("format", c.format, Choice{{"json", "lines", "separated"}}, "How the criteria are written.");
  v("separator", c.separator, "What stands between two criteria of format: separated.");
  v("min_criteria", c.min_criteria, Whole{1, 1000}, "Fewer: one further try, then the group fails.");
  v("words_per_criterion", c.words_per_criterion, Whole{0, 1'000'000, "words"},
    "A short reference needs only one criterion for so many words. 0: always min_criteria.");
  v("max_criteria", c.max_criteria, Whole{1, 10'000}, "Further ones are dropped.");
  v("retry_temperature", c.retry_temperature, Real{1e-3, 100}, "Of the further try where the first is greedy.");
  v.Section("sampling", [&](auto& s) { Describe(s, c.sampling); });
}

template <class V>
void DescribeJudge(V& v, JudgeKeys& c) {
  constexpr Real kPause{1e-3, 86'400, "seconds"};
  v("kind", c.kind, Choice{{"program", "rubric", "model_as_judge"}}, "Who says what a rollout is worth.");
  v("backend", c.backend, Choice{{"model", "endpoint"}}, "What the judge of rubric and model_as_judge is.");
  v("allow_same_model", c.allow_same_model, "Whether the judge may be the anchor's own folder.");
  v("attempts", c.attempts, Whole{1, 100}, "Tries for each verdict until it is valid; then it is left out.");
  v("cache", c.cache, Whole{0, 100'000'000}, "Verdicts kept for equal questions. 0: none.");
  v("system", c.system, "System turn of the judge's prompt.");
  v("instruction", c.instruction,
    "What a model judge is asked, with {response} and {criterion} (model_as_judge: {reference}). Empty: built in.");
  v.Section("model", [&](auto& s) {
    s("folder", c.model.folder, "Hugging Face folder of the judge, another than the anchor's.");
    s("format", c.model.format, "Chat format of the judge, as prompt.format.");
    s.Mapping("template_variables", c.model.template_variables, "What the judge's chat template is given.");
    s("yes", c.model.yes, "The text by which the judge says yes.");
    s("no", c.model.no, "The text by which the judge says no.");
    s("threshold", c.model.threshold, Real{1e-6, 1 - 1e-6}, "It is a yes when P(yes) / (P(yes) + P(no)) is above.");
  });
  v.Section("endpoint", [&](auto& s) {
    s("base_url", c.endpoint.base_url, "Address of an OpenAI-compatible service, as http://127.0.0.1:8000/v1.");
    s("model", c.endpoint.model, "The model's name there.");
    s("api_key_env", c.endpoint.api_key_env, "Environment variable that holds the key. Empty: no key.");
    s("concurrency", c.endpoint.concurrency, Whole{1, 4096}, "Calls at once.");
    s("timeout", c.endpoint.timeout, kPause, "For one call.");
    s("retries", c.endpoint.retries, Whole{0, 1000}, "Further tries of a call after 429, 5xx, time-outs and cuts.");
    s("backoff", c.endpoint.backoff, kPause, "Before the first further try, doubled each time.");
    s("max_backoff", c.endpoint.max_backoff, kPause, "At most so long before a further try.");
    s("max_tokens", c.endpoint.max_tokens, Whole{1, 1 << 22, "tokens"}, "Of one reply.");
    s("extra_body", c.endpoint.extra_body, "JSON object put into each request; a null takes a member out.");
  });
  v("length_penalty_above", c.length_penalty_above, Whole{0, 1 << 22, "tokens"},
    "A longer rollout's reward is lowered by length_penalty. 0: off.");
  v("length_penalty", c.length_penalty, Real{-1000, 1000}, "What a rollout that is too long loses.");
}

}  // namespace autodidact::launch
