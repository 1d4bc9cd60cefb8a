#include "schema/codec.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/array.h>

#include <limits>

#include "base/check.h"
#include "base/format.h"
#include "flow.capnp.h"

namespace autodidact::schema {
namespace {

capnp::Text::Reader Text(const std::string& text) {
  return {text.data(), text.size()};
}

unsigned Count(std::size_t size) {
  AD_CHECK(size <= std::numeric_limits<std::uint32_t>::max() >> 3, "a list of {} elements in a message", size);
  return static_cast<unsigned>(size);
}

// Elements of lists, which WriteList finds only when they are declared before it.
void Write(wire::ChatMessage::Builder builder, const ChatMessage& message);
void Write(wire::Lease::Builder builder, const Lease& lease);
void Write(wire::Rollout::Builder builder, const Rollout& rollout);
void Write(wire::Verdict::Builder builder, const Verdict& verdict);
void Write(wire::Reward::Builder builder, const Reward& reward);
void Write(wire::TensorInfo::Builder builder, const TensorInfo& info);

template <class Builder, class T>
void WriteNumbers(Builder builder, const std::vector<T>& values) {
  for (unsigned i = 0; i < builder.size(); ++i) builder.set(i, values[i]);
}

template <class Builder>
void WriteTexts(Builder builder, const std::vector<std::string>& texts) {
  for (unsigned i = 0; i < builder.size(); ++i) builder.set(i, Text(texts[i]));
}

template <class Builder, class T>
void WriteList(Builder builder, const std::vector<T>& values) {
  for (unsigned i = 0; i < builder.size(); ++i) Write(builder[i], values[i]);
}

void Write(wire::Failure::Builder builder, const base::Failure& failure) {
  builder.setKind(static_cast<wire::FailureKind>(failure.kind));
  builder.setReason(Text(failure.reason));
}

void Write(wire::ChatMessage::Builder builder, const ChatMessage& message) {
  builder.setRole(Text(message.role));
  builder.setContent(Text(message.content));
  builder.setJson(Text(message.json));
}

void Write(wire::Prompt::Builder builder, const Prompt& prompt) {
  builder.setId(Text(prompt.id));
  builder.setText(Text(prompt.text));
  WriteList(builder.initMessages(Count(prompt.messages.size())), prompt.messages);
  builder.setVariables(Text(prompt.variables));
}

template <class Builder>
void WriteCriteria(Builder builder, const std::vector<Criterion>& criteria) {
  for (unsigned i = 0; i < builder.size(); ++i) {
    builder[i].setText(Text(criteria[i].text));
    builder[i].setPoints(criteria[i].points);
  }
}

void Write(wire::Tests::Builder builder, const Tests& tests) {
  builder.setCode(Text(tests.code));
  builder.setEntryPoint(Text(tests.entry_point));
  builder.setPrompt(Text(tests.prompt));
}

struct WriteSupervision {
  wire::Supervision::Builder builder;

  void operator()(std::monostate) { builder.setNone(); }
  void operator()(const Labels& it) { WriteTexts(builder.initLabels(Count(it.answers.size())), it.answers); }
  void operator()(const Rubric& it) { WriteCriteria(builder.initRubric(Count(it.criteria.size())), it.criteria); }
  void operator()(const Tests& it) { Write(builder.initTests(), it); }
  void operator()(const Inputs& it) { WriteTexts(builder.initInputs(Count(it.inputs.size())), it.inputs); }
  void operator()(const MadeReference& it) { builder.setReference(Text(it.text)); }
};

struct WriteTarget {
  wire::Target::Builder builder;

  void operator()(const WholeText& it) { builder.setText(Text(it.text)); }
  void operator()(const Labels& it) { WriteTexts(builder.initLabels(Count(it.answers.size())), it.answers); }
  void operator()(const Rubric& it) { WriteCriteria(builder.initRubric(Count(it.criteria.size())), it.criteria); }
  void operator()(const Tests& it) { Write(builder.initTests(), it); }
  void operator()(const Program& it) {
    auto program = builder.initProgram();
    program.setText(Text(it.text));
    WriteTexts(program.initInputs(Count(it.inputs.size())), it.inputs);
  }
};

void Write(wire::Lease::Builder builder, const Lease& lease) {
  builder.setTicket(lease.ticket);
  Write(builder.initPrompt(), lease.prompt);
  std::visit(WriteSupervision{builder.initSupervision()}, lease.supervision);
  builder.setAttempt(lease.attempt);
  builder.setMilliseconds(lease.milliseconds);
  builder.setMinVersion(lease.min_version);
}

void Write(wire::LeaseRequest::Builder builder, const LeaseRequest& request) {
  builder.setActor(Text(request.actor));
  builder.setMaxGroups(request.max_groups);
  builder.setVersion(request.version);
  builder.setConfig(request.config);
}

void Write(wire::LeaseReply::Builder builder, const LeaseReply& reply) {
  builder.setState(static_cast<wire::RunState>(reply.state));
  WriteList(builder.initLeases(Count(reply.leases.size())), reply.leases);
}

void Write(wire::Rollout::Builder builder, const Rollout& rollout) {
  WriteNumbers(builder.initIds(Count(rollout.ids.size())), rollout.ids);
  WriteNumbers(builder.initLogprobs(Count(rollout.logprobs.size())), rollout.logprobs);
  WriteNumbers(builder.initSampledLogprobs(Count(rollout.sampled_logprobs.size())), rollout.sampled_logprobs);
  builder.setFirstVersion(rollout.first_version);
  builder.setLastVersion(rollout.last_version);
  builder.setStop(static_cast<wire::StopReason>(rollout.stop));
  builder.setText(Text(rollout.text));
}

void Write(wire::RolloutGroup::Builder builder, const RolloutGroup& group) {
  builder.setTicket(group.ticket);
  WriteNumbers(builder.initPromptIds(Count(group.prompt_ids.size())), group.prompt_ids);
  WriteList(builder.initRollouts(Count(group.rollouts.size())), group.rollouts);
}

void Write(wire::SynthesisRequest::Builder builder, const SynthesisRequest& request) {
  builder.setTicket(request.ticket);
  WriteTexts(builder.initCandidates(Count(request.candidates.size())), request.candidates);
}

void Write(wire::ReferenceOutcome::Builder builder, const base::Outcome<Reference>& outcome) {
  if (!outcome.ok()) return Write(builder.initFailure(), outcome.failure());
  auto reference = builder.initReference();
  reference.setText(Text(outcome->text));
  reference.setGeneration(Text(outcome->generation));
  WriteCriteria(reference.initRubric(Count(outcome->rubric.size())), outcome->rubric);
  reference.setStages(outcome->stages);
}

void Write(wire::SynthesisReply::Builder builder, const SynthesisReply& reply) {
  builder.setTicket(reply.ticket);
  Write(builder.initOutcome(), reply.reference);
}

void Write(wire::JudgeRequest::Builder builder, const JudgeRequest& request) {
  builder.setTicket(request.ticket);
  std::visit(WriteTarget{builder.initTarget()}, request.target);
  WriteTexts(builder.initResponses(Count(request.responses.size())), request.responses);
  WriteNumbers(builder.initLengths(Count(request.lengths.size())), request.lengths);
}

void Write(wire::Verdict::Builder builder, const Verdict& verdict) {
  builder.setRollout(verdict.rollout);
  builder.setCriterion(verdict.criterion);
  builder.setKind(static_cast<wire::VerdictKind>(verdict.kind));
  builder.setReason(Text(verdict.reason));
}

void Write(wire::Reward::Builder builder, const Reward& reward) {
  if (reward.ok()) {
    builder.setValue(*reward);
  } else {
    Write(builder.initNone(), reward.failure());
  }
}

void Write(wire::JudgeReply::Builder builder, const JudgeReply& reply) {
  builder.setTicket(reply.ticket);
  WriteList(builder.initVerdicts(Count(reply.verdicts.size())), reply.verdicts);
  WriteList(builder.initRewards(Count(reply.rewards.size())), reply.rewards);
}

void Write(wire::ScoredGroup::Builder builder, const ScoredGroup& scored) {
  builder.setActor(Text(scored.actor));
  Write(builder.initGroup(), scored.group);
  Write(builder.initReference(), scored.reference);
  WriteList(builder.initVerdicts(Count(scored.verdicts.size())), scored.verdicts);
  WriteList(builder.initRewards(Count(scored.rewards.size())), scored.rewards);
  builder.setRolloutSeconds(scored.rollout_seconds);
  builder.setAnchorSeconds(scored.anchor_seconds);
  builder.setJudgeSeconds(scored.judge_seconds);
}

void Write(wire::SubmitReply::Builder builder, const SubmitReply& reply) {
  builder.setReceipt(static_cast<wire::Receipt>(reply.receipt));
  builder.setState(static_cast<wire::RunState>(reply.state));
}

void Write(wire::Heartbeat::Builder builder, const Heartbeat& heartbeat) {
  builder.setRole(Text(heartbeat.role));
  builder.setHost(Text(heartbeat.host));
  builder.setPid(heartbeat.pid);
  builder.setDoing(Text(heartbeat.doing));
  builder.setProgress(heartbeat.progress);
  auto report = builder.initReport(Count(heartbeat.report.size()));
  unsigned next = 0;
  for (const auto& [name, value] : heartbeat.report) {
    report[next].setName(Text(name));
    report[next++].setValue(value);
  }
  builder.setEndpoint(Text(heartbeat.endpoint));
  builder.setKind(static_cast<wire::RoleKind>(heartbeat.kind));
  builder.setConfig(heartbeat.config);
}

void Write(wire::Directory::Builder builder, const Directory& directory) {
  builder.setState(static_cast<wire::RunState>(directory.state));
  builder.setWeights(Text(directory.weights));
  WriteTexts(builder.initAnchors(Count(directory.anchors.size())), directory.anchors);
  WriteTexts(builder.initJudges(Count(directory.judges.size())), directory.judges);
}

void Write(wire::TensorInfo::Builder builder, const TensorInfo& info) {
  builder.setName(Text(info.name));
  builder.setType(static_cast<wire::ElementType>(info.type));
  WriteNumbers(builder.initShape(Count(info.shape.size())), info.shape);
}

void Write(wire::WeightRequest::Builder builder, const WeightRequest& request) {
  builder.setHasWeights(request.has_weights);
  builder.setHave(request.have);
  builder.setMinVersion(request.min_version);
  builder.setWaitMilliseconds(request.wait_milliseconds);
  builder.setPart(request.part);
  builder.setHasVersion(request.has_version);
  builder.setVersion(request.version);
}

void Write(wire::WeightPart::Builder builder, const WeightPart& part) {
  builder.setVersion(part.version);
  builder.setIsDelta(part.is_delta);
  builder.setBase(part.base);
  WriteList(builder.initTensors(Count(part.tensors.size())), part.tensors);
  builder.setPart(part.part);
  builder.setNumParts(part.num_parts);
  builder.setRawSize(part.raw_size);
  builder.setChecksum(part.checksum);
  builder.setPayload({reinterpret_cast<const kj::byte*>(part.payload.data()), part.payload.size()});
}

struct WriteInto {
  wire::Message::Builder root;

  void operator()(const LeaseRequest& value) { Write(root.initLeaseRequest(), value); }
  void operator()(const LeaseReply& value) { Write(root.initLeaseReply(), value); }
  void operator()(const SynthesisRequest& value) { Write(root.initSynthesisRequest(), value); }
  void operator()(const SynthesisReply& value) { Write(root.initSynthesisReply(), value); }
  void operator()(const JudgeRequest& value) { Write(root.initJudgeRequest(), value); }
  void operator()(const JudgeReply& value) { Write(root.initJudgeReply(), value); }
  void operator()(const ScoredGroup& value) { Write(root.initScoredGroup(), value); }
  void operator()(const SubmitReply& value) { Write(root.initSubmitReply(), value); }
  void operator()(const Heartbeat& value) { Write(root.initHeartbeat(), value); }
  void operator()(const Directory& value) { Write(root.initDirectory(), value); }
  void operator()(const WeightRequest& value) { Write(root.initWeightRequest(), value); }
  void operator()(const WeightPart& value) { Write(root.initWeightPart(), value); }
  void operator()(const FailureReply& value) { Write(root.initFailureReply(), value.failure); }
  void operator()(const Refused& value) {
    auto refused = root.initRefused();
    refused.setWhy(static_cast<wire::Refusal>(value.why));
    refused.setText(Text(value.text));
  }
};

}  // namespace

std::string Describe(const Message& message) {
  Message shown = message;
  if (auto* part = std::get_if<WeightPart>(&shown)) part->payload = base::Format("{} bytes", part->payload.size());
  capnp::MallocMessageBuilder builder;
  auto root = builder.initRoot<wire::Message>();
  std::visit(WriteInto{root}, shown);
  return kj::str(root.asReader()).cStr();
}

std::string Encode(const Message& message) {
  capnp::MallocMessageBuilder builder;
  std::visit(WriteInto{builder.initRoot<wire::Message>()}, message);
  const auto words = capnp::messageToFlatArray(builder);
  const auto bytes = words.asBytes();
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

}  // namespace autodidact::schema
