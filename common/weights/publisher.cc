#include <algorithm>
#include <atomic>
#include <limits>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/fault.h"
#include "base/log.h"
#include "schema/codec.h"
#include "schema/validate.h"
#include "weights/delta.h"
#include "weights/flat_set.h"
#include "weights/weights.h"

namespace autodidact::weights {
namespace {

// A request that waits for its version.
struct Waiting {
  schema::WeightRequest request;
  base::Deadline until;
  net::ReplyHandle reply;
};

struct Inbox {
  std::vector<Waiting> requests;
  bool stopping = false;
};

constexpr base::Milliseconds kLongestSleep{60'000};
constexpr base::Milliseconds kLongestHold{60'000};
constexpr std::size_t kMaxWaiting = 4096;

schema::WeightVersion VersionWanted(const schema::WeightRequest& request) {
  return request.has_version ? request.version : request.min_version;
}

// What is sent of one version, computed once for all who ask for it. Belongs to the publisher's thread.
class Shipment {
 public:
  Shipment(model::SharedWeights weights, const model::SharedWeights& base, std::uint64_t part_bytes)
      : weights_(std::move(weights)),
        flat_(weights_->parameters()),
        checksum_(flat_.Checksum()),
        part_bytes_(part_bytes) {
    if (!base) return;
    FlatSet flat(base->parameters());
    if (flat.infos() != flat_.infos()) return;
    base_version_ = base->version();
    base_.emplace(std::move(flat));
  }

  schema::WeightVersion version() const { return weights_->version(); }
  std::optional<schema::WeightVersion> base_version() const { return base_version_; }
  std::uint32_t num_parts() const {
    return static_cast<std::uint32_t>(std::max<std::uint64_t>(1, (flat_.size() + part_bytes_ - 1) / part_bytes_));
  }

  // A delta only for an asker that holds the base, and only where it is smaller.
  schema::WeightPart Part(std::uint32_t part, bool has_base) {
    schema::WeightPart message;
    message.version = version();
    message.part = part;
    message.num_parts = num_parts();
    message.checksum = checksum_;
    if (part == 0) message.tensors = flat_.infos();
    const std::uint64_t offset = part * part_bytes_;
    message.raw_size = std::min(part_bytes_, flat_.size() - offset);
    if (has_base && base_) {
      const std::string& delta = Delta(part, offset, message.raw_size);
      if (delta.size() < message.raw_size) {
        message.is_delta = true;
        message.base = *base_version_;
        message.payload = delta;
        return message;
      }
    }
    message.payload.resize(message.raw_size);
    flat_.Read(offset, message.raw_size, message.payload.data());
    return message;
  }

 private:
  const std::string& Delta(std::uint32_t part, std::uint64_t offset, std::uint64_t size) {
    const auto known = deltas_.find(part);
    if (known != deltas_.end()) return known->second;
    std::string before(size, '\0');
    std::string after(size, '\0');
    base_->Read(offset, size, before.data());
    flat_.Read(offset, size, after.data());
    return deltas_[part] = EncodeDelta(before, after);
  }

  model::SharedWeights weights_;
  FlatSet flat_;
  std::uint64_t checksum_;
  std::uint64_t part_bytes_;
  std::optional<schema::WeightVersion> base_version_;
  std::optional<FlatSet> base_;
  std::map<std::uint32_t, std::string> deltas_;  // by part
};

}  // namespace

// The socket's thread only queues requests; a thread of its own waits for versions and encodes them.
class WeightPublisher::Impl {
 public:
  Impl(const WeightStore& store, net::Context& context, const std::string& endpoint, const net::Security& security,
       std::int64_t part_bytes)
      : store_(store),
        part_bytes_(static_cast<std::uint64_t>(part_bytes)),
        server_(context, endpoint, security, [this](net::Incoming incoming) { Queue(std::move(incoming)); }) {
    AD_CHECK(part_bytes > 0, "parts of {} bytes", part_bytes);
    thread_ = base::StartThread<std::thread>("weights.publisher.thread", [this, role = base::LogRole()] {
      base::SetLogRole(role);
      Run();
    });
  }

  ~Impl() {
    inbox_.With([](Inbox& inbox) { inbox.stopping = true; });
    store_.WakeWaiters();
    thread_.join();
  }

  const std::string& endpoint() const { return server_.endpoint(); }
  std::uint64_t TakeRefused() { return refused_.exchange(0); }

 private:
  void Queue(net::Incoming incoming) {
    schema::Message message;
    try {
      message = schema::Decode(incoming.bytes);
    } catch (const base::Error& error) {
      return TurnAway(incoming, {schema::Refusal::kMalformed, error.message()});
    }
    if (auto refused = schema::CheckSender(message, incoming.sender)) return TurnAway(incoming, std::move(*refused));
    auto* request = std::get_if<schema::WeightRequest>(&message);
    if (!request) {
      return TurnAway(incoming, {schema::Refusal::kKind,
                                 std::string("the weight publisher does not take a ") + schema::Name(message)});
    }
    if (auto refused = schema::Check(*request)) return TurnAway(incoming, std::move(*refused));
    const auto wait = std::min(kLongestHold, base::Milliseconds(request->wait_milliseconds));
    Waiting waiting{*request, base::Deadline::In(wait), std::move(incoming.reply)};
    const bool taken = inbox_.With([&](Inbox& inbox) {
      if (num_waiting_ + inbox.requests.size() >= kMaxWaiting) return false;
      inbox.requests.push_back(std::move(waiting));
      return true;
    });
    if (!taken) return Refuse(waiting, base::ErrorKind::kRetryLater, "weights: too many requests wait");
    store_.WakeWaiters();
  }

  void TurnAway(net::Incoming& incoming, schema::Refused refused) {
    ++refused_;
    base::LogWarning("weights: refused a message from {} ({}): {}", incoming.peer, schema::Name(refused.why),
                     refused.text);
    incoming.reply.Send(schema::Encode(refused));
  }

  void Run() {
    std::vector<Waiting> waiting;
    while (true) {
      Inbox news = inbox_.With([](Inbox& inbox) { return Inbox{std::exchange(inbox.requests, {}), inbox.stopping}; });
      if (news.stopping) return;
      std::move(news.requests.begin(), news.requests.end(), std::back_inserter(waiting));
      const WeightStore::State held = store_.Held();
      DropOldShipments(held);
      std::erase_if(waiting, [&](Waiting& request) { return Answer(request, held); });
      num_waiting_ = waiting.size();
      Sleep(waiting, held);
    }
  }

  // Until there is a new request or a new version, or the first of the waiting gives up.
  void Sleep(const std::vector<Waiting>& waiting, const WeightStore::State& seen) {
    auto until = base::Deadline::In(kLongestSleep);
    for (const auto& request : waiting) until = until.Min(request.until);
    store_.WaitForChange(until, [&](const WeightStore::State& state) {
      return state.newest != seen.newest ||
             std::as_const(inbox_).With([](const Inbox& inbox) { return inbox.stopping || !inbox.requests.empty(); });
    });
  }

  // True when it has been answered, for good or ill.
  bool Answer(Waiting& waiting, const WeightStore::State& held) {
    const schema::WeightRequest& request = waiting.request;
    const auto wanted = VersionWanted(request);
    if (!held.newest || held.newest->version() < wanted) {
      if (!waiting.until.Passed()) return false;
      Refuse(waiting, base::ErrorKind::kRetryLater,
             base::Format("weights: version {} was not published in time (newest: {})", wanted,
                          held.newest ? std::to_string(held.newest->version()) : "none"));
      return true;
    }
    try {
      Shipment* shipment = Prepare(request, held);
      if (shipment == nullptr) {
        Refuse(waiting, base::ErrorKind::kRetryLater,
               base::Format("weights: version {} is no longer held (newest: {})", wanted, held.newest->version()));
      } else if (request.part >= shipment->num_parts()) {
        Refuse(waiting, base::ErrorKind::kBadInput,
               base::Format("weights: part {} of {}", request.part, shipment->num_parts()));
      } else {
        const bool has_base = request.has_weights && shipment->base_version() == request.have;
        waiting.reply.Send(schema::Encode(shipment->Part(request.part, has_base)));
      }
    } catch (const std::exception& error) {
      base::LogError("weights: version {} cannot be sent: {}", wanted, error.what());
      Refuse(waiting, base::ErrorKind::kBug, error.what());
    }
    return true;
  }

  void DropOldShipments(const WeightStore::State& held) {
    const auto is_held = [](const model::SharedWeights& weights, const auto& shipment) {
      return weights && weights->version() == shipment->version();
    };
    std::erase_if(shipments_, [&](const auto& shipment) {
      return !is_held(held.newest, shipment) && !is_held(held.previous, shipment);
    });
  }

  // The shipment of the named version, or of the newest; null when it is held no more.
  Shipment* Prepare(const schema::WeightRequest& request, const WeightStore::State& held) {
    const auto version = request.has_version ? request.version : held.newest->version();
    for (const auto& shipment : shipments_) {
      if (shipment->version() == version) return shipment.get();
    }
    if (version == held.newest->version()) {
      shipments_.push_back(std::make_unique<Shipment>(held.newest, held.previous, part_bytes_));
    } else if (held.previous && version == held.previous->version()) {
      shipments_.push_back(std::make_unique<Shipment>(held.previous, nullptr, part_bytes_));
    } else {
      return nullptr;
    }
    return shipments_.back().get();
  }

  static void Refuse(Waiting& waiting, base::ErrorKind kind, const std::string& reason) {
    waiting.reply.Send(schema::Encode(schema::FailureReply{{kind, reason}}));
  }

  const WeightStore& store_;
  const std::uint64_t part_bytes_;
  base::Guarded<Inbox> inbox_;
  std::atomic<std::size_t> num_waiting_{0};  // besides those of the inbox
  std::atomic<std::uint64_t> refused_{0};
  std::vector<std::unique_ptr<Shipment>> shipments_;
  std::thread thread_;
  net::Server server_;  // last: its thread uses the rest
};

WeightPublisher::WeightPublisher(const WeightStore& store, net::Context& context, const std::string& endpoint,
                                 const net::Security& security, std::int64_t part_bytes)
    : impl_(std::make_unique<Impl>(store, context, endpoint, security, part_bytes)) {}
WeightPublisher::~WeightPublisher() = default;

const std::string& WeightPublisher::endpoint() const {
  return impl_->endpoint();
}

std::uint64_t WeightPublisher::TakeRefused() {
  return impl_->TakeRefused();
}

}  // namespace autodidact::weights
