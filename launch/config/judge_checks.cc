#include <filesystem>

#include "base/error.h"
#include "json/json.h"
#include "judge_service/endpoint_talk.h"
#include "launch/config/checks.h"
#include "launch/config/visitor.h"
#include "text/chat.h"

namespace autodidact::launch {
namespace {

using estimators::EstimatorKind;

void CheckRubric(const ConfigChecker& check, const estimators::RubricConfig& keys) {
  if (keys.max_criteria < keys.min_criteria) {
    check.Fail("rubric.max_criteria",
               base::Format("got {}, expected at least rubric.min_criteria ({}): raise it, or lower the other",
                            keys.max_criteria, keys.min_criteria),
               "rubric.min_criteria");
  }
  check.Holds("rubric.instruction", keys.instruction, "{reference}", "the anchor's reference");
  if (keys.format == estimators::RubricFormat::kSeparated &&
      keys.separator.find_first_not_of(" \t\r\n") == std::string::npos) {
    check.Fail("rubric.separator", "got no more than spaces, expected what stands between two criteria, as \"|\"");
  }
  check.Sampling("rubric.sampling", keys.sampling);
}

void CheckModel(const ConfigChecker& check, const RunConfig& config) {
  const JudgeConfig& keys = config.judge;
  check.ModelFolder("judge.model.folder", keys.model.folder, "judge.kind");
  if (keys.chat.format != "auto") check.Named("judge.model.format", [&] { text::ChatFormatNamed(keys.chat.format); });
  if (keys.model.yes == keys.model.no) {
    check.Fail("judge.model.no", "got the same text as judge.model.yes, expected two different ones: write yes and no");
  }
  std::error_code ignored;
  if (!config.judge.allow_same_model && std::filesystem::equivalent(keys.model.folder, config.model, ignored)) {
    check.Fail(
        "judge.model.folder",
        "got the anchor's own folder, expected another model, since a judge that wrote the criteria itself is no "
        "second opinion: name another folder, or say judge.allow_same_model: true");
  }
  const std::string& text = config.judge.instruction;
  if (text.empty()) return;
  check.Holds("judge.instruction", text, "{response}", "the rollout");
  config.judge.by_rubric() ? check.Holds("judge.instruction", text, "{criterion}", "the criterion")
                           : check.Holds("judge.instruction", text, "{reference}", "the reference");
}

void CheckEndpoint(const ConfigChecker& check, const JudgeConfig& judge) {
  const judge_service::EndpointConfig& keys = judge.endpoint;
  if (!keys.base_url.starts_with("http://") && !keys.base_url.starts_with("https://")) {
    check.Fail("judge.endpoint.base_url",
               "got " + Quoted(keys.base_url) +
                   ", expected an address as http://127.0.0.1:8000/v1: write it with http:// or https://",
               "judge.backend");
  }
  if (keys.talk.model.empty()) {
    check.Fail("judge.endpoint.model",
               "got nothing, expected the name of a model, as the endpoint's /models lists it: name it by "
               "judge.endpoint.model",
               "judge.backend");
  }
  check.Named("judge.endpoint.base_url", [&] { judge_service::ChatUrl(keys.base_url); });
  if (!judge.instruction.empty()) {
    check.Fail("judge.instruction",
               "got a text, expected none, since backend: endpoint has its own: leave it out, or write judge.system, "
               "which stands before it");
  }
  if (keys.max_backoff < keys.backoff) {
    check.Fail("judge.endpoint.max_backoff",
               base::Format("got {}, expected at least judge.endpoint.backoff ({}): raise it, or lower the other",
                            InSeconds(keys.max_backoff), InSeconds(keys.backoff)),
               "judge.endpoint.backoff");
  }
  if (keys.talk.extra_body.empty()) return;
  try {
    if (json::Parse(keys.talk.extra_body, "it").is_object()) return;
  } catch (const base::Error&) {  // the same advice
  }
  check.Fail("judge.endpoint.extra_body", "got " + Quoted(keys.talk.extra_body) +
                                              ", expected a JSON object: write it in quotes, as '{\"seed\": 1}'");
}

}  // namespace

void CheckJudgeItself(const ConfigChecker& check, const RunConfig& config) {
  if (config.judge.has_model()) CheckModel(check, config);
  if (config.judge.has_endpoint()) CheckEndpoint(check, config.judge);
}

void CheckJudge(const ConfigChecker& check, const RunConfig& config) {
  CheckJudgeItself(check, config);
  if (!config.judge.by_rubric()) return;
  CheckRubric(check, config.rubric);
  if (config.estimator != EstimatorKind::kSynthesis && config.estimator != EstimatorKind::kGroundTruth) {
    check.Fail("estimator",
               "got \"" + base::NameIn(config.estimator) +
                   "\", expected synthesis or ground_truth: judge.kind: rubric needs criteria, which the anchor writes "
                   "after a synthesis or a row brings with it",
               "judge.kind");
  }
  if (config.answer.extractor != answers::Extractor::kWholeText) {
    check.Fail("answer.extractor",
               "got \"" + base::NameIn(config.answer.extractor) +
                   "\", expected whole: judge.kind: rubric judges whole texts, not answers inside them",
               "judge.kind");
  }
}

}  // namespace autodidact::launch
