#include "schema/codec.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/array.h>
#include <kj/exception.h>

#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/format.h"
#include "flow.capnp.h"

namespace autodidact::schema {
namespace {

// ---- values to wire ------------------------------------------------------------------------------------------------

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
  builder.setColumns(Text(prompt.columns));
}

void Write(wire::Lease::Builder builder, const Lease& lease) {
  builder.setTicket(lease.ticket);
  Write(builder.initPrompt(), lease.prompt);
  builder.setAttempt(lease.attempt);
  builder.setMilliseconds(lease.milliseconds);
  builder.setMinVersion(lease.min_version);
}

void Write(wire::LeaseRequest::Builder builder, const LeaseRequest& request) {
  builder.setActor(Text(request.actor));
  builder.setMaxGroups(request.max_groups);
  builder.setVersion(request.version);
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

template <class Builder>
void WriteCriteria(Builder builder, const std::vector<Criterion>& criteria) {
  for (unsigned i = 0; i < builder.size(); ++i) {
    builder[i].setText(Text(criteria[i].text));
    builder[i].setPoints(criteria[i].points);
  }
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
  builder.setReference(Text(request.reference));
  WriteCriteria(builder.initRubric(Count(request.rubric.size())), request.rubric);
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
}

void Write(wire::Directory::Builder builder, const Directory& directory) {
  builder.setState(static_cast<wire::RunState>(directory.state));
  builder.setNewestVersion(directory.newest_version);
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

// ---- wire to values ------------------------------------------------------------------------------------------------

ChatMessage Read(wire::ChatMessage::Reader reader);
Lease Read(wire::Lease::Reader reader);
Rollout Read(wire::Rollout::Reader reader);
Verdict Read(wire::Verdict::Reader reader);
Reward Read(wire::Reward::Reader reader);
TensorInfo Read(wire::TensorInfo::Reader reader);

std::string Read(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

// Enumerants beyond the last known one come from a newer or a broken peer.
template <class Enum, class Wire>
Enum ReadEnum(Wire value, Enum last, const char* what) {
  const auto number = static_cast<std::uint16_t>(value);
  if (number > static_cast<std::uint16_t>(last)) {
    base::ThrowBadInput(base::Format("message: {} has the unknown value {}", what, number));
  }
  return static_cast<Enum>(number);
}

template <class T, class List>
std::vector<T> ReadNumbers(List list) {
  std::vector<T> numbers;
  numbers.reserve(list.size());
  for (const auto number : list) numbers.push_back(number);
  return numbers;
}

template <class List>
std::vector<std::string> ReadTexts(List list) {
  std::vector<std::string> texts;
  texts.reserve(list.size());
  for (auto text : list) texts.push_back(Read(text));
  return texts;
}

template <class List>
auto ReadList(List list) {
  std::vector<decltype(Read(list[0]))> values;
  values.reserve(list.size());
  for (auto item : list) values.push_back(Read(item));
  return values;
}

base::Failure Read(wire::Failure::Reader reader) {
  const auto number = static_cast<std::uint16_t>(reader.getKind());
  if (number > static_cast<std::uint16_t>(base::ErrorKind::kBug)) {
    base::ThrowBadInput(base::Format("message: failure kind has the unknown value {}", number));
  }
  return {static_cast<base::ErrorKind>(number), Read(reader.getReason())};
}

ChatMessage Read(wire::ChatMessage::Reader reader) {
  return {Read(reader.getRole()), Read(reader.getContent()), Read(reader.getJson())};
}

Prompt Read(wire::Prompt::Reader reader) {
  return {Read(reader.getId()), Read(reader.getText()), ReadList(reader.getMessages()), Read(reader.getColumns())};
}

Lease Read(wire::Lease::Reader reader) {
  return {reader.getTicket(), Read(reader.getPrompt()), reader.getAttempt(), reader.getMilliseconds(),
          reader.getMinVersion()};
}

LeaseRequest Read(wire::LeaseRequest::Reader reader) {
  return {Read(reader.getActor()), reader.getMaxGroups(), reader.getVersion()};
}

LeaseReply Read(wire::LeaseReply::Reader reader) {
  return {ReadEnum(reader.getState(), RunState::kFinished, "run state"), ReadList(reader.getLeases())};
}

Rollout Read(wire::Rollout::Reader reader) {
  Rollout rollout;
  rollout.ids = ReadNumbers<TokenId>(reader.getIds());
  rollout.logprobs = ReadNumbers<float>(reader.getLogprobs());
  rollout.sampled_logprobs = ReadNumbers<float>(reader.getSampledLogprobs());
  if (rollout.logprobs.size() != rollout.ids.size() || rollout.sampled_logprobs.size() != rollout.ids.size()) {
    base::ThrowBadInput(base::Format("message: a rollout of {} tokens has {} and {} log-probabilities",
                                     rollout.ids.size(), rollout.logprobs.size(), rollout.sampled_logprobs.size()));
  }
  rollout.first_version = reader.getFirstVersion();
  rollout.last_version = reader.getLastVersion();
  rollout.stop = ReadEnum(reader.getStop(), StopReason::kMaxLength, "stop reason");
  rollout.text = Read(reader.getText());
  return rollout;
}

RolloutGroup Read(wire::RolloutGroup::Reader reader) {
  return {reader.getTicket(), ReadNumbers<TokenId>(reader.getPromptIds()), ReadList(reader.getRollouts())};
}

SynthesisRequest Read(wire::SynthesisRequest::Reader reader) {
  return {reader.getTicket(), ReadTexts(reader.getCandidates())};
}

template <class List>
std::vector<Criterion> ReadCriteria(List list) {
  std::vector<Criterion> criteria;
  criteria.reserve(list.size());
  for (auto criterion : list) criteria.push_back({Read(criterion.getText()), criterion.getPoints()});
  return criteria;
}

base::Outcome<Reference> Read(wire::ReferenceOutcome::Reader reader) {
  switch (reader.which()) {
    case wire::ReferenceOutcome::REFERENCE: {
      auto reference = reader.getReference();
      return Reference{Read(reference.getText()), Read(reference.getGeneration()), ReadCriteria(reference.getRubric()),
                       reference.getStages()};
    }
    case wire::ReferenceOutcome::FAILURE:
      return Read(reader.getFailure());
  }
  base::ThrowBadInput("message: a reference that is neither a reference nor a failure");
}

SynthesisReply Read(wire::SynthesisReply::Reader reader) {
  return {reader.getTicket(), Read(reader.getOutcome())};
}

JudgeRequest Read(wire::JudgeRequest::Reader reader) {
  return {reader.getTicket(), Read(reader.getReference()), ReadCriteria(reader.getRubric()),
          ReadTexts(reader.getResponses()), ReadNumbers<std::uint32_t>(reader.getLengths())};
}

Verdict Read(wire::Verdict::Reader reader) {
  return {reader.getRollout(), reader.getCriterion(), ReadEnum(reader.getKind(), VerdictKind::kInvalid, "verdict"),
          Read(reader.getReason())};
}

Reward Read(wire::Reward::Reader reader) {
  switch (reader.which()) {
    case wire::Reward::VALUE:
      return reader.getValue();
    case wire::Reward::NONE:
      return Read(reader.getNone());
  }
  base::ThrowBadInput("message: a reward that is neither a value nor none");
}

JudgeReply Read(wire::JudgeReply::Reader reader) {
  return {reader.getTicket(), ReadList(reader.getVerdicts()), ReadList(reader.getRewards())};
}

ScoredGroup Read(wire::ScoredGroup::Reader reader) {
  ScoredGroup scored;
  scored.actor = Read(reader.getActor());
  scored.group = Read(reader.getGroup());
  scored.reference = Read(reader.getReference());
  scored.verdicts = ReadList(reader.getVerdicts());
  scored.rewards = ReadList(reader.getRewards());
  scored.rollout_seconds = reader.getRolloutSeconds();
  scored.anchor_seconds = reader.getAnchorSeconds();
  scored.judge_seconds = reader.getJudgeSeconds();
  return scored;
}

SubmitReply Read(wire::SubmitReply::Reader reader) {
  return {ReadEnum(reader.getReceipt(), Receipt::kUnknown, "receipt"),
          ReadEnum(reader.getState(), RunState::kFinished, "run state")};
}

Heartbeat Read(wire::Heartbeat::Reader reader) {
  Heartbeat heartbeat{Read(reader.getRole()),
                      Read(reader.getEndpoint()),
                      Read(reader.getHost()),
                      reader.getPid(),
                      Read(reader.getDoing()),
                      reader.getProgress(),
                      {}};
  for (auto figure : reader.getReport()) heartbeat.report[Read(figure.getName())] = figure.getValue();
  return heartbeat;
}

Directory Read(wire::Directory::Reader reader) {
  return {ReadEnum(reader.getState(), RunState::kFinished, "run state"), reader.getNewestVersion(),
          Read(reader.getWeights()), ReadTexts(reader.getAnchors()), ReadTexts(reader.getJudges())};
}

TensorInfo Read(wire::TensorInfo::Reader reader) {
  return {Read(reader.getName()), ReadEnum(reader.getType(), ElementType::kFloat16, "element type"),
          ReadNumbers<std::int64_t>(reader.getShape())};
}

WeightRequest Read(wire::WeightRequest::Reader reader) {
  return {reader.getHasWeights(), reader.getHave(),       reader.getMinVersion(), reader.getWaitMilliseconds(),
          reader.getPart(),       reader.getHasVersion(), reader.getVersion()};
}

WeightPart Read(wire::WeightPart::Reader reader) {
  WeightPart part;
  part.version = reader.getVersion();
  part.is_delta = reader.getIsDelta();
  part.base = reader.getBase();
  part.tensors = ReadList(reader.getTensors());
  part.part = reader.getPart();
  part.num_parts = reader.getNumParts();
  part.raw_size = reader.getRawSize();
  part.checksum = reader.getChecksum();
  const auto payload = reader.getPayload();
  part.payload.assign(reinterpret_cast<const char*>(payload.begin()), payload.size());
  return part;
}

Message ReadMessage(wire::Message::Reader reader) {
  switch (reader.which()) {
    case wire::Message::LEASE_REQUEST:
      return Read(reader.getLeaseRequest());
    case wire::Message::LEASE_REPLY:
      return Read(reader.getLeaseReply());
    case wire::Message::SYNTHESIS_REQUEST:
      return Read(reader.getSynthesisRequest());
    case wire::Message::SYNTHESIS_REPLY:
      return Read(reader.getSynthesisReply());
    case wire::Message::JUDGE_REQUEST:
      return Read(reader.getJudgeRequest());
    case wire::Message::JUDGE_REPLY:
      return Read(reader.getJudgeReply());
    case wire::Message::SCORED_GROUP:
      return Read(reader.getScoredGroup());
    case wire::Message::SUBMIT_REPLY:
      return Read(reader.getSubmitReply());
    case wire::Message::HEARTBEAT:
      return Read(reader.getHeartbeat());
    case wire::Message::DIRECTORY:
      return Read(reader.getDirectory());
    case wire::Message::WEIGHT_REQUEST:
      return Read(reader.getWeightRequest());
    case wire::Message::WEIGHT_PART:
      return Read(reader.getWeightPart());
    case wire::Message::FAILURE_REPLY:
      return FailureReply{Read(reader.getFailureReply())};
  }
  base::ThrowBadInput(base::Format("message: unknown kind {}", static_cast<int>(reader.which())));
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
};

// A message may be this large; the traversal limit (in words) only stops lists that are read again and again.
constexpr std::uint64_t kMaxWords = std::uint64_t{1} << 29;

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

Message Decode(std::string_view bytes) {
  try {
    // The bytes of a socket frame need not be aligned to words.
    auto words = kj::heapArray<capnp::word>((bytes.size() + sizeof(capnp::word) - 1) / sizeof(capnp::word));
    std::memcpy(words.begin(), bytes.data(), bytes.size());
    capnp::FlatArrayMessageReader reader(words.slice(0, bytes.size() / sizeof(capnp::word)), {kMaxWords, 32});
    return ReadMessage(reader.getRoot<wire::Message>());
  } catch (const kj::Exception& e) {
    base::ThrowBadInput(base::Format("message of {} bytes: {}", bytes.size(), e.getDescription().cStr()));
  }
}

}  // namespace autodidact::schema
