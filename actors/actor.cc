#include "actors/actor.h"

#include <algorithm>
#include <exception>
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
    if (links_.weights.newest() > engine_->weight_version()) {
      UseWeights(links_.weights.newest(), config_.weights_timeout);
    }
    for (engine::GroupResult& result : engine_->Step()) HandOver(std::move(result));
  }
}

void Actor::AskForLeases() {
  const std::int64_t room = config_.max_groups - std::ssize(decoding_) - courier_.under_way();
  if (asking_ || room <= 0 || base::Clock::now() < ask_again_) return;
  const schema::LeaseRequest request{.actor = config_.name,
                                     .max_groups = static_cast<std::uint32_t>(room),
                                     .version = engine_ ? engine_->weight_version() : 0,
                                     .config = config_.config};
  asking_ = true;
  asked_for_ = request.max_groups;
  links_.learner.CallAsync(
      schema::Encode(request), base::Deadline::In(kLeaseTimeout), "asking for prompts",
      [replies = lease_replies_](base::Outcome<std::string> bytes) { replies->TryPush(std::move(bytes)); });
}

bool Actor::TakeLeases(const base::Outcome<std::string>& bytes) {
  asking_ = false;
  if (!bytes.ok()) throw base::Error(bytes.failure().kind, bytes.failure().reason);
  schema::Message message;
  try {
    message = schema::Decode(*bytes);
  } catch (const base::Error& error) {
    PassOver(error.message());
    return true;
  }
  if (const auto* refused = std::get_if<schema::Refused>(&message)) {
    const std::string why = "the learner refused " + config_.name + ": " + refused->text;
    if (refused->why == schema::Refusal::kConfig) throw base::Error(base::ErrorKind::kBadInput, why);
    if (refused->why == schema::Refusal::kVersion) throw base::Error(base::ErrorKind::kDisconnected, why);
    PassOver(why);
    return true;
  }
  auto* reply = std::get_if<schema::LeaseReply>(&message);
  const auto wrong = reply ? schema::Check(*reply, asked_for_) : std::nullopt;
  if (!reply || wrong) {
    PassOver(wrong ? wrong->text : std::string("the learner answered with a ") + schema::Name(message));
    return true;
  }
  if (reply->state == schema::RunState::kFinished) return false;
  for (schema::Lease& lease : reply->leases) {
    if (decoding_.contains(lease.ticket)) {
      base::LogWarning("ticket {} was lent again while it is worked on", lease.ticket);
      continue;
    }
    AddToEngine(std::move(lease));
  }
  return true;
}

void Actor::PassOver(const std::string& why) {
  ++links_.refused;
  ask_again_ = base::Clock::now() + config_.pause;
  base::LogWarning("{}; asking for prompts again", why);
}

bool Actor::UseWeights(schema::WeightVersion min_version, base::Milliseconds patience) {
  auto weights = links_.weights.Fetch(min_version, base::Deadline::In(patience));
  if (!weights.ok()) {
    if (weights.failure().kind != base::ErrorKind::kRetryLater) {
      throw base::Error(weights.failure().kind, weights.failure().reason);
    }
    base::LogWarning("{}", weights.failure().reason);
    return false;
  }
  base::LogDebug("goes on with weights of version {}; transfers so far: {} bytes in {:.2f} s", (*weights)->version(),
                 links_.weights.transfer_bytes(), links_.weights.transfer_seconds());
  if (engine_) {
    engine_->SetWeights(std::move(*weights));
  } else {
    engine_ = std::make_unique<engine::Engine>(config_.engine, std::move(*weights), tokenizer_);
  }
  return true;
}

void Actor::AddToEngine(schema::Lease lease) {
  const bool needs_newer = !engine_ || engine_->weight_version() < lease.min_version;
  const base::Milliseconds patience = std::min(config_.weights_timeout, base::Milliseconds(lease.milliseconds));
  if (needs_newer && !UseWeights(lease.min_version, patience)) return;  // the learner lends it to another
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
  } catch (const std::exception& error) {
    base::LogError("prompt {}: {}", lease.prompt.id, error.what());
    courier_.SendFailure(lease.ticket, {base::ErrorKind::kBug, error.what()});
    return;
  }
  engine_->Add(std::move(request));
  const schema::Ticket ticket = lease.ticket;
  decoding_[ticket] = {std::move(lease), base::Clock::now()};
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
  courier_.Send(std::move(pending.mapped().lease), std::move(*result.group),
                base::SecondsSince(pending.mapped().since));
}

std::string Actor::Doing() const {
  return base::Format("decoding {} groups, {} on their way", num_decoding_.load(), courier_.under_way());
}

}  // namespace autodidact::actors
