#include "launch/wiring/judge.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

#include "judge_service/endpoint_backend.h"
#include "judge_service/model_backend.h"

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

constexpr auto kTurn = std::chrono::milliseconds(20);  // how long one caller moves the panel on before another may

// A panel for several threads: each puts its requests in, and whoever holds the lock moves all of them on.
class SharedJudge {
 public:
  explicit SharedJudge(Judge judge) : judge_(std::move(judge)) {}

  std::vector<schema::JudgeReply> Ask(std::vector<schema::JudgeRequest> requests, const std::stop_token& stop) {
    const auto asked = std::make_shared<Asked>();
    asked->replies.resize(requests.size());
    asked->missing = requests.size();
    {
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < requests.size(); ++i) {
        judge_.panel->Add(std::move(requests[i]), [asked, i](schema::JudgeReply reply) {
          asked->replies[i] = std::move(reply);
          --asked->missing;
        });
      }
    }
    while (true) {
      ThrowIfStopped(stop);
      const std::lock_guard lock(mutex_);
      if (asked->missing == 0) return std::move(asked->replies);
      judge_.panel->Step(base::Deadline::In(kTurn));
    }
  }

 private:
  // Outlives a caller that stopped waiting.
  struct Asked {
    std::vector<schema::JudgeReply> replies;
    std::size_t missing = 0;
  };

  std::mutex mutex_;
  Judge judge_;
};

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

evaluation::JudgeTexts MakeJudgeTexts(const RunConfig& config, const std::stop_token& stop) {
  Judge judge = MakeJudge(config);
  if (!judge.panel) return {};
  return [shared = std::make_shared<SharedJudge>(std::move(judge)), stop](std::vector<schema::JudgeRequest> requests) {
    return shared->Ask(std::move(requests), stop);
  };
}

}  // namespace autodidact::launch
