// The door: what a message from outside must be before anyone acts on it. What has passed can be indexed, added up and
// written down without a further look.
//
// Each check returns why the message is refused, or nothing. None of them blocks or throws.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>

#include "schema/types.h"

namespace autodidact::schema {

using Checked = std::optional<Refused>;

// What a comparison or a judge can give.
struct RewardRange {
  double least = 0;
  double most = 1;
};

// A metric that roles of a kind may report.
struct ReportedMetric {
  RoleKind kind;
  std::string_view name;
  bool adds_up;  // what came about since the last heartbeat; otherwise a mean
};
inline constexpr ReportedMetric kReportedMetrics[] = {
    {RoleKind::kActor, "actor/refused", true},       {RoleKind::kActor, "actor/transfer_seconds", true},
    {RoleKind::kAnchor, "anchor/refused", true},     {RoleKind::kJudge, "judge/refused", true},
    {RoleKind::kJudge, "judge/cache_hit", false},    {RoleKind::kJudge, "judge/invalid_attempts", false},
    {RoleKind::kJudge, "judge/call_seconds", false},
};
// Null for a metric that such a role does not have.
const ReportedMetric* FindReported(RoleKind kind, std::string_view name);

// The learner's name among those of the roles ("actor-3").
inline constexpr const char* kLearnerName = "learner";

// Who may say what: a message speaks for nobody but its sender, and only actors ask services. `sender` is the name
// under which the key of its connection is known; empty in one process, where nobody is a stranger.
Checked CheckSender(const Message& message, const std::string& sender);

// ---- at the learner ------------------------------------------------------------------------------------------------

// What the run's groups are like.
struct GroupRules {
  std::uint32_t num_rollouts = 0;   // exactly, unless nothing was sampled
  std::int64_t vocab_size = 0;      // ids are below
  std::int64_t max_completion = 0;  // tokens of a rollout
  std::int64_t context = 0;         // tokens of prompt and rollout together
  RewardRange rewards;
};

// A group has either no rollouts and a failure, or all of the run's with a prompt, and then one reward for each with a
// reference and none without. `newest`: the newest weights that exist.
Checked Check(const ScoredGroup& scored, const GroupRules& rules, WeightVersion newest);
Checked Check(const LeaseRequest& request, WeightVersion newest);
// Endpoints are a matter of the network (net.h): here a service has one and an actor has none.
Checked Check(const Heartbeat& heartbeat);

// ---- at the services -----------------------------------------------------------------------------------------------

Checked Check(const SynthesisRequest& request);
Checked Check(const JudgeRequest& request);
Checked Check(const WeightRequest& request);

// ---- at whoever asked ----------------------------------------------------------------------------------------------

// `max_groups`: of the request.
Checked Check(const LeaseReply& reply, std::uint32_t max_groups);
Checked Check(const SynthesisReply& reply, Ticket ticket);
// For one request with so many responses, each held against so many criteria (0: a reference as a whole).
struct Judged {
  Ticket ticket = 0;
  std::size_t responses = 0;
  std::size_t criteria = 0;
  RewardRange rewards;
};
Checked Check(const JudgeReply& reply, const Judged& asked);
Checked Check(const Directory& directory);

}  // namespace autodidact::schema
