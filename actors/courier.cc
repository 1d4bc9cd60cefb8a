#include "actors/courier.h"

#include <utility>

#include "base/log.h"
#include "base/wait_log.h"
#include "schema/codec.h"

namespace autodidact::actors {

// One group on its way. Only one callback at a time holds it.
struct Courier::Errand {
  schema::Lease lease;
  schema::ScoredGroup scored;
  schema::Target target;       // once there is a reference
  std::uint32_t attempts = 0;  // of the call that is next
  base::Clock::time_point since = base::Clock::now();

  float Lap() {
    const auto start = std::exchange(since, base::Clock::now());
    return std::chrono::duration<float>(since - start).count();
  }
};

namespace {

// A reply's bytes as a T that passes `check`; what is none is a failure of the peer.
template <class T, class Check>
base::Outcome<T> ReplyAs(const base::Outcome<std::string>& bytes, RefusedReplies& refused, const Check& check) {
  if (!bytes.ok()) return bytes.failure();
  try {
    auto reply = schema::DecodeReply<T>(*bytes);
    const schema::Checked wrong = reply.ok() ? check(*reply) : std::nullopt;
    if (!wrong) return reply;
    ++refused;
    return base::Failure{base::ErrorKind::kRetryLater, "the reply is of no use: " + wrong->text};
  } catch (const base::Error& error) {
    ++refused;
    return base::Failure{base::ErrorKind::kRetryLater, error.message()};
  }
}

bool MayRetry(const base::Failure& failure) {
  return failure.kind == base::ErrorKind::kRetryLater;
}

}  // namespace

ReferenceSource RemoteAnchor(net::Client& anchor, RefusedReplies& refused) {
  return [&anchor, &refused](const schema::Lease&, const schema::RolloutGroup& group, base::Deadline deadline,
                             std::function<void(base::Outcome<schema::GroupReference>)> done) {
    schema::SynthesisRequest request{.ticket = group.ticket, .candidates = {}};
    for (const schema::Rollout& rollout : group.rollouts) request.candidates.push_back(rollout.text);
    anchor.CallAsync(
        schema::Encode(request), deadline, base::Format("synthesis of group {}", group.ticket),
        [&refused, ticket = group.ticket, done = std::move(done)](const base::Outcome<std::string>& bytes) {
          auto reply = ReplyAs<schema::SynthesisReply>(
              bytes, refused, [&](const schema::SynthesisReply& reply) { return schema::Check(reply, ticket); });
          if (!reply.ok()) return done(reply.failure());
          done(schema::WithTarget(std::move(reply->reference)));
        });
  };
}

Courier::Courier(CourierConfig config, ReferenceSource reference, net::Client& judge, net::Client& learner,
                 RefusedReplies& refused)
    : config_(std::move(config)),
      reference_(std::move(reference)),
      judge_(judge),
      learner_(learner),
      refused_(refused) {}

Courier::~Courier() {
  // Every call has a deadline, so this ends; the bound is the longest chain of attempts.
  const auto longest = config_.attempts * (config_.anchor_timeout + config_.judge_timeout + config_.learner_timeout);
  if (!WaitUntilBelow(1, base::Deadline::In(longest))) base::LogError("{} groups never came back", under_way());
}

bool Courier::WaitUntilBelow(std::int64_t count, base::Deadline deadline) const {
  return base::WaitTold(
      deadline,
      [this] { return base::Format("{} groups that are under way to anchor, judge and learner", under_way()); },
      [&](base::Deadline until) { return under_way_.WaitUntil(until, [count](std::int64_t n) { return n < count; }); });
}

void Courier::Send(schema::Lease lease, schema::RolloutGroup group, double rollout_seconds) {
  auto errand = std::make_shared<Errand>();
  errand->lease = std::move(lease);
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

void Courier::AskAnchor(const SharedErrand& errand) {
  ++errand->attempts;
  const Errand& asked = *errand;
  reference_(asked.lease, asked.scored.group, base::Deadline::In(config_.anchor_timeout),
             [this, errand](base::Outcome<schema::GroupReference> found) {
               const schema::Ticket ticket = errand->scored.group.ticket;
               if (!found.ok() && MayRetry(found.failure()) && errand->attempts < config_.attempts) {
                 base::LogWarning("group {}: {}; asking again", ticket, found.failure().reason);
                 return AskAnchor(errand);
               }
               errand->scored.anchor_seconds = errand->Lap();
               errand->attempts = 0;
               if (!found.ok()) {
                 base::LogWarning("group {} has no reference: {}", ticket, found.failure().reason);
                 errand->scored.reference = found.failure();
                 return Deliver(errand);
               }
               errand->scored.reference = std::move(found->reference);
               errand->target = std::move(found->target);
               AskJudge(errand);
             });
}

void Courier::AskJudge(const SharedErrand& errand) {
  ++errand->attempts;
  const schema::ScoredGroup& scored = errand->scored;
  schema::JudgeRequest request{.ticket = scored.group.ticket, .target = errand->target, .responses = {}, .lengths = {}};
  for (const schema::Rollout& rollout : scored.group.rollouts) {
    request.responses.push_back(rollout.text);
    request.lengths.push_back(static_cast<std::uint32_t>(rollout.ids.size()));
  }
  judge_.CallAsync(
      schema::Encode(request), base::Deadline::In(config_.judge_timeout),
      base::Format("judging group {}", scored.group.ticket), [this, errand](const base::Outcome<std::string>& bytes) {
        const std::size_t num_rollouts = errand->scored.group.rollouts.size();
        const schema::Judged asked{.ticket = errand->scored.group.ticket,
                                   .responses = num_rollouts,
                                   .criteria = schema::NumCriteria(errand->target),
                                   .rewards = config_.rewards};
        auto reply = ReplyAs<schema::JudgeReply>(
            bytes, refused_, [&](const schema::JudgeReply& reply) { return schema::Check(reply, asked); });
        if (!reply.ok() && MayRetry(reply.failure()) && errand->attempts < config_.attempts) {
          base::LogWarning("group {}: {}; asking again", errand->scored.group.ticket, reply.failure().reason);
          return AskJudge(errand);
        }
        errand->scored.judge_seconds = errand->Lap();
        if (reply.ok()) {
          errand->scored.verdicts = std::move(reply->verdicts);
          errand->scored.rewards = std::move(reply->rewards);
        } else {
          base::LogWarning("group {} has no rewards: {}", errand->scored.group.ticket, reply.failure().reason);
          errand->scored.rewards.assign(num_rollouts, reply.failure());
        }
        errand->attempts = 0;
        Deliver(errand);
      });
}

void Courier::Deliver(const SharedErrand& errand) {
  ++errand->attempts;
  learner_.CallAsync(schema::Encode(errand->scored), base::Deadline::In(config_.learner_timeout),
                     base::Format("delivering group {}", errand->scored.group.ticket),
                     [this, errand](const base::Outcome<std::string>& bytes) {
                       const auto reply = ReplyAs<schema::SubmitReply>(
                           bytes, refused_, [](const schema::SubmitReply&) { return schema::Checked(); });
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
