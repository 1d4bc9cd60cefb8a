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

namespace autodidact::schema {

// The number under which a prompt is worked on: its place in the run's sequence. A second visit is another ticket.
using Ticket = std::uint64_t;
// The number of optimizer steps behind a set of weights.
using WeightVersion = std::uint64_t;
using TokenId = std::int32_t;

// One turn of a chat; role is "system", "user" or "assistant".
struct ChatMessage {
  std::string role;
  std::string content;
  std::string json = {};  // the message as a JSON object where it is more than a role and a text; empty otherwise

  bool operator==(const ChatMessage&) const = default;
};

// A question: an id and either text or chat messages, with its whole row kept untouched as JSON.
struct Prompt {
  std::string id;
  std::string text;                   // empty when messages are given
  std::vector<ChatMessage> messages;  // empty when text is given
  std::string columns;                // the row as it was read, one JSON object

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

// A statement about a response that is met or not.
struct Criterion {
  std::string text;
  double points = 1;  // of physicians' rubrics; negative: of what a response should not do

  bool operator==(const Criterion&) const = default;
};

// What failures to write a rubric begin with: they are counted apart from failed syntheses.
inline constexpr std::string_view kNoRubric = "no rubric: ";

// The anchor's synthesis of a group. Only the text under the last heading counts as the reference.
struct Reference {
  std::string text;
  std::string generation;         // all that the anchor wrote, for the records
  std::vector<Criterion> rubric;  // rubric regime only, written from the text alone
  std::uint32_t stages = 1;       // more than 1 when the group did not fit into one context

  bool operator==(const Reference&) const = default;
};
struct SynthesisReply {
  Ticket ticket = 0;
  base::Outcome<Reference> reference = base::Failure{};

  bool operator==(const SynthesisReply&) const = default;
};

// actor -> judge service.
struct JudgeRequest {
  Ticket ticket = 0;
  std::string reference;               // empty when there is a rubric, which is all that the judge needs then
  std::vector<Criterion> rubric;       // empty in the verifiable regime
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
// or without a reference, and fills its place in the step as a counted hole.
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
  kUnknown,    // never handed out, or its step is over
};
struct SubmitReply {
  Receipt receipt = Receipt::kAccepted;
  RunState state = RunState::kRunning;

  bool operator==(const SubmitReply&) const = default;
};

// Any role -> learner rank 0: alive, and what it is doing. The reply is the Directory.
struct Heartbeat {
  std::string role;      // "actor-0"
  std::string endpoint;  // where a service can be asked; empty for an actor
  std::string host;
  std::uint32_t pid = 0;
  std::string doing;           // "decoding 12 groups"
  std::uint64_t progress = 0;  // grows whenever a unit of work is done
  base::Metrics report;        // the role's own figures since the last heartbeat

  bool operator==(const Heartbeat&) const = default;
};

// Learner rank 0 -> any role: who is where. It is all that a role must be told to take part: it knows only the learner.
struct Directory {
  RunState state = RunState::kRunning;
  WeightVersion newest_version = 0;
  std::string weights;               // endpoint of the weight publisher
  std::vector<std::string> anchors;  // endpoints of the services heard of lately
  std::vector<std::string> judges;

  bool operator==(const Directory&) const = default;
};

enum class ElementType : std::uint16_t { kFloat32, kBFloat16, kFloat16 };

struct TensorInfo {
  std::string name;
  ElementType type = ElementType::kFloat32;
  std::vector<std::int64_t> shape;

  bool operator==(const TensorInfo&) const = default;
};

// actor -> weight publisher: one part of the oldest set that is at least min_version, as a delta from have if it can
// be.
struct WeightRequest {
  bool has_weights = false;
  WeightVersion have = 0;         // only with has_weights
  WeightVersion min_version = 0;  // wait for it; the reply is a Failure(kRetryLater) when it does not come in time
  std::uint32_t wait_milliseconds = 0;
  std::uint32_t part = 0;
  bool has_version = false;  // parts after the first name the version that the first one had
  WeightVersion version = 0;

  bool operator==(const WeightRequest&) const = default;
};

// A part of a weight set: the tensors' bytes concatenated, split evenly, whole or as a compressed XOR with `base`.
struct WeightPart {
  WeightVersion version = 0;
  bool is_delta = false;
  WeightVersion base = 0;           // only of a delta
  std::vector<TensorInfo> tensors;  // in part 0 only: what the bytes are
  std::uint32_t part = 0;
  std::uint32_t num_parts = 1;
  std::uint64_t raw_size = 0;  // bytes of this part once decoded
  std::uint64_t checksum = 0;  // XXH3-64 of the whole set's raw bytes
  std::string payload;

  bool operator==(const WeightPart&) const = default;
};

// The reply of a service that could not do what was asked.
struct FailureReply {
  base::Failure failure;

  bool operator==(const FailureReply&) const = default;
};

// Everything that travels, in the order of the flow.
using Message = std::variant<LeaseRequest, LeaseReply, SynthesisRequest, SynthesisReply, JudgeRequest, JudgeReply,
                             ScoredGroup, SubmitReply, Heartbeat, Directory, WeightRequest, WeightPart, FailureReply>;

// "ScoredGroup", for logs.
const char* Name(const Message& message);

const char* Name(StopReason reason);  // "eos", "stop", "length"
const char* Name(Receipt receipt);
const char* Name(VerdictKind kind);  // "met", "not_met", "invalid"

}  // namespace autodidact::schema
