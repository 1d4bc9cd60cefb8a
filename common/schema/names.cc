#include "schema/types.h"

namespace autodidact::schema {

const char* Name(const Message& message) {
  static constexpr const char* kNames[] = {
      "LeaseRequest", "LeaseReply", "SynthesisRequest", "SynthesisReply", "JudgeRequest", "JudgeReply",   "ScoredGroup",
      "SubmitReply",  "Heartbeat",  "Directory",        "WeightRequest",  "WeightPart",   "FailureReply", "Refused"};
  static_assert(std::size(kNames) == std::variant_size_v<Message>);
  return kNames[message.index()];
}

Target TargetOf(const Reference& reference) {
  if (!reference.rubric.empty()) return Rubric{reference.rubric};
  return WholeText{reference.text};
}

const char* Name(StopReason reason) {
  switch (reason) {
    case StopReason::kEndOfText:
      return "eos";
    case StopReason::kStopString:
      return "stop";
    case StopReason::kMaxLength:
      return "length";
  }
  return "unknown";
}

const char* Name(Receipt receipt) {
  switch (receipt) {
    case Receipt::kAccepted:
      return "accepted";
    case Receipt::kDuplicate:
      return "duplicate";
    case Receipt::kStale:
      return "stale";
    case Receipt::kUnknown:
      return "unknown ticket";
  }
  return "unknown";
}

const char* Name(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::kMet:
      return "met";
    case VerdictKind::kNotMet:
      return "not_met";
    case VerdictKind::kInvalid:
      return "invalid";
  }
  return "unknown";
}

const char* Name(RoleKind kind) {
  switch (kind) {
    case RoleKind::kActor:
      return "actor";
    case RoleKind::kAnchor:
      return "anchor";
    case RoleKind::kJudge:
      return "judge";
  }
  return "unknown";
}

const char* Name(Refusal why) {
  switch (why) {
    case Refusal::kMalformed:
      return "malformed";
    case Refusal::kKind:
      return "kind";
    case Refusal::kSizes:
      return "sizes";
    case Refusal::kTokens:
      return "tokens";
    case Refusal::kNumbers:
      return "numbers";
    case Refusal::kVersion:
      return "version";
    case Refusal::kLease:
      return "lease";
    case Refusal::kSender:
      return "sender";
    case Refusal::kConfig:
      return "config";
  }
  return "unknown";
}

}  // namespace autodidact::schema
