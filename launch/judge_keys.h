// The keys of the rubric regime: how the anchor writes criteria, and who judges.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "launch/sampling_keys.h"

namespace autodidact::launch {

struct RunConfig;

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
  std::string yes = "yes";      // the two choices, tokenized by themselves
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

// Checks of the judge's keys by themselves, and of all these keys and how they fit to the others; `fail` throws for a
// key.
void CheckJudgeItself(const RunConfig& config,
                      const std::function<void(const char* key, const std::string& what)>& fail);
void CheckJudge(const RunConfig& config, const std::function<void(const char* key, const std::string& what)>& fail);

template <class V>
void DescribeRubric(V& v, RubricKeys& c) {
  v("system", c.system);
  v("instruction", c.instruction);
  v("format", c.format);
  v("separator", c.separator);
  v("min_criteria", c.min_criteria);
  v("words_per_criterion", c.words_per_criterion);
  v("max_criteria", c.max_criteria);
  v("retry_temperature", c.retry_temperature);
}

template <class V>
void DescribeJudge(V& v, JudgeKeys& c) {
  v("kind", c.kind);
  v("backend", c.backend);
  v("allow_same_model", c.allow_same_model);
  v("attempts", c.attempts);
  v("cache", c.cache);
  v("system", c.system);
  v("instruction", c.instruction);
  v.Section("model", [&](auto& s) {
    s("folder", c.model.folder);
    s("format", c.model.format);
    s("yes", c.model.yes);
    s("no", c.model.no);
    s("threshold", c.model.threshold);
  });
  v.Section("endpoint", [&](auto& s) {
    s("base_url", c.endpoint.base_url);
    s("model", c.endpoint.model);
    s("api_key_env", c.endpoint.api_key_env);
    s("concurrency", c.endpoint.concurrency);
    s("timeout", c.endpoint.timeout);
    s("retries", c.endpoint.retries);
    s("backoff", c.endpoint.backoff);
    s("max_backoff", c.endpoint.max_backoff);
    s("max_tokens", c.endpoint.max_tokens);
    s("extra_body", c.endpoint.extra_body);
  });
  v("length_penalty_above", c.length_penalty_above);
  v("length_penalty", c.length_penalty);
}

}  // namespace autodidact::launch
