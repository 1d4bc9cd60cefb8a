#include "launch/train/stop_line.h"

#include <charconv>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "base/fault.h"
#include "base/log.h"
#include "process/child.h"
#include "schema/validate.h"

namespace autodidact::launch {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(200);
constexpr auto kReplyTimeout = std::chrono::seconds(2);
constexpr auto kUnheard = std::chrono::seconds(6);

std::string Encode(const process::Ending& ending) {
  return std::to_string(ending.requested().value_or(0));
}

// Nothing for bytes that no desk or line sends, and for "nothing was requested".
std::optional<int> Decode(const std::string& bytes) {
  int signal = 0;
  const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), signal);
  if (error != std::errc() || end != bytes.data() + bytes.size() || signal <= 0 || signal > 64) return std::nullopt;
  return signal;
}

}  // namespace

StopDesk::StopDesk(net::Context& context, const std::string& bind, const net::Security& security,
                   process::Ending& ending)
    : server_(context, bind, security, [&ending](net::Incoming incoming) {
        if (const auto signal = Decode(incoming.bytes)) ending.Request(*signal);
        incoming.reply.Send(Encode(ending));
      }) {}

StopLine::StopLine(net::Context& context, const std::string& desk, const net::Security& security,
                   process::Ending& ending)
    : ending_(ending),
      client_(
          context, {desk}, security,
          {.name = "rank", .peer = "rank 0", .retry_after = std::chrono::hours(24), .server = schema::kLearnerName}),
      thread_(base::StartThread("train.stop_line.thread", [this](const std::stop_token& stop) { Talk(stop); })) {}

StopLine::~StopLine() {
  thread_.request_stop();
  client_.Close();
}

void StopLine::Talk(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any over;
  auto heard = base::Clock::now();
  while (!stop.stop_requested()) {
    const auto own = ending_.requested();
    const auto reply = client_.Call(Encode(ending_), base::Deadline::In(kReplyTimeout), "signals");
    if (reply.ok()) {
      heard = base::Clock::now();
      if (const auto signal = Decode(*reply)) ending_.Request(*signal);
    } else if (own && !stop.stop_requested() && base::Clock::now() - heard > kUnheard) {
      base::LogError("rank 0 does not answer: ended without it");
      process::EndNow(process::ExitCodeAfter(*own));
    }
    std::unique_lock lock(mutex);
    over.wait_for(lock, stop, kInterval, [] { return false; });
  }
}

}  // namespace autodidact::launch
