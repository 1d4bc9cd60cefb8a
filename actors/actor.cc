#include "actors/actor.h"

#include <utility>

#include "base/log.h"
#include "schema/codec.h"

namespace autodidact::actors {
namespace {

constexpr auto kLeaseTimeout = std::chrono::seconds(30);
constexpr auto kIdleWait = std::chrono::milliseconds(100);  // between two looks at the stop request

}  // namespace

Actor::Actor(ActorConfig config, ActorLinks links, Courier& courier, const text::Tokenizer& tokenizer,
             std::function<std::vector<schema::TokenId>(const schema::Prompt&)> render)
    : config_(std::move(config)), links_(links), courier_(courier), tokenizer_(tokenizer), render_(std::move(render)) {}

void Actor::Run(const std::stop_token& stop) {
  while (!stop.stop_requested() && !courier_.finished()) {
    AskForLeases();
    const bool idle = !engine_ || engine_->idle();
    // Without work the reply is waited for; with work it is taken up between two decode steps.
    auto reply = idle ? lease_replies_->Pop(base::Deadline::In(kIdleWait)) : lease_replies_->TryPop();
    if (reply && !TakeLeases(*reply)) return;
    if (!engine_ || engine_->idle()) continue;
    if (links_.weights.newest() > engine_->weight_version()) UseWeights(links_.weights.newest());
    for (engine::GroupResult& result : engine_->Step()) HandOver(std::move(result));
  }
}

void Actor::AskForLeases() {
  const std::int64_t room = config_.max_groups - std::ssize(decoding_) - courier_.under_way();
  if (asking_ || room <= 0) return;
  const schema::LeaseRequest request{.actor = config_.name,
                                     .max_groups = static_cast<std::uint32_t>(room),
                                     .version = engine_ ? engine_->weight_version() : 0};
  asking_ = true;
  links_.learner.CallAsync(
      schema::Encode(request), base::Deadline::In(kLeaseTimeout), "asking for prompts",
      [replies = lease_replies_](base::Outcome<std::string> bytes) { replies->TryPush(std::move(bytes)); });
}

bool Actor::TakeLeases(const base::Outcome<std::string>& bytes) {
  asking_ = false;
  if (!bytes.ok()) throw base::Error(bytes.failure().kind, bytes.failure().reason);
  auto reply = schema::DecodeReply<schema::LeaseReply>(*bytes);
  if (!reply.ok()) throw base::Error(reply.failure().kind, reply.failure().reason);
  if (reply->state == schema::RunState::kFinished) return false;
  for (schema::Lease& lease : reply->leases) AddToEngine(std::move(lease));
  return true;
}

void Actor::UseWeights(schema::WeightVersion min_version) {
  auto weights = links_.weights.Fetch(min_version, base::Deadline::In(config_.weights_timeout));
  if (!weights.ok()) throw base::Error(weights.failure().kind, weights.failure().reason);
  if (engine_) {
    engine_->SetWeights(std::move(*weights));
  } else {
    engine_ = std::make_unique<engine::Engine>(config_.engine, std::move(*weights), tokenizer_);
  }
}

void Actor::AddToEngine(schema::Lease lease) {
  if (!engine_ || engine_->weight_version() < lease.min_version) UseWeights(lease.min_version);
  engine::GroupRequest request{.ticket = lease.ticket,
                               .prompt_ids = {},
                               .num_rollouts = config_.num_generations,
                               .sampling = config_.sampling,
                               .seed = config_.seed,
                               .stream = base::RandomStream::kRollout};
  try {
    request.prompt_ids = render_(lease.prompt);
  } catch (const base::Error& error) {
    base::LogWarning("prompt {}: {}", lease.prompt.id, error.message());
    courier_.SendFailure(lease.ticket, {error.kind(), error.message()});
    return;
  }
  engine_->Add(std::move(request));
  decoding_[lease.ticket] = {std::move(lease.prompt), base::Clock::now()};
  num_decoding_ = std::ssize(decoding_);
}

void Actor::HandOver(engine::GroupResult result) {
  auto pending = decoding_.extract(result.ticket);
  num_decoding_ = std::ssize(decoding_);
  ++progress_;
  if (!result.group.ok()) {
    base::LogWarning("group {}: {}", result.ticket, result.group.failure().reason);
    courier_.SendFailure(result.ticket, result.group.failure());
    return;
  }
  courier_.Send(std::move(pending.mapped().prompt), std::move(*result.group),
                base::SecondsSince(pending.mapped().since));
}

std::string Actor::Doing() const {
  return base::Format("decoding {} groups, {} on their way", num_decoding_.load(), courier_.under_way());
}

}  // namespace autodidact::actors
