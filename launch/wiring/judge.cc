#include "launch/wiring/judge.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "judge_service/endpoint_backend.h"
#include "judge_service/model_backend.h"
#include "launch/wiring/code.h"

namespace autodidact::launch {
namespace {

judge_service::ModelBackendConfig ToModelBackend(const RunConfig& config) {
  const JudgeKeys& keys = config.judge;
  return {.identity = keys.model.folder,
          .system = keys.system,
          .instruction = keys.instruction.empty()
                             ? judge_service::DefaultInstruction(judge_service::JudgeKindNamed(keys.kind))
                             : keys.instruction,
          .chat = ToJudgeFormat(keys.model, config.prompt.python),
          .yes = keys.model.yes,
          .no = keys.model.no,
          .threshold = keys.model.threshold};
}

judge_service::EndpointConfig ToEndpoint(const RunConfig& config, judge_service::JudgeKind kind) {
  const JudgeEndpointKeys& keys = config.judge.endpoint;
  judge_service::EndpointConfig endpoint{.talk = {.kind = kind,
                                                  .model = keys.model,
                                                  .system = config.judge.system,
                                                  .max_tokens = keys.max_tokens,
                                                  .extra_body = keys.extra_body},
                                         .base_url = keys.base_url,
                                         .api_key = {},
                                         .concurrency = keys.concurrency,
                                         .timeout = base::Seconds(keys.timeout),
                                         .retries = keys.retries,
                                         .backoff = base::Seconds(keys.backoff),
                                         .max_backoff = base::Seconds(keys.max_backoff),
                                         .seed = static_cast<std::uint64_t>(config.seed)};
  if (keys.api_key_env.empty()) return endpoint;
  const char* key = std::getenv(keys.api_key_env.c_str());
  if (!key || !*key) {
    base::ThrowBadInput("judge.endpoint.api_key_env: the environment variable " + keys.api_key_env + " is not set");
  }
  endpoint.api_key = key;
  if (endpoint.api_key.find_first_of("\r\n") != std::string::npos) {
    base::ThrowBadInput("judge.endpoint.api_key_env: what " + keys.api_key_env + " holds is more than one line");
  }
  return endpoint;
}

// Between two requests is where a stop is looked for.
evaluation::JudgeTexts OneByOne(evaluation::JudgeTexts judge, const std::stop_token& stop) {
  return [judge = std::move(judge), stop](std::vector<schema::JudgeRequest> requests) {
    std::vector<schema::JudgeReply> replies;
    for (schema::JudgeRequest& request : requests) {
      ThrowIfStopped(stop);
      std::vector<schema::JudgeRequest> one;
      one.push_back(std::move(request));
      replies.push_back(std::move(judge(std::move(one)).front()));
    }
    return replies;
  };
}

}  // namespace

std::optional<estimators::RubricConfig> ToRubric(const RunConfig& config, const text::ChatTemplate& format) {
  if (config.judge.kind != "rubric") return std::nullopt;
  const RubricKeys& keys = config.rubric;
  return estimators::RubricConfig{.system = keys.system,
                                  .instruction = keys.instruction,
                                  .chat = format,
                                  .format = estimators::RubricFormatNamed(keys.format),
                                  .separator = keys.separator,
                                  .min_criteria = static_cast<std::size_t>(keys.min_criteria),
                                  .words_per_criterion = static_cast<std::size_t>(keys.words_per_criterion),
                                  .max_criteria = static_cast<std::size_t>(keys.max_criteria),
                                  .retry_temperature = static_cast<float>(keys.retry_temperature),
                                  .sampling = ToSampling(keys.sampling)};
}

schema::RewardRange RewardsOf(const JudgeKeys& keys) {
  const double penalty = keys.length_penalty_above > 0 ? keys.length_penalty : 0;
  return {.least = std::min(0.0, -penalty), .most = std::max(1.0, 1 - penalty)};
}

Judge MakeJudge(const RunConfig& config) {
  const JudgeKeys& keys = config.judge;
  Judge judge;
  const auto kind = judge_service::JudgeKindNamed(keys.kind);
  if (kind == judge_service::JudgeKind::kProgram) return judge;
  std::unique_ptr<judge_service::Backend> backend;
  if (keys.backend == "endpoint") {
    backend = judge_service::MakeEndpointBackend(ToEndpoint(config, kind));
  } else {
    judge.model = LoadModelFolder(keys.model.folder, config.device, DtypeNamed(config.dtype));
    backend = std::make_unique<judge_service::ModelBackend>(ToModelBackend(config), judge.model.weights,
                                                            *judge.model.tokenizer);
  }
  judge.panel = std::make_unique<judge_service::Panel>(
      judge_service::PanelConfig{.kind = kind,
                                 .attempts = static_cast<std::uint32_t>(keys.attempts),
                                 .cache = static_cast<std::size_t>(keys.cache),
                                 .length_penalty_above = static_cast<std::uint32_t>(keys.length_penalty_above),
                                 .length_penalty = keys.length_penalty},
      std::move(backend));
  return judge;
}

void ThrowIfStopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw base::Error(base::ErrorKind::kRetryLater, "stopped on request");
}

evaluation::JudgeTexts AskPanel(judge_service::Panel& panel, const std::stop_token& stop) {
  return [&panel, stop](std::vector<schema::JudgeRequest> requests) {
    return judge_service::JudgeAll(panel, std::move(requests), [stop] { ThrowIfStopped(stop); });
  };
}

std::optional<evaluation::Judging> ToJudging(const RunConfig& config, const Judge& judge, const std::stop_token& stop) {
  if (!judge.panel && config.answer.comparator == "code") {
    auto judging = JudgingByTests(config.answer.code);
    judging.judge = OneByOne(std::move(judging.judge), stop);
    return judging;
  }
  if (!judge.panel) return std::nullopt;
  return evaluation::Judging{AskPanel(*judge.panel, stop), config.judge.kind == "rubric",
                             [](const data::Row& row) -> std::optional<schema::Target> {
                               if (row.answers.empty()) return std::nullopt;
                               return schema::WholeText{row.answers.front()};
                             }};
}

}  // namespace autodidact::launch
