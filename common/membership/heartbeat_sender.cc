#include "membership/heartbeat_sender.h"

#include <unistd.h>

#include <array>
#include <exception>
#include <utility>

#include "base/fault.h"
#include "base/log.h"
#include "schema/codec.h"
#include "schema/validate.h"

namespace autodidact::membership {
namespace {

// Different things that are logged as passed over; whoever sends more of them is not to fill the disk.
constexpr std::size_t kMaxPassedOver = 100;

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown host";
}

// The directory that a learner replied with, or why it is of no use: kBadInput where sending again cannot help.
base::Outcome<schema::Directory> ReadDirectory(const base::Outcome<std::string>& bytes) {
  if (!bytes.ok()) return base::Failure{base::ErrorKind::kRetryLater, bytes.failure().reason};
  schema::Message reply;
  try {
    reply = schema::Decode(*bytes);
  } catch (const base::Error& error) {
    return base::Failure{base::ErrorKind::kRetryLater, error.message()};
  }
  if (auto* directory = std::get_if<schema::Directory>(&reply)) {
    if (const auto refused = schema::Check(*directory)) {
      return base::Failure{base::ErrorKind::kRetryLater, refused->text};
    }
    return std::move(*directory);
  }
  if (const auto* refused = std::get_if<schema::Refused>(&reply)) {
    const bool for_good = refused->why == schema::Refusal::kConfig;
    return base::Failure{for_good ? base::ErrorKind::kBadInput : base::ErrorKind::kRetryLater,
                         "the learner refused the heartbeat: " + refused->text};
  }
  return base::Failure{base::ErrorKind::kRetryLater,
                       std::string("the learner answered the heartbeat with a ") + schema::Name(reply)};
}

}  // namespace

std::string RoleName(schema::RoleKind kind, std::int64_t index) {
  return base::Format("{}-{}", schema::Name(kind), index);
}

HeartbeatSender::HeartbeatSender(net::Client& learner, MemberConfig config, std::function<Status()> status,
                                 std::function<void(const schema::Directory&)> on_directory,
                                 std::function<void()> on_over)
    : learner_(learner),
      config_(std::move(config)),
      status_(std::move(status)),
      on_directory_(std::move(on_directory)),
      on_over_(std::move(on_over)),
      thread_(base::StartThread("membership.heartbeat.thread", [this](const std::stop_token& stop) { Run(stop); })) {}

HeartbeatSender::~HeartbeatSender() {
  thread_.request_stop();
  state_.With([](State& state) { state.stopping = true; });
}

std::optional<base::Failure> HeartbeatSender::Lost() const {
  return state_.With([](const State& state) { return state.lost; });
}

void HeartbeatSender::Run(const std::stop_token& stop) {
  base::SetLogRole(config_.name());
  while (!stop.stop_requested()) {
    try {
      if (!SendOne()) return;
    } catch (const std::exception& error) {
      PassOver(error.what());
    }
    state_.WaitUntil(base::Deadline::In(config_.interval), [](const State& state) { return state.stopping; });
  }
}

bool HeartbeatSender::SendOne() {
  Status status = status_();
  const schema::Heartbeat heartbeat{.role = config_.name(),
                                    .kind = config_.kind,
                                    .config = config_.config,
                                    .endpoint = config_.endpoint,
                                    .host = HostName(),
                                    .pid = static_cast<std::uint32_t>(getpid()),
                                    .doing = std::move(status.doing),
                                    .progress = status.progress,
                                    .report = std::move(status.report)};
  auto directory =
      ReadDirectory(learner_.Call(schema::Encode(heartbeat), base::Deadline::In(config_.reply_timeout), "heartbeat"));
  if (directory.ok()) {
    Take(std::move(*directory));
    return true;
  }
  const base::Failure& failure = directory.failure();
  if (failure.kind == base::ErrorKind::kBadInput) {
    Lose({failure.kind, config_.name() + ": " + failure.reason});
    return false;
  }
  PassOver(failure.reason);
  if (base::Clock::now() - heard_ <= config_.silence) return true;
  Lose({base::ErrorKind::kDisconnected, "the learner fell silent: " + failure.reason});
  return false;
}

void HeartbeatSender::Take(schema::Directory directory) {
  heard_ = base::Clock::now();
  const auto unusable = [&](const std::string& endpoint) {
    const std::string why = net::WhyNoPeer(endpoint);
    if (!why.empty()) PassOver("the directory: " + why);
    return !why.empty();
  };
  std::erase_if(directory.anchors, unusable);
  std::erase_if(directory.judges, unusable);
  if (!directory.weights.empty() && unusable(directory.weights)) directory.weights.clear();
  if (directory == known_) return;
  const bool was_over = known_.state == schema::RunState::kFinished;
  known_ = std::move(directory);
  on_directory_(known_);
  if (known_.state == schema::RunState::kFinished && !was_over) on_over_();
}

void HeartbeatSender::PassOver(const std::string& what) {
  if (passed_over_.size() < kMaxPassedOver && passed_over_.insert(what).second) base::LogWarning("{}", what);
}

void HeartbeatSender::Lose(base::Failure failure) {
  state_.With([&](State& state) { state.lost = std::move(failure); });
  on_over_();
}

}  // namespace autodidact::membership
