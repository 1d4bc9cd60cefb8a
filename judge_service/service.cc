#include "judge_service/service.h"

#include <exception>
#include <utility>

#include "base/log.h"
#include "schema/codec.h"
#include "schema/validate.h"

namespace autodidact::judge_service {
namespace {

constexpr auto kIdleWait = std::chrono::milliseconds(100);  // between two looks at the stop request
constexpr auto kBusyWait = std::chrono::milliseconds(10);   // for an endpoint, between two looks at the queue

}  // namespace

Service::Service(net::Context& context, const net::Security& security, ServiceConfig config,
                 std::unique_ptr<ModelJudge> model_judge)
    : config_(std::move(config)), model_judge_(std::move(model_judge)), queue_(config_.queue) {
  server_ = std::make_unique<net::Server>(context, config_.endpoint, security, [this](net::Incoming incoming) {
    net::ReplyHandle reply = incoming.reply;
    if (!queue_.TryPush(std::move(incoming))) {
      reply.Send(schema::Encode(schema::FailureReply{{base::ErrorKind::kRetryLater, "the judge's queue is full"}}));
    }
  });
}

void Service::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!model_judge_ || model_judge_->idle()) {
      if (auto incoming = queue_.Pop(base::Deadline::In(kIdleWait))) Answer(std::move(*incoming));
    }
    while (auto incoming = queue_.TryPop()) Answer(std::move(*incoming));
    if (model_judge_ && !model_judge_->idle()) model_judge_->Step(base::Deadline::In(kBusyWait));
  }
}

void Service::Answer(net::Incoming incoming) {
  schema::Message message;
  try {
    message = schema::Decode(incoming.bytes);
  } catch (const base::Error& error) {
    return Refuse(incoming, {schema::Refusal::kMalformed, error.message()});
  }
  // Whatever goes wrong with one request is told to whoever asked, and the next one is taken.
  try {
    Take(std::move(message), incoming);
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::kBadInput) {
      return Refuse(incoming, {schema::Refusal::kMalformed, error.message()});
    }
    base::LogError("a request of {}: {}", incoming.peer, error.message());
    incoming.reply.Send(schema::Encode(schema::FailureReply{{error.kind(), error.message()}}));
  } catch (const std::exception& error) {
    base::LogError("a request of {}: {}", incoming.peer, error.what());
    incoming.reply.Send(schema::Encode(schema::FailureReply{{base::ErrorKind::kBug, error.what()}}));
  }
}

void Service::Take(schema::Message message, net::Incoming& incoming) {
  if (auto refused = schema::CheckSender(message, incoming.sender)) return Refuse(incoming, std::move(*refused));
  auto* request = std::get_if<schema::JudgeRequest>(&message);
  if (!request) {
    return Refuse(incoming,
                  {schema::Refusal::kKind, std::string("the judge does not take a ") + schema::Name(message)});
  }
  if (auto refused = schema::Check(*request)) return Refuse(incoming, std::move(*refused));
  if (model_judge_) return AskModel(std::move(*request), incoming);
  incoming.reply.Send(schema::Encode(JudgeByProgram(config_.program, *request)));
  ++progress_;
}

void Service::Refuse(net::Incoming& incoming, schema::Refused refused) {
  ++refused_;
  base::LogWarning("refused a message from {} ({}): {}", incoming.peer, schema::Name(refused.why), refused.text);
  incoming.reply.Send(schema::Encode(refused));
}

base::Metrics Service::TakeMetrics() {
  base::Metrics metrics = model_judge_ ? model_judge_->TakeMetrics() : base::Metrics();
  metrics["judge/refused"] = static_cast<double>(refused_.exchange(0));
  return metrics;
}

void Service::AskModel(schema::JudgeRequest request, net::Incoming& incoming) {
  std::string bytes = incoming.bytes;
  if (const auto found = waiting_.find(bytes); found != waiting_.end()) {
    found->second.push_back(std::move(incoming.reply));
    return;
  }
  model_judge_->Add(std::move(request), [this, bytes](const schema::JudgeReply& reply) {
    const std::string encoded = schema::Encode(reply);
    for (net::ReplyHandle& handle : waiting_.at(bytes)) handle.Send(encoded);
    waiting_.erase(bytes);
    ++progress_;
  });
  waiting_[std::move(bytes)].push_back(std::move(incoming.reply));
}

std::string Service::Doing() const {
  if (model_judge_)
    return base::Format("{} groups with the judge, {} waiting", model_judge_->num_under_way(), queue_.size());
  return base::Format("{} requests waiting", queue_.size());
}

}  // namespace autodidact::judge_service
