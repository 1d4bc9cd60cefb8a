#include "anchor_service/service.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "schema/codec.h"
#include "schema/validate.h"

namespace autodidact::anchor_service {
namespace {

constexpr auto kIdleWait = std::chrono::milliseconds(100);  // between two looks at the stop request

std::string FailureBytes(base::ErrorKind kind, std::string reason) {
  return schema::Encode(schema::FailureReply{{kind, std::move(reason)}});
}

}  // namespace

Service::Service(net::Context& context, const net::Security& security, ServiceConfig config,
                 const model::SharedWeights& weights, const text::Tokenizer& tokenizer)
    : config_(std::move(config)),
      engine_(config_.engine, weights, tokenizer),
      synthesizer_(engine_, tokenizer, config_.synthesis,
                   estimators::SynthesisContext(config_.synthesis, weights->config().max_position_embeddings),
                   config_.seed),
      queue_(config_.queue) {
  server_ = std::make_unique<net::Server>(context, config_.endpoint, security,
                                          [this](net::Incoming incoming) { Enqueue(std::move(incoming)); });
}

void Service::Enqueue(net::Incoming incoming) {
  net::ReplyHandle reply = incoming.reply;
  if (!queue_.TryPush(std::move(incoming))) {
    reply.Send(FailureBytes(base::ErrorKind::kRetryLater, "the anchor's queue is full"));
  }
}

void Service::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (synthesizer_.idle()) {
      if (auto incoming = queue_.Pop(base::Deadline::In(kIdleWait))) Begin(std::move(*incoming));
    }
    while (auto incoming = queue_.TryPop()) Begin(std::move(*incoming));
    if (synthesizer_.idle()) continue;
    for (const auto& finished : synthesizer_.Step()) Answer(finished);
  }
}

void Service::Begin(net::Incoming incoming) {
  schema::Message message;
  try {
    message = schema::Decode(incoming.bytes);
  } catch (const base::Error& error) {
    return Refuse(incoming, {schema::Refusal::kMalformed, error.message()});
  }
  if (auto refused = schema::CheckSender(message, incoming.sender)) return Refuse(incoming, std::move(*refused));
  auto* wanted = std::get_if<schema::SynthesisRequest>(&message);
  if (!wanted) {
    return Refuse(incoming,
                  {schema::Refusal::kKind, std::string("the anchor does not take a ") + schema::Name(message)});
  }
  if (auto refused = schema::Check(*wanted)) return Refuse(incoming, std::move(*refused));
  schema::SynthesisRequest& request = *wanted;
  const auto found = under_way_.find(request.ticket);
  if (found == under_way_.end()) {
    const std::vector<std::string> candidates = request.candidates;
    try {
      synthesizer_.Add(request.ticket, std::move(request.candidates));
    } catch (const base::Error& error) {
      base::LogError("a request of {}: {}", incoming.peer, error.message());
      incoming.reply.Send(FailureBytes(error.kind(), error.message()));
      return;
    }
    under_way_[wanted->ticket] = {candidates, {std::move(incoming.reply)}};
    num_under_way_ = under_way_.size();
  } else if (found->second.candidates == request.candidates) {
    found->second.replies.push_back(std::move(incoming.reply));
  } else {
    incoming.reply.Send(FailureBytes(base::ErrorKind::kRetryLater,
                                     base::Format("another synthesis of ticket {} is under way", request.ticket)));
  }
}

void Service::Refuse(net::Incoming& incoming, schema::Refused refused) {
  ++refused_;
  base::LogWarning("refused a message from {} ({}): {}", incoming.peer, schema::Name(refused.why), refused.text);
  incoming.reply.Send(schema::Encode(refused));
}

void Service::Answer(const estimators::Synthesizer::Finished& finished) {
  const std::string bytes = schema::Encode(schema::SynthesisReply{finished.ticket, finished.reference});
  for (net::ReplyHandle& reply : under_way_.at(finished.ticket).replies) reply.Send(bytes);
  under_way_.erase(finished.ticket);
  num_under_way_ = under_way_.size();
  ++progress_;
}

std::string Service::Doing() const {
  return base::Format("{} syntheses under way", num_under_way_.load());
}

}  // namespace autodidact::anchor_service
