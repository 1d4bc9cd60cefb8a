#include "actors/courier.h"

#include <utility>

#include "base/log.h"
#include "schema/codec.h"

namespace autodidact::actors {

// One group on its way. Only one callback at a time holds it.
struct Courier::Errand {
  schema::Prompt prompt;
  schema::ScoredGroup scored;
  std::uint32_t attempts = 0;  // of the call that is next
  base::Clock::time_point since = base::Clock::now();

  float Lap() {
    const auto start = std::exchange(since, base::Clock::now());
    return std::chrono::duration<float>(since - start).count();
  }
};

namespace {

// A reply's bytes as a T; bytes that do not decode are a failure of the peer.
template <class T>
base::Outcome<T> ReplyAs(const base::Outcome<std::string>& bytes) {
  if (!bytes.ok()) return bytes.failure();
  try {
    return schema::DecodeReply<T>(*bytes);
  } catch (const base::Error& error) {
    return base::Failure{base::ErrorKind::kRetryLater, error.message()};
  }
}

bool MayRetry(const base::Failure& failure) {
  return failure.kind == base::ErrorKind::kRetryLater;
}

}  // namespace

ReferenceSource RemoteAnchor(net::Client& anchor) {
  return [&anchor](const schema::Prompt&, const schema::RolloutGroup& group, base::Deadline deadline,
                   std::function<void(base::Outcome<schema::Reference>)> done) {
    schema::SynthesisRequest request{.ticket = group.ticket, .candidates = {}};
    for (const schema::Rollout& rollout : group.rollouts) request.candidates.push_back(rollout.text);
    anchor.CallAsync(schema::Encode(request), deadline, base::Format("synthesis of group {}", group.ticket),
                     [done = std::move(done)](base::Outcome<std::string> bytes) {
                       auto reply = ReplyAs<schema::SynthesisReply>(bytes);
                       if (reply.ok()) {
                         done(std::move(reply->reference));
                       } else {
                         done(reply.failure());
                       }
                     });
  };
}

Courier::Courier(CourierConfig config, ReferenceSource reference, net::Client& judge, net::Client& learner)
    : config_(std::move(config)), reference_(std::move(reference)), judge_(judge), learner_(learner) {}

Courier::~Courier() {
  // Every call has a deadline, so this ends; the bound is the longest chain of attempts.
  const auto longest = config_.attempts * (config_.anchor_timeout + config_.judge_timeout + config_.learner_timeout);
  if (!WaitUntilBelow(1, base::Deadline::In(longest))) base::LogError("{} groups never came back", under_way());
}

bool Courier::WaitUntilBelow(std::int64_t count, base::Deadline deadline) const {
  return under_way_.WaitUntil(deadline, [count](std::int64_t n) { return n < count; });
}

void Courier::Send(schema::Prompt prompt, schema::RolloutGroup group, double rollout_seconds) {
  auto errand = std::make_shared<Errand>();
  errand->prompt = std::move(prompt);
  errand->scored.actor = config_.actor;
  errand->scored.group = std::move(group);
  errand->scored.rollout_seconds = static_cast<float>(rollout_seconds);
  under_way_.With([](std::int64_t& n) { ++n; });
  AskAnchor(std::move(errand));
}

void Courier::SendFailure(schema::Ticket ticket, base::Failure failure) {
  auto errand = std::make_shared<Errand>();
  errand->scored.actor = config_.actor;
  errand->scored.group.ticket = ticket;
  errand->scored.reference = std::move(failure);
  under_way_.With([](std::int64_t& n) { ++n; });
  Deliver(std::move(errand));
}

void Courier::AskAnchor(SharedErrand errand) {
  ++errand->attempts;
  const Errand& asked = *errand;
  reference_(asked.prompt, asked.scored.group, base::Deadline::In(config_.anchor_timeout),
             [this, errand](base::Outcome<schema::Reference> reference) {
               if (!reference.ok() && MayRetry(reference.failure()) && errand->attempts < config_.attempts) {
                 base::LogWarning("group {}: {}; asking again", errand->scored.group.ticket,
                                  reference.failure().reason);
                 return AskAnchor(errand);
               }
               errand->scored.anchor_seconds = errand->Lap();
               errand->scored.reference = std::move(reference);
               errand->attempts = 0;
               errand->scored.reference.ok() ? AskJudge(errand) : Deliver(errand);
             });
}

void Courier::AskJudge(SharedErrand errand) {
  ++errand->attempts;
  const schema::ScoredGroup& scored = errand->scored;
  schema::JudgeRequest request{.ticket = scored.group.ticket,
                               .reference = scored.reference->rubric.empty() ? scored.reference->text : "",
                               .rubric = scored.reference->rubric,
                               .responses = {},
                               .lengths = {}};
  for (const schema::Rollout& rollout : scored.group.rollouts) {
    request.responses.push_back(rollout.text);
    request.lengths.push_back(static_cast<std::uint32_t>(rollout.ids.size()));
  }
  judge_.CallAsync(
      schema::Encode(request), base::Deadline::In(config_.judge_timeout),
      base::Format("judging group {}", scored.group.ticket), [this, errand](base::Outcome<std::string> bytes) {
        auto reply = ReplyAs<schema::JudgeReply>(bytes);
        const std::size_t num_rollouts = errand->scored.group.rollouts.size();
        if (reply.ok() && reply->rewards.size() != num_rollouts) {
          reply = base::Failure{base::ErrorKind::kRetryLater, base::Format("the judge gave {} rewards for {} rollouts",
                                                                           reply->rewards.size(), num_rollouts)};
        }
        if (!reply.ok() && MayRetry(reply.failure()) && errand->attempts < config_.attempts) {
          base::LogWarning("group {}: {}; asking again", errand->scored.group.ticket, reply.failure().reason);
          return AskJudge(errand);
        }
        errand->scored.judge_seconds = errand->Lap();
        if (reply.ok()) {
          errand->scored.verdicts = std::move(reply->verdicts);
          errand->scored.rewards = std::move(reply->rewards);
        } else {
          errand->scored.rewards.assign(num_rollouts, reply.failure());
        }
        errand->attempts = 0;
        Deliver(errand);
      });
}

void Courier::Deliver(SharedErrand errand) {
  ++errand->attempts;
  learner_.CallAsync(schema::Encode(errand->scored), base::Deadline::In(config_.learner_timeout),
                     base::Format("delivering group {}", errand->scored.group.ticket),
                     [this, errand](base::Outcome<std::string> bytes) {
                       const auto reply = ReplyAs<schema::SubmitReply>(bytes);
                       if (!reply.ok() && MayRetry(reply.failure()) && errand->attempts < config_.attempts) {
                         return Deliver(errand);
                       }
                       if (!reply.ok()) {
                         base::LogWarning("group {} is lost: {}", errand->scored.group.ticket, reply.failure().reason);
                       } else if (reply->state == schema::RunState::kFinished) {
                         finished_ = true;
                       }
                       Done();
                     });
}

void Courier::Done() {
  under_way_.With([](std::int64_t& n) { --n; });
}

}  // namespace autodidact::actors
