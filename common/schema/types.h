// The nouns of the flow as C++ values: what actor, anchor service, judge service and learner say to each other.
// flow.capnp holds the same types in the same order; codec.h turns one into the other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/metrics.h"
#include "schema/supervision.h"
#include "schema/weight_parts.h"

namespace autodidact::schema {

// The number under which a prompt is worked on: its place in the run's sequence. A second visit is another ticket.
using Ticket = std::uint64_t;
using TokenId = std::int32_t;

// The kinds of roles that work for a learner. A role's name is its kind with a number: "actor-0".
enum class RoleKind : std::uint16_t { kActor, kAnchor, kJudge };

// One turn of a chat; role is "system", "user" or "assistant".
struct ChatMessage {
  std::string role;
  std::string content;
  std::string json = {};  // the message as a JSON object where it is more than a role and a text; empty otherwise

  bool operator==(const ChatMessage&) const = default;
};

// A question: an id and either text or chat messages.
struct Prompt {
  std::string id;
  std::string text;                   // empty when messages are given
  std::vector<ChatMessage> messages;  // empty when text is given
  std::string variables = {};  // what else the row gives the chat template (tools, documents), a JSON object; or empty
  std::string columns = {};    // the row as it was read, a JSON object; it does not leave the learner

  bool operator==(const Prompt&) const = default;
};

enum class RunState : std::uint16_t {
  kRunning,   // the work in this reply is all there is for now
  kWaiting,   // nothing can be handed out before the next weight version
  kFinished,  // the run is over: stop
};

// A prompt handed out for a time. After the deadline the queue gives the ticket out again with a higher attempt.
struct Lease {
  Ticket ticket = 0;
  Prompt prompt;
  Supervision supervision = {};
  std::uint32_t attempt = 0;
  std::uint32_t milliseconds = 0;  // from the reply on
  WeightVersion min_version = 0;   // the oldest weights that may make its rollouts

  bool operator==(const Lease&) const = default;
};

// actor -> queue. Asks for at most max_groups leases; says what the actor is, so that its silence can be noticed.
struct LeaseRequest {
  std::string actor;
  std::uint32_t max_groups = 0;
  WeightVersion version = 0;  // the weights that the actor holds
  std::uint64_t config = 0;   // checksum of what its config has in common with the run's

  bool operator==(const LeaseRequest&) const = default;
};
struct LeaseReply {
  RunState state = RunState::kRunning;
  std::vector<Lease> leases;

  bool operator==(const LeaseReply&) const = default;
};

enum class StopReason : std::uint16_t { kEndOfText, kStopString, kMaxLength };

// One sampled answer. ids hold the end-of-text token when it was sampled; the two log-probabilities stand beside each
// id.
struct Rollout {
  std::vector<TokenId> ids;
  std::vector<float> logprobs;          // untruncated distribution at the sampling temperature: ratio and KL use it
  std::vector<float> sampled_logprobs;  // the distribution sampled from (after top-k, top-p, min-p)
  WeightVersion first_version = 0;      // the weights that made the first token
  WeightVersion last_version = 0;       // and the last
  StopReason stop = StopReason::kEndOfText;
  std::string text;  // decoded without special tokens: for people, anchor and judge

  bool operator==(const Rollout&) const = default;
};

// The G rollouts of one prompt: the unit of work.
struct RolloutGroup {
  Ticket ticket = 0;
  std::vector<TokenId> prompt_ids;
  std::vector<Rollout> rollouts;

  bool operator==(const RolloutGroup&) const = default;
};

// actor -> anchor service. There is no field for the question, its id or its row: the anchor reconciles blind.
struct SynthesisRequest {
  Ticket ticket = 0;
  std::vector<std::string> candidates;  // the rollouts' texts

  bool operator==(const SynthesisRequest&) const = default;
};

// What failures to write a rubric begin with: they are counted apart from failed syntheses.
inline constexpr std::string_view kNoRubric = "no rubric: ";

// The reference of a group: the anchor's synthesis, say. Only the text under the last heading counts as the reference.
struct Reference {
  std::string text;
  std::string generation;         // all that the anchor wrote, for the records
  std::vector<Criterion> rubric;  // rubric regime only, written from the text alone
  std::uint32_t stages = 1;       // more than 1 when the group did not fit into one context

  bool operator==(const Reference&) const = default;
};
// What responses are held against where the reference is all there is: its rubric alone where it has one, else its
// text.
Target TargetOf(const Reference& reference);

struct SynthesisReply {
  Ticket ticket = 0;
  base::Outcome<Reference> reference = base::Failure{};

  bool operator==(const SynthesisReply&) const = default;
};

// actor -> judge service.
struct JudgeRequest {
  Ticket ticket = 0;
  Target target;
  std::vector<std::string> responses;  // the rollouts' texts
  std::vector<std::uint32_t> lengths;  // their tokens, for a length penalty

  bool operator==(const JudgeRequest&) const = default;
};

enum class VerdictKind : std::uint16_t { kMet, kNotMet, kInvalid };

// The judge's answer for one rollout and one criterion. Invalid is not a no.
struct Verdict {
  std::uint32_t rollout = 0;
  std::uint32_t criterion = 0;
  VerdictKind kind = VerdictKind::kInvalid;
  std::string reason;

  bool operator==(const Verdict&) const = default;
};

// A number, or none with a reason: a failure is never a zero.
using Reward = base::Outcome<double>;

struct JudgeReply {
  Ticket ticket = 0;
  std::vector<Verdict> verdicts;
  std::vector<Reward> rewards;  // one per response

  bool operator==(const JudgeReply&) const = default;
};

// actor -> learner: a group with all that was found out about it. A group that failed for good comes without rollouts
// or without a reference; it is counted in its step, and not trained on.
struct ScoredGroup {
  std::string actor;
  RolloutGroup group;
  base::Outcome<Reference> reference = base::Failure{};
  std::vector<Verdict> verdicts;
  std::vector<Reward> rewards;  // one per rollout; empty without a reference
  float rollout_seconds = 0;
  float anchor_seconds = 0;
  float judge_seconds = 0;

  bool operator==(const ScoredGroup&) const = default;
};

enum class Receipt : std::uint16_t {
  kAccepted,
  kDuplicate,  // this ticket has already arrived: counted once
  kStale,      // made by weights older than the run allows; the ticket is given out again
  kUnknown,    // never lent to its sender, or its step is over
};
struct SubmitReply {
  Receipt receipt = Receipt::kAccepted;
  RunState state = RunState::kRunning;

  bool operator==(const SubmitReply&) const = default;
};

// Any role -> learner rank 0: alive, and what it is doing. The reply is the Directory.
struct Heartbeat {
  std::string role;  // "actor-0"
  RoleKind kind = RoleKind::kActor;
  std::uint64_t config = 0;  // as in a LeaseRequest
  std::string endpoint;      // where a service can be asked; empty for an actor
  std::string host;
  std::uint32_t pid = 0;
  std::string doing;           // "decoding 12 groups"
  std::uint64_t progress = 0;  // grows whenever a unit of work is done
  base::Metrics report;        // the role's own metrics since the last heartbeat: of kReportedMetrics

  bool operator==(const Heartbeat&) const = default;
};

// Learner rank 0 -> any role: who is where. It is all that a role must be told to take part: it knows only the learner.
struct Directory {
  RunState state = RunState::kRunning;
  std::string weights;               // endpoint of the weight publisher
  std::vector<std::string> anchors;  // endpoints of the services heard of lately
  std::vector<std::string> judges;

  bool operator==(const Directory&) const = default;
};

// The reply of a service that could not do what was asked.
struct FailureReply {
  base::Failure failure;

  bool operator==(const FailureReply&) const = default;
};

// Why a message was not taken (validate.h).
enum class Refusal : std::uint16_t {
  kMalformed,  // bytes that are no message, or more of them than its kind may have
  kKind,       // a kind that is not taken here
  kSizes,      // lists that are empty, too long, or whose lengths do not agree with each other or the run
  kTokens,     // ids beyond the vocabulary
  kNumbers,    // not finite, or beyond what the run can give
  kVersion,    // weights that do not exist
  kLease,      // a ticket that its sender was not lent
  kSender,     // a name, an endpoint or a metric that such a sender cannot have
  kConfig,     // the sender's config is not the run's
};

// The reply to a message that nobody acts on. Sending the same again gives the same.
struct Refused {
  Refusal why = Refusal::kMalformed;
  std::string text;  // what was found and what was expected

  bool operator==(const Refused&) const = default;
};

// Everything that travels, in the order of the flow.
using Message =
    std::variant<LeaseRequest, LeaseReply, SynthesisRequest, SynthesisReply, JudgeRequest, JudgeReply, ScoredGroup,
                 SubmitReply, Heartbeat, Directory, WeightRequest, WeightPart, FailureReply, Refused>;

// "ScoredGroup", for logs.
const char* Name(const Message& message);

const char* Name(StopReason reason);  // "eos", "stop", "length"
const char* Name(Receipt receipt);
const char* Name(VerdictKind kind);  // "met", "not_met", "invalid"
const char* Name(RoleKind kind);     // "actor", "anchor", "judge"
const char* Name(Refusal why);       // "malformed", "kind", "sizes", …

}  // namespace autodidact::schema
