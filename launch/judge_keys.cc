#include "launch/judge_keys.h"

#include <filesystem>

#include "base/error.h"
#include "base/format.h"
#include "estimators/rubric.h"
#include "json/json.h"
#include "judge_service/backend.h"
#include "launch/config.h"
#include "text/chat.h"

namespace autodidact::launch {
namespace {

using Fail = std::function<void(const char* key, const std::string& what)>;

// Runs a check that throws on its own, and names the key.
template <class Check>
void Named(const Fail& fail, const char* key, Check check) {
  try {
    check();
  } catch (const base::Error& error) {
    fail(key, error.message());
  }
}

void CheckRubric(const RubricKeys& keys, const Fail& fail) {
  Named(fail, "rubric.format", [&] { estimators::RubricFormatNamed(keys.format); });
  if (keys.words_per_criterion < 0) fail("rubric.words_per_criterion", "expected at least 0");
  if (!(keys.retry_temperature > 0)) fail("rubric.retry_temperature", "expected more than 0");
  if (keys.min_criteria < 1) fail("rubric.min_criteria", "expected at least 1");
  if (keys.max_criteria < keys.min_criteria) fail("rubric.max_criteria", "expected at least rubric.min_criteria");
  if (keys.instruction.find("{reference}") == std::string::npos) fail("rubric.instruction", "it has no {reference}");
  if (keys.format == "separated" && keys.separator.find_first_not_of(" \t\r\n") == std::string::npos) {
    fail("rubric.separator", "got nothing, expected what stands between two criteria");
  }
}

void CheckModel(const RunConfig& config, const Fail& fail) {
  const JudgeModelKeys& keys = config.judge.model;
  if (keys.folder.empty()) fail("judge.model.folder", "got nothing, expected a path");
  if (!std::filesystem::is_directory(keys.folder)) fail("judge.model.folder", "there is no folder " + keys.folder);
  if (keys.format != "auto") Named(fail, "judge.model.format", [&] { text::ChatFormatNamed(keys.format); });
  if (!(keys.threshold > 0 && keys.threshold < 1))
    fail("judge.model.threshold", "expected more than 0 and less than 1");
  std::error_code ignored;
  if (!config.judge.allow_same_model && std::filesystem::equivalent(keys.folder, config.model, ignored)) {
    fail("judge.model.folder",
         "it is the anchor's own folder, and a judge that wrote the criteria itself is no second opinion; name another "
         "model, or say judge.allow_same_model: true");
  }
  const std::string& text = config.judge.instruction;
  if (text.empty()) return;
  if (text.find("{response}") == std::string::npos) fail("judge.instruction", "it has no {response}");
  const char* item = config.judge.kind == "rubric" ? "{criterion}" : "{reference}";
  if (text.find(item) == std::string::npos) fail("judge.instruction", std::string("it has no ") + item);
}

void CheckEndpoint(const JudgeKeys& judge, const Fail& fail) {
  const JudgeEndpointKeys& keys = judge.endpoint;
  if (!keys.base_url.starts_with("http://") && !keys.base_url.starts_with("https://")) {
    fail("judge.endpoint.base_url", "got \"" + keys.base_url + "\", expected an address as http://127.0.0.1:8000/v1");
  }
  if (keys.model.empty()) fail("judge.endpoint.model", "got nothing, expected the name of a model");
  if (!judge.instruction.empty()) {
    fail("judge.instruction", "backend endpoint has its own; judge.system stands before it");
  }
  if (keys.concurrency < 1) fail("judge.endpoint.concurrency", "expected at least 1");
  if (!(keys.timeout > 0)) fail("judge.endpoint.timeout", "expected more than 0 seconds");
  if (keys.retries < 0) fail("judge.endpoint.retries", "expected at least 0");
  if (!(keys.backoff > 0)) fail("judge.endpoint.backoff", "expected more than 0 seconds");
  if (!(keys.max_backoff >= keys.backoff)) fail("judge.endpoint.max_backoff", "expected at least endpoint.backoff");
  Named(fail, "judge.endpoint.extra_body", [&] {
    if (!keys.extra_body.empty() && !json::Parse(keys.extra_body, "it").is_object()) {
      base::ThrowBadInput("expected a JSON object");
    }
  });
  if (keys.max_tokens < 1) fail("judge.endpoint.max_tokens", "expected at least 1");
}

}  // namespace

void CheckJudgeItself(const RunConfig& config, const Fail& fail) {
  const JudgeKeys& keys = config.judge;
  Named(fail, "judge.kind", [&] { judge_service::JudgeKindNamed(keys.kind); });
  if (keys.length_penalty_above < 0) fail("judge.length_penalty_above", "expected at least 0");
  if (keys.backend != "model" && keys.backend != "endpoint") {
    fail("judge.backend", "got \"" + keys.backend + "\", expected one of model, endpoint");
  }
  if (keys.attempts < 1) fail("judge.attempts", "expected at least 1");
  if (keys.cache < 0) fail("judge.cache", "expected at least 0");
  if (keys.kind == "program") return;
  keys.backend == "model" ? CheckModel(config, fail) : CheckEndpoint(keys, fail);
}

void CheckJudge(const RunConfig& config, const Fail& fail) {
  CheckJudgeItself(config, fail);
  if (config.judge.kind != "rubric") return;
  CheckRubric(config.rubric, fail);
  if (config.estimator != "synthesis" && config.estimator != "ground_truth") {
    fail("estimator", "got \"" + config.estimator +
                          "\", expected synthesis or ground_truth: judge.kind: rubric needs criteria, which the anchor "
                          "writes after a synthesis or a row brings with it");
  }
  if (config.answer.extractor != "whole") {
    fail("answer.extractor", "got \"" + config.answer.extractor +
                                 "\", expected whole: judge.kind: rubric judges whole texts, not answers inside them");
  }
}

}  // namespace autodidact::launch
