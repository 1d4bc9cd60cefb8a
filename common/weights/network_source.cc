#include <atomic>
#include <thread>

#include "base/check.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/wait_log.h"
#include "schema/codec.h"
#include "schema/validate.h"
#include "weights/assembly.h"
#include "weights/weights.h"

namespace autodidact::weights {
namespace {

// How long the publisher holds a question for a version that is not there yet, and how long a reply may take besides.
constexpr base::Milliseconds kHold{5'000};
constexpr base::Milliseconds kReply{60'000};
// After a failure; also ended by the destructor.
constexpr base::Milliseconds kPause{50};
// Parts that are asked for before the first of them has arrived.
constexpr std::size_t kAhead = 3;

// Where replies of the client's thread meet the thread that waits for them. Shared, since a reply may come late.
using Answer = std::optional<base::Outcome<std::string>>;
struct Mailbox {
  struct State {
    std::map<std::uint64_t, Answer> answers;  // by question
    std::uint64_t oldest = 0;                 // answers to questions before this one are not wanted any more
    bool stopping = false;
  };
  base::Guarded<State> state;
};

class NetworkSource final : public WeightSource {
 public:
  NetworkSource(net::Context& context, const std::string& endpoint, const net::Security& security,
                const model::ModelConfig& config, at::Device device)
      : config_(config),
        device_(device),
        client_(context, {endpoint}, security,
                {.name = base::LogRole(),
                 .peer = "weight publisher",
                 .retry_after = kReply,
                 .server = schema::kLearnerName}) {
    thread_ = base::StartThread<std::thread>("weights.source.thread", [this, role = base::LogRole()] {
      base::SetLogRole(role);
      Run();
    });
  }

  ~NetworkSource() override {
    mailbox_->state.With([](Mailbox::State& state) { state.stopping = true; });
    thread_.join();
  }

  base::Outcome<model::SharedWeights> Fetch(schema::WeightVersion min_version, base::Deadline deadline) override {
    const auto since = base::Clock::now();
    const auto there = [&](const Arrived& arrived) {
      return arrived.weights && arrived.weights->version() >= min_version;
    };
    const bool found = base::WaitTold(
        deadline, [&] { return base::Format("weights of version {}", min_version); },
        [&](base::Deadline until) { return arrived_.WaitUntil(until, there); });
    const Arrived arrived = std::as_const(arrived_).With([](const Arrived& it) { return it; });
    if (found) return arrived.weights;
    return base::Failure{
        base::ErrorKind::kRetryLater,
        base::Format("weights: version {} did not arrive within {:.1f} s (newest: {}{})", min_version,
                     base::SecondsSince(since), arrived.weights ? std::to_string(arrived.weights->version()) : "none",
                     arrived.problem.empty() ? "" : "; " + arrived.problem)};
  }

  schema::WeightVersion newest() const override {
    return arrived_.With([](const Arrived& arrived) { return arrived.weights ? arrived.weights->version() : 0; });
  }
  double transfer_seconds() const override { return seconds_; }
  std::uint64_t transfer_bytes() const override { return bytes_; }

 private:
  struct Arrived {
    model::SharedWeights weights;
    std::string problem;  // of the last attempt; empty after a success
  };
  struct Stopped {};

  void Run() {
    try {
      while (true) Attempt();
    } catch (const Stopped&) {
    }
  }

  // One exchange: the next version, or none for now, or a problem.
  void Attempt() {
    mailbox_->state.With([&](Mailbox::State& state) {
      state.oldest = next_question_;
      state.answers.clear();
    });
    try {
      schema::WeightRequest request;
      request.has_weights = host_.has_value() && !whole_;
      request.have = request.has_weights ? host_version_ : 0;
      request.min_version = host_ ? host_version_ + 1 : 0;
      request.wait_milliseconds = kHold.count();
      auto first = Take(Ask(request));
      if (!first.ok()) return Pause(first.failure().reason);
      Receive(request, *first);
    } catch (const Stopped&) {
      throw;
    } catch (const std::exception& error) {  // whatever came: a set that is of no use
      whole_ = true;
      base::LogWarning("{}; fetching it again whole", error.what());
      Pause(error.what());
    }
  }

  void Receive(schema::WeightRequest request, const schema::WeightPart& first) {
    const auto start = base::Clock::now();
    Assembly assembly(first, config_, host_ ? &*host_ : nullptr, host_version_);
    if (host_ && assembly.version() <= host_version_) {
      base::ThrowBadInput(base::Format("weights: got version {} after {}", assembly.version(), host_version_));
    }
    request.has_version = true;
    request.version = assembly.version();
    request.wait_milliseconds = 0;
    std::map<std::uint32_t, std::uint64_t> asked;  // part -> question
    std::uint32_t next_to_ask = 1;
    for (std::uint32_t part = 1; part < assembly.num_parts(); ++part) {
      for (; next_to_ask < assembly.num_parts() && next_to_ask < part + kAhead; ++next_to_ask) {
        request.part = next_to_ask;
        asked[next_to_ask] = Ask(request);
      }
      auto message = Take(asked[part]);
      if (!message.ok()) {
        seconds_ = seconds_ + base::SecondsSince(start);
        return Pause(message.failure().reason);
      }
      assembly.Add(*message);
    }
    Keep(assembly.Finish(), assembly.version());
    seconds_ = seconds_ + base::SecondsSince(start);
  }

  void Keep(FlatSet set, schema::WeightVersion version) {
    model::Parameters parameters = set.parameters();
    for (auto& [name, tensor] : parameters) tensor = tensor.to(device_);
    auto weights = std::make_shared<const model::WeightSet>(config_, std::move(parameters), version);
    host_.emplace(std::move(set));
    host_version_ = version;
    whole_ = false;
    arrived_.With([&](Arrived& arrived) { arrived = {std::move(weights), ""}; });
  }

  // Before the next attempt.
  void Pause(const std::string& problem) {
    arrived_.With([&](Arrived& arrived) { arrived.problem = problem; });
    const auto stopping = [](const Mailbox::State& state) { return state.stopping; };
    if (mailbox_->state.WaitUntil(base::Deadline::In(kPause), stopping)) throw Stopped();
  }

  std::uint64_t Ask(const schema::WeightRequest& request) {
    const std::uint64_t question = next_question_++;
    const auto deadline = base::Deadline::In(kReply + base::Milliseconds(request.wait_milliseconds));
    const auto doing = base::Format("weights, part {}", request.part);
    client_.CallAsync(schema::Encode(request), deadline, doing,
                      [mailbox = mailbox_, question](base::Outcome<std::string> reply) {
                        mailbox->state.With([&](Mailbox::State& state) {
                          if (question >= state.oldest) state.answers[question] = std::move(reply);
                        });
                      });
    return question;
  }

  // Blocks until the answer (every call has a deadline, so there will be one) or the destructor.
  base::Outcome<schema::WeightPart> Take(std::uint64_t question) {
    const auto there = [&](const Mailbox::State& state) { return state.stopping || state.answers.contains(question); };
    while (!mailbox_->state.WaitUntil(base::Deadline::In(kReply), there)) continue;
    auto reply = mailbox_->state.With([&](Mailbox::State& state) -> base::Outcome<std::string> {
      if (state.stopping) throw Stopped();
      auto found = std::move(state.answers.extract(question).mapped());
      return std::move(*found);
    });
    if (!reply.ok()) return reply.failure();
    bytes_ += reply->size();
    return schema::DecodeReply<schema::WeightPart>(*reply);
  }

  const model::ModelConfig config_;
  const at::Device device_;
  base::Guarded<Arrived> arrived_;
  std::atomic<double> seconds_{0};
  std::atomic<std::uint64_t> bytes_{0};
  const std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();

  // Of the thread.
  std::uint64_t next_question_ = 0;
  std::optional<FlatSet> host_;  // the newest set, on the CPU: the base of the next delta
  schema::WeightVersion host_version_ = 0;
  bool whole_ = false;  // after a set that did not verify, no delta

  std::thread thread_;
  net::Client client_;
};

}  // namespace

std::unique_ptr<WeightSource> MakeNetworkSource(net::Context& context, const std::string& endpoint,
                                                const net::Security& security, const model::ModelConfig& config,
                                                at::Device device) {
  return std::make_unique<NetworkSource>(context, endpoint, security, config, device);
}

}  // namespace autodidact::weights
