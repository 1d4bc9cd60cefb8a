@0xd6f3b8a1c2e45f70;
#The messages, in the order of the flow.schema / types.h documents each field; the names are the same.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("autodidact::schema::wire");

struct ChatMessage {
  role @0 : Text;
  content @1 : Text;
  json @2 : Text;
} struct Prompt {
  id @0 : Text;
  text @1 : Text;
  messages @2 : List(ChatMessage);
  variables @3 : Text;
} enum RunState { running @0; waiting @1; finished @2; }
struct Criterion {
  text @0 : Text;
  points @1 : Float64 = 1;
} struct Tests {
  code @0 : Text;
  entryPoint @1 : Text;
  prompt @2 : Text;
} struct Supervision {
  union {
    none @0 : Void;
    labels @1 : List(Text);
    rubric @2 : List(Criterion);
    tests @3 : Tests;
    inputs @4 : List(Text);
    reference @5 : Text;
  }
} struct Lease {
  ticket @0 : UInt64;
  prompt @1 : Prompt;
  supervision @2 : Supervision;
  attempt @3 : UInt32;
  milliseconds @4 : UInt32;
  minVersion @5 : UInt64;
} struct LeaseRequest {
  actor @0 : Text;
  maxGroups @1 : UInt32;
  version @2 : UInt64;
  config @3 : UInt64;
} struct LeaseReply {
  state @0 : RunState;
  leases @1 : List(Lease);
}

enum StopReason {
  endOfText @0; stopString @1; maxLength @2;
}
struct Rollout {
  ids @0 : List(Int32);
  logprobs @1 : List(Float32);
  sampledLogprobs @2 : List(Float32);
  firstVersion @3 : UInt64;
  lastVersion @4 : UInt64;
  stop @5 : StopReason;
  text @6 : Text;
} struct RolloutGroup {
  ticket @0 : UInt64;
  promptIds @1 : List(Int32);
  rollouts @2 : List(Rollout);
}

enum FailureKind {
  badInput @0; retryLater @1; disconnected @2; bug @3;
}
struct Failure {
  kind @0 : FailureKind;
  reason @1 : Text;
}
#No field for the question, its id or its row.
struct SynthesisRequest {
  ticket @0 : UInt64;
  candidates @1 : List(Text);
} struct Reference {
  text @0 : Text;
  generation @1 : Text;
  rubric @2 : List(Criterion);
  stages @3 : UInt32;
} struct ReferenceOutcome {
  union {
    reference @0 : Reference;
    failure @1 : Failure;
  }
} struct SynthesisReply {
  ticket @0 : UInt64;
  outcome @1 : ReferenceOutcome;
}

struct Program {
  text @0 : Text;
  inputs @1 : List(Text);
} struct Target {
  union {
    text @0 : Text;
    labels @1 : List(Text);
    rubric @2 : List(Criterion);
    tests @3 : Tests;
    program @4 : Program;
  }
} struct JudgeRequest {
  ticket @0 : UInt64;
  target @1 : Target;
  responses @2 : List(Text);
  lengths @3 : List(UInt32);
} enum VerdictKind { met @0; notMet @1; invalid @2; }
struct Verdict {
  rollout @0 : UInt32;
  criterion @1 : UInt32;
  kind @2 : VerdictKind;
  reason @3 : Text;
} struct Reward {
  union {
    value @0 : Float64;
    none @1 : Failure;
  }
} struct JudgeReply {
  ticket @0 : UInt64;
  verdicts @1 : List(Verdict);
  rewards @2 : List(Reward);
}

struct ScoredGroup {
  actor @0 : Text;
  group @1 : RolloutGroup;
  reference @2 : ReferenceOutcome;
  verdicts @3 : List(Verdict);
  rewards @4 : List(Reward);
  rolloutSeconds @5 : Float32;
  anchorSeconds @6 : Float32;
  judgeSeconds @7 : Float32;
} enum Receipt { accepted @0; duplicate @1; stale @2; unknown @3; }
struct SubmitReply {
  receipt @0 : Receipt;
  state @1 : RunState;
} struct Metric {
  name @0 : Text;
  value @1 : Float64;
} enum RoleKind { actor @0; anchor @1; judge @2; }
struct Heartbeat {
  role @0 : Text;
  host @1 : Text;
  pid @2 : UInt32;
  doing @3 : Text;
  progress @4 : UInt64;
  report @5 : List(Metric);
  endpoint @6 : Text;
  kind @7 : RoleKind;
  config @8 : UInt64;
} struct Directory {
  state @0 : RunState;
  weights @1 : Text;
  anchors @2 : List(Text);
  judges @3 : List(Text);
}

enum ElementType {
  float32 @0; bfloat16 @1; float16 @2;
}
struct TensorInfo {
  name @0 : Text;
  type @1 : ElementType;
  shape @2 : List(Int64);
} struct WeightRequest {
  hasWeights @0 : Bool;
  have @1 : UInt64;
  minVersion @2 : UInt64;
  waitMilliseconds @3 : UInt32;
  part @4 : UInt32;
  hasVersion @5 : Bool;
  version @6 : UInt64;
} struct WeightPart {
  version @0 : UInt64;
  isDelta @1 : Bool;
  base @2 : UInt64;
  tensors @3 : List(TensorInfo);
  part @4 : UInt32;
  numParts @5 : UInt32;
  rawSize @6 : UInt64;
  checksum @7 : UInt64;
  payload @8 : Data;
}

enum Refusal {
  malformed @0; kind @1; sizes @2; tokens @3; numbers @4; version @5; lease @6; sender @7; config @8;
}
struct Refused {
  why @0 : Refusal;
  text @1 : Text;
}

struct Message {
  union {
    leaseRequest @0 : LeaseRequest;
    leaseReply @1 : LeaseReply;
    synthesisRequest @2 : SynthesisRequest;
    synthesisReply @3 : SynthesisReply;
    judgeRequest @4 : JudgeRequest;
    judgeReply @5 : JudgeReply;
    scoredGroup @6 : ScoredGroup;
    submitReply @7 : SubmitReply;
    heartbeat @8 : Heartbeat;
    weightRequest @9 : WeightRequest;
    weightPart @10 : WeightPart;
    failureReply @11 : Failure;
    directory @12 : Directory;
    refused @13 : Refused;
  }
}
