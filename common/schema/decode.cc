#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/array.h>
#include <kj/exception.h>

#include <cstring>

#include "base/format.h"
#include "flow.capnp.h"
#include "schema/codec.h"

namespace autodidact::schema {
namespace {

// Beyond the words of the message itself, for its roots.
constexpr std::uint64_t kSpareWords = 64;
// The deepest message holds lists in structs in lists; this is twice that.
constexpr int kMaxNesting = 16;

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

// Numbers stand beside each other on the wire, so their bytes are their bound.
template <class T, class List>
std::vector<T> ReadNumbers(List list) {
  std::vector<T> numbers;
  numbers.reserve(list.size());
  for (const auto number : list) numbers.push_back(number);
  return numbers;
}

// How many bytes a message of this kind may have at most. What a peer says in passing is small.
std::size_t MaxBytes(wire::Message::Which kind) {
  constexpr std::size_t kKilo = 1024;
  switch (kind) {
    case wire::Message::LEASE_REQUEST:
    case wire::Message::SUBMIT_REPLY:
    case wire::Message::WEIGHT_REQUEST:
      return 4 * kKilo;
    case wire::Message::HEARTBEAT:
      return 64 * kKilo;
    case wire::Message::DIRECTORY:
    case wire::Message::FAILURE_REPLY:
    case wire::Message::REFUSED:
      return kKilo * kKilo;
    default:
      return kMaxMessageBytes;
  }
}

// Reads one message. The elements of its lists of texts and structs are counted before room is made for them: each
// takes a word of the message at least, unless somebody means to make much of little.
class Reader {
 public:
  explicit Reader(std::size_t words) : elements_left_(words) {}

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
      case wire::Message::REFUSED:
        return Read(reader.getRefused());
    }
    base::ThrowBadInput(base::Format("message: unknown kind {}", static_cast<int>(reader.which())));
  }

 private:
  static std::string Read(capnp::Text::Reader text) { return schema::Read(text); }

  template <class List>
  void Count(const List& list) {
    if (list.size() > elements_left_) {
      base::ThrowBadInput(base::Format("message: a list of {} elements, for which it is too short", list.size()));
    }
    elements_left_ -= list.size();
  }

  template <class List>
  auto ReadList(List list) {
    Count(list);
    std::vector<decltype(Read(list[0]))> values;
    values.reserve(list.size());
    for (auto item : list) values.push_back(Read(item));
    return values;
  }

  static base::Failure Read(wire::Failure::Reader reader) {
    return {ReadEnum(reader.getKind(), base::ErrorKind::kBug, "failure kind"), Read(reader.getReason())};
  }

  static ChatMessage Read(wire::ChatMessage::Reader reader) {
    return {.role = Read(reader.getRole()), .content = Read(reader.getContent()), .json = Read(reader.getJson())};
  }

  Prompt Read(wire::Prompt::Reader reader) {
    return {.id = Read(reader.getId()),
            .text = Read(reader.getText()),
            .messages = ReadList(reader.getMessages()),
            .variables = Read(reader.getVariables()),
            .columns = {}};
  }

  Lease Read(wire::Lease::Reader reader) {
    return {.ticket = reader.getTicket(),
            .prompt = Read(reader.getPrompt()),
            .supervision = Read(reader.getSupervision()),
            .attempt = reader.getAttempt(),
            .milliseconds = reader.getMilliseconds(),
            .min_version = reader.getMinVersion()};
  }

  static Tests Read(wire::Tests::Reader reader) {
    return {.code = Read(reader.getCode()),
            .entry_point = Read(reader.getEntryPoint()),
            .prompt = Read(reader.getPrompt())};
  }

  Supervision Read(wire::Supervision::Reader reader) {
    switch (reader.which()) {
      case wire::Supervision::NONE:
        return {};
      case wire::Supervision::LABELS:
        return Labels{ReadList(reader.getLabels())};
      case wire::Supervision::RUBRIC:
        return Rubric{ReadList(reader.getRubric())};
      case wire::Supervision::TESTS:
        return Read(reader.getTests());
      case wire::Supervision::INPUTS:
        return Inputs{ReadList(reader.getInputs())};
      case wire::Supervision::REFERENCE:
        return MadeReference{Read(reader.getReference())};
    }
    base::ThrowBadInput("message: a supervision of an unknown kind");
  }

  Target Read(wire::Target::Reader reader) {
    switch (reader.which()) {
      case wire::Target::TEXT:
        return WholeText{Read(reader.getText())};
      case wire::Target::LABELS:
        return Labels{ReadList(reader.getLabels())};
      case wire::Target::RUBRIC:
        return Rubric{ReadList(reader.getRubric())};
      case wire::Target::TESTS:
        return Read(reader.getTests());
      case wire::Target::PROGRAM: {
        auto program = reader.getProgram();
        return Program{.text = Read(program.getText()), .inputs = ReadList(program.getInputs())};
      }
    }
    base::ThrowBadInput("message: a target of an unknown kind");
  }

  static LeaseRequest Read(wire::LeaseRequest::Reader reader) {
    return {.actor = Read(reader.getActor()),
            .max_groups = reader.getMaxGroups(),
            .version = reader.getVersion(),
            .config = reader.getConfig()};
  }

  LeaseReply Read(wire::LeaseReply::Reader reader) {
    return {.state = ReadEnum(reader.getState(), RunState::kFinished, "run state"),
            .leases = ReadList(reader.getLeases())};
  }

  static Rollout Read(wire::Rollout::Reader reader) {
    Rollout rollout;
    rollout.ids = ReadNumbers<TokenId>(reader.getIds());
    rollout.logprobs = ReadNumbers<float>(reader.getLogprobs());
    rollout.sampled_logprobs = ReadNumbers<float>(reader.getSampledLogprobs());
    rollout.first_version = reader.getFirstVersion();
    rollout.last_version = reader.getLastVersion();
    rollout.stop = ReadEnum(reader.getStop(), StopReason::kMaxLength, "stop reason");
    rollout.text = Read(reader.getText());
    return rollout;
  }

  RolloutGroup Read(wire::RolloutGroup::Reader reader) {
    return {.ticket = reader.getTicket(),
            .prompt_ids = ReadNumbers<TokenId>(reader.getPromptIds()),
            .rollouts = ReadList(reader.getRollouts())};
  }

  SynthesisRequest Read(wire::SynthesisRequest::Reader reader) {
    return {.ticket = reader.getTicket(), .candidates = ReadList(reader.getCandidates())};
  }

  static Criterion Read(wire::Criterion::Reader reader) {
    return {.text = Read(reader.getText()), .points = reader.getPoints()};
  }

  base::Outcome<Reference> Read(wire::ReferenceOutcome::Reader reader) {
    switch (reader.which()) {
      case wire::ReferenceOutcome::REFERENCE: {
        auto reference = reader.getReference();
        return Reference{.text = Read(reference.getText()),
                         .generation = Read(reference.getGeneration()),
                         .rubric = ReadList(reference.getRubric()),
                         .stages = reference.getStages()};
      }
      case wire::ReferenceOutcome::FAILURE:
        return Read(reader.getFailure());
    }
    base::ThrowBadInput("message: a reference that is neither a reference nor a failure");
  }

  SynthesisReply Read(wire::SynthesisReply::Reader reader) {
    return {.ticket = reader.getTicket(), .reference = Read(reader.getOutcome())};
  }

  JudgeRequest Read(wire::JudgeRequest::Reader reader) {
    return {.ticket = reader.getTicket(),
            .target = Read(reader.getTarget()),
            .responses = ReadList(reader.getResponses()),
            .lengths = ReadNumbers<std::uint32_t>(reader.getLengths())};
  }

  static Verdict Read(wire::Verdict::Reader reader) {
    return {.rollout = reader.getRollout(),
            .criterion = reader.getCriterion(),
            .kind = ReadEnum(reader.getKind(), VerdictKind::kInvalid, "verdict"),
            .reason = Read(reader.getReason())};
  }

  static Reward Read(wire::Reward::Reader reader) {
    switch (reader.which()) {
      case wire::Reward::VALUE:
        return reader.getValue();
      case wire::Reward::NONE:
        return Read(reader.getNone());
    }
    base::ThrowBadInput("message: a reward that is neither a value nor none");
  }

  JudgeReply Read(wire::JudgeReply::Reader reader) {
    return {.ticket = reader.getTicket(),
            .verdicts = ReadList(reader.getVerdicts()),
            .rewards = ReadList(reader.getRewards())};
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

  static SubmitReply Read(wire::SubmitReply::Reader reader) {
    return {.receipt = ReadEnum(reader.getReceipt(), Receipt::kUnknown, "receipt"),
            .state = ReadEnum(reader.getState(), RunState::kFinished, "run state")};
  }

  Heartbeat Read(wire::Heartbeat::Reader reader) {
    Heartbeat heartbeat{.role = Read(reader.getRole()),
                        .kind = ReadEnum(reader.getKind(), RoleKind::kJudge, "kind of role"),
                        .config = reader.getConfig(),
                        .endpoint = Read(reader.getEndpoint()),
                        .host = Read(reader.getHost()),
                        .pid = reader.getPid(),
                        .doing = Read(reader.getDoing()),
                        .progress = reader.getProgress(),
                        .report = {}};
    const auto report = reader.getReport();
    Count(report);
    for (auto metric : report) heartbeat.report[Read(metric.getName())] = metric.getValue();
    return heartbeat;
  }

  Directory Read(wire::Directory::Reader reader) {
    return {.state = ReadEnum(reader.getState(), RunState::kFinished, "run state"),
            .weights = Read(reader.getWeights()),
            .anchors = ReadList(reader.getAnchors()),
            .judges = ReadList(reader.getJudges())};
  }

  static TensorInfo Read(wire::TensorInfo::Reader reader) {
    return {.name = Read(reader.getName()),
            .type = ReadEnum(reader.getType(), ElementType::kFloat16, "element type"),
            .shape = ReadNumbers<std::int64_t>(reader.getShape())};
  }

  static WeightRequest Read(wire::WeightRequest::Reader reader) {
    return {.has_weights = reader.getHasWeights(),
            .have = reader.getHave(),
            .min_version = reader.getMinVersion(),
            .wait_milliseconds = reader.getWaitMilliseconds(),
            .part = reader.getPart(),
            .has_version = reader.getHasVersion(),
            .version = reader.getVersion()};
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

  static Refused Read(wire::Refused::Reader reader) {
    return {.why = ReadEnum(reader.getWhy(), Refusal::kConfig, "refusal"), .text = Read(reader.getText())};
  }

  std::uint64_t elements_left_;
};

}  // namespace

Message Decode(std::string_view bytes) {
  if (bytes.size() > kMaxMessageBytes) {
    base::ThrowBadInput(base::Format("message of {} bytes: expected at most {}", bytes.size(), kMaxMessageBytes));
  }
  try {
    // The bytes of a socket frame need not be aligned to words.
    auto words = kj::heapArray<capnp::word>((bytes.size() + sizeof(capnp::word) - 1) / sizeof(capnp::word));
    std::memcpy(words.begin(), bytes.data(), bytes.size());
    const std::size_t size = bytes.size() / sizeof(capnp::word);
    // What is read once can be no more than there is: a pointer to what was read before, and a list of elements without
    // a size, are counted against this limit.
    capnp::FlatArrayMessageReader flat(words.slice(0, size), {size + kSpareWords, kMaxNesting});
    const auto root = flat.getRoot<wire::Message>();
    if (bytes.size() > MaxBytes(root.which())) {
      base::ThrowBadInput(
          base::Format("message of {} bytes: expected at most {} for its kind", bytes.size(), MaxBytes(root.which())));
    }
    return Reader(size).ReadMessage(root);
  } catch (const kj::Exception& e) {
    base::ThrowBadInput(base::Format("message of {} bytes: {}", bytes.size(), e.getDescription().cStr()));
  }
}

}  // namespace autodidact::schema
