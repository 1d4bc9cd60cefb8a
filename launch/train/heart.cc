#include "launch/train/heart.h"

#include <unistd.h>

#include <array>
#include <utility>

#include "base/log.h"
#include "schema/codec.h"

namespace autodidact::launch {
namespace {

constexpr auto kInterval = std::chrono::seconds(1);
constexpr auto kReplyTimeout = std::chrono::seconds(5);
constexpr auto kSilence = std::chrono::seconds(60);

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown host";
}

}  // namespace

Heart::Heart(net::Client& learner, std::string role, std::string endpoint, std::function<Pulse()> pulse,
             std::function<void(const schema::Directory&)> on_directory, std::function<void()> on_over)
    : learner_(learner),
      role_(std::move(role)),
      endpoint_(std::move(endpoint)),
      pulse_(std::move(pulse)),
      on_directory_(std::move(on_directory)),
      on_over_(std::move(on_over)),
      thread_([this](const std::stop_token& stop) { Beat(stop); }) {}

Heart::~Heart() {
  thread_.request_stop();
  state_.With([](State& state) { state.stopping = true; });
}

std::string Heart::Lost() const {
  return state_.With([](const State& state) { return state.lost; });
}

void Heart::Beat(const std::stop_token& stop) {
  base::SetLogRole(role_);
  schema::Directory known;
  auto heard = base::Clock::now();
  while (!stop.stop_requested()) {
    Pulse pulse = pulse_();
    const schema::Heartbeat heartbeat{.role = role_,
                                      .endpoint = endpoint_,
                                      .host = HostName(),
                                      .pid = static_cast<std::uint32_t>(getpid()),
                                      .doing = std::move(pulse.doing),
                                      .progress = pulse.progress,
                                      .report = std::move(pulse.report)};
    const auto bytes = learner_.Call(schema::Encode(heartbeat), base::Deadline::In(kReplyTimeout), "heartbeat");
    if (bytes.ok()) {
      heard = base::Clock::now();
      const auto directory = schema::DecodeReply<schema::Directory>(*bytes);
      if (directory.ok() && !(*directory == known)) {
        known = *directory;
        on_directory_(known);
        if (known.state == schema::RunState::kFinished) on_over_();
      }
    } else if (base::Clock::now() - heard > kSilence) {
      state_.With([&](State& state) { state.lost = bytes.failure().reason; });
      on_over_();
      return;
    }
    state_.WaitUntil(base::Deadline::In(kInterval), [](const State& state) { return state.stopping; });
  }
}

}  // namespace autodidact::launch
