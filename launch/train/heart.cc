#include "launch/train/heart.h"

#include <unistd.h>

#include <array>
#include <exception>
#include <utility>

#include "base/log.h"
#include "schema/codec.h"
#include "schema/validate.h"

namespace autodidact::launch {
namespace {

// Different things that are logged as passed over; whoever sends more of them is not to fill the disk.
constexpr std::size_t kMaxPassedOver = 100;

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown host";
}

}  // namespace

Heart::Heart(net::Client& learner, HeartConfig config, std::function<Pulse()> pulse,
             std::function<void(const schema::Directory&)> on_directory, std::function<void()> on_over)
    : learner_(learner),
      config_(std::move(config)),
      pulse_(std::move(pulse)),
      on_directory_(std::move(on_directory)),
      on_over_(std::move(on_over)),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

Heart::~Heart() {
  thread_.request_stop();
  state_.With([](State& state) { state.stopping = true; });
}

std::optional<base::Failure> Heart::Lost() const {
  return state_.With([](const State& state) { return state.lost; });
}

void Heart::Run(const std::stop_token& stop) {
  base::SetLogRole(config_.role);
  while (!stop.stop_requested()) {
    try {
      if (!Beat()) return;
    } catch (const std::exception& error) {
      PassOver(error.what());
    }
    state_.WaitUntil(base::Deadline::In(config_.interval), [](const State& state) { return state.stopping; });
  }
}

bool Heart::Beat() {
  Pulse pulse = pulse_();
  const schema::Heartbeat heartbeat{.role = config_.role,
                                    .kind = config_.kind,
                                    .config = config_.config,
                                    .endpoint = config_.endpoint,
                                    .host = HostName(),
                                    .pid = static_cast<std::uint32_t>(getpid()),
                                    .doing = std::move(pulse.doing),
                                    .progress = pulse.progress,
                                    .report = std::move(pulse.report)};
  const auto bytes = learner_.Call(schema::Encode(heartbeat), base::Deadline::In(config_.reply_timeout), "heartbeat");
  std::string why = bytes.ok() ? "" : bytes.failure().reason;
  if (bytes.ok()) {
    schema::Message reply;
    try {
      reply = schema::Decode(*bytes);
    } catch (const base::Error& error) {
      why = error.message();
    }
    if (auto* directory = std::get_if<schema::Directory>(&reply); directory && why.empty()) {
      const auto refused = schema::Check(*directory);
      if (!refused) return Take(std::move(*directory));
      why = refused->text;
    } else if (const auto* refused = std::get_if<schema::Refused>(&reply)) {
      why = "the learner refused the heartbeat: " + refused->text;
      if (refused->why == schema::Refusal::kConfig) {
        Lose({base::ErrorKind::kBadInput, "the learner refused " + config_.role + ": " + refused->text});
        return false;
      }
    } else if (why.empty()) {
      why = std::string("the learner answered the heartbeat with a ") + schema::Name(reply);
    }
    PassOver(why);
  }
  if (base::Clock::now() - heard_ <= config_.silence) return true;
  Lose({base::ErrorKind::kDisconnected, "the learner fell silent: " + why});
  return false;
}

bool Heart::Take(schema::Directory directory) {
  heard_ = base::Clock::now();
  const auto unusable = [&](const std::string& endpoint) {
    const std::string why = net::WhyNoPeer(endpoint, config_.with_keys);
    if (!why.empty()) PassOver("the directory: " + why);
    return !why.empty();
  };
  std::erase_if(directory.anchors, unusable);
  std::erase_if(directory.judges, unusable);
  if (!directory.weights.empty() && unusable(directory.weights)) directory.weights.clear();
  if (directory == known_) return true;
  const bool was_over = known_.state == schema::RunState::kFinished;
  known_ = std::move(directory);
  on_directory_(known_);
  if (known_.state == schema::RunState::kFinished && !was_over) on_over_();
  return true;
}

void Heart::PassOver(const std::string& what) {
  if (passed_over_.size() < kMaxPassedOver && passed_over_.insert(what).second) base::LogWarning("{}", what);
}

void Heart::Lose(base::Failure failure) {
  state_.With([&](State& state) { state.lost = std::move(failure); });
  on_over_();
}

}  // namespace autodidact::launch
