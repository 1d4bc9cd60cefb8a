#include "launch/wiring/judge.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

#include "judge_service/endpoint_backend.h"
#include "judge_service/model_backend.h"
#include "launch/wiring/preflight_checks.h"

namespace autodidact::launch {
namespace {

judge_service::ModelBackendConfig ModelBackendOf(const RunConfig& config) {
  judge_service::ModelBackendConfig model = config.judge.model;
  model.system = config.judge.system;
  model.instruction = InstructionOf(config.judge);
  model.chat = LoadJudgeTemplate(config.judge, config.prompt.chat.python);
  return model;
}

judge_service::EndpointConfig EndpointOf(const RunConfig& config) {
  judge_service::EndpointConfig endpoint = config.judge.endpoint;
  endpoint.talk.kind = config.judge.kind();
  endpoint.talk.system = config.judge.system;
  endpoint.seed = static_cast<std::uint64_t>(config.seed);
  const std::string& variable = config.judge.api_key_env;
  if (variable.empty()) return endpoint;
  const char* key = std::getenv(variable.c_str());
  if (!key || !*key) {
    base::ThrowBadInput("judge.endpoint.api_key_env: the environment variable " + variable + " is not set");
  }
  endpoint.api_key = key;
  if (endpoint.api_key.find_first_of("\r\n") != std::string::npos) {
    base::ThrowBadInput("judge.endpoint.api_key_env: what " + variable + " holds is more than one line");
  }
  return endpoint;
}

BackendFacts ModelFacts() {
  return {.key = "judge.model.folder",
          .make = [](const RunConfig& config, Judge& judge) -> std::unique_ptr<judge_service::Backend> {
            judge.model = LoadModelFolder(config.judge.model.folder, config.device, ScalarTypeOf(config.dtype));
            return std::make_unique<judge_service::ModelBackend>(ModelBackendOf(config), judge.model.weights,
                                                                 *judge.model.tokenizer);
          },
          .check = [](const RunConfig& config, bool,
                      Preflight& found) { CheckJudgeModel(config.judge, config.prompt.chat.python, found); },
          .hints = {},
          .otherwise = {"", "judge.model.folder",
                        "the judge gives no verdict (judge.instruction, rollout.max_completion_length)"}};
}

BackendFacts EndpointFacts() {
  return {
      .key = "judge.endpoint.model",
      .make = [](const RunConfig& config, Judge&) { return judge_service::MakeEndpointBackend(EndpointOf(config)); },
      .check = CheckEndpoint,
      .hints = {{"max_tokens", "judge.endpoint.max_tokens", "replies are cut: raise it"},
                {"HTTP 401", "judge.endpoint.api_key_env", "the endpoint refuses the key"},
                {"HTTP 403", "judge.endpoint.api_key_env", "the endpoint refuses the key"},
                {"endpoint failed", "judge.endpoint.base_url", "the judge cannot be reached, refuses, or is too slow"},
                {"no valid verdict", "judge.endpoint.model",
                 "the judge does not reply in the form that it is asked for"}},
      .otherwise = {"", "judge.endpoint.base_url", "the judge cannot be reached, or is too slow"}};
}

constexpr auto kTurn = std::chrono::milliseconds(20);  // how long one caller moves the judge on before another may

// A judge for several threads: each puts its requests in, and whoever holds the lock moves all of them on.
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
        judge_.model_judge->Add(std::move(requests[i]), [asked, i](schema::JudgeReply reply) {
          asked->replies[i] = std::move(reply);
          --asked->missing;
        });
      }
    }
    while (true) {
      ThrowIfStopped(stop);
      const std::lock_guard lock(mutex_);
      if (asked->missing == 0) return std::move(asked->replies);
      judge_.model_judge->Step(base::Deadline::In(kTurn));
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

std::string InstructionOf(const JudgeConfig& judge) {
  return judge.instruction.empty() ? judge_service::DefaultInstruction(judge.kind()) : judge.instruction;
}

std::optional<estimators::RubricConfig> RubricOf(const RunConfig& config, const text::ChatTemplate& format) {
  if (!config.judge.by_rubric()) return std::nullopt;
  estimators::RubricConfig rubric = config.rubric;
  rubric.chat = format;
  return rubric;
}

schema::RewardRange RewardsOf(const judge_service::ModelJudgeConfig& judging) {
  const double penalty = judging.length_penalty_above > 0 ? judging.length_penalty : 0;
  return {.least = std::min(0.0, -penalty), .most = std::max(1.0, 1 - penalty)};
}

const BackendFacts& BackendFactsOf(JudgeBackend backend) {
  static const BackendFacts kModel = ModelFacts(), kEndpoint = EndpointFacts();
  switch (backend) {
    case JudgeBackend::kModel:
      return kModel;
    case JudgeBackend::kEndpoint:
      return kEndpoint;
  }
  base::ThrowBug("a judge's backend of which nothing is known");
}

Judge MakeJudge(const RunConfig& config) {
  Judge judge;
  if (config.judge.by_program()) return judge;
  judge.model_judge = std::make_unique<judge_service::ModelJudge>(
      config.judge.judging, BackendFactsOf(config.judge.backend).make(config, judge));
  return judge;
}

evaluation::JudgeTexts MakeJudgeTexts(const RunConfig& config, const std::stop_token& stop) {
  Judge judge = MakeJudge(config);
  if (!judge.model_judge) return {};
  return [shared = std::make_shared<SharedJudge>(std::move(judge)), stop](std::vector<schema::JudgeRequest> requests) {
    return shared->Ask(std::move(requests), stop);
  };
}

}  // namespace autodidact::launch
