#include "judge_service/service.h"

#include <utility>

#include "base/log.h"
#include "schema/codec.h"

namespace autodidact::judge_service {
namespace {

constexpr auto kIdleWait = std::chrono::milliseconds(100);  // between two looks at the stop request

}  // namespace

Service::Service(net::Context& context, const net::Security& security, ServiceConfig config)
    : config_(std::move(config)), queue_(config_.queue) {
  server_ = std::make_unique<net::Server>(context, config_.endpoint, security, [this](net::Incoming incoming) {
    net::ReplyHandle reply = incoming.reply;
    if (!queue_.TryPush(std::move(incoming))) {
      reply.Send(schema::Encode(schema::FailureReply{{base::ErrorKind::kRetryLater, "the judge's queue is full"}}));
    }
  });
}

void Service::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (auto incoming = queue_.Pop(base::Deadline::In(kIdleWait))) Answer(std::move(*incoming));
  }
}

void Service::Answer(net::Incoming incoming) {
  try {
    const schema::Message message = schema::Decode(incoming.bytes);
    const auto* request = std::get_if<schema::JudgeRequest>(&message);
    if (!request) base::ThrowBadInput(std::string("the judge does not take a ") + schema::Name(message));
    incoming.reply.Send(schema::Encode(JudgeByProgram(config_.program, *request)));
    ++progress_;
  } catch (const base::Error& error) {
    base::LogWarning("refused a message from {}: {}", incoming.peer, error.message());
    incoming.reply.Send(schema::Encode(schema::FailureReply{{error.kind(), error.message()}}));
  }
}

std::string Service::Doing() const {
  return base::Format("{} requests waiting", queue_.size());
}

}  // namespace autodidact::judge_service
