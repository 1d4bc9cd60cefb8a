#include <chrono>
#include <cstdio>

#include "base/error.h"
#include "base/log.h"
#include "launch/job/job.h"
#include "launch/job/orders.h"
#include "net/net.h"

namespace autodidact::launch {
namespace {

constexpr auto kStarted = std::chrono::seconds(30);

}  // namespace

int StartOn(const std::string& ticket_file, const std::vector<std::string>& host_and_command) {
  base::SetLogRole(kStarter);
  const Ticket ticket = ReadTicket(ticket_file);
  std::string command;
  for (std::size_t i = 1; i < host_and_command.size(); ++i) command += (i > 1 ? " " : "") + host_and_command[i];
  if (command.empty()) base::ThrowBadInput("start-on: expected a host and a command");
  net::Context context;
  net::Client supervisor(context, {ticket.supervisor}, ticket.SecurityOf(kStarter),
                         {.name = kStarter, .peer = kSupervisor, .server = kSupervisor});
  const auto reply =
      supervisor.Call(Encode(StartRequest{host_and_command.front(), command}), base::Deadline::In(kStarted), "start");
  const std::string failure = reply.ok() ? *reply : reply.failure().reason;
  if (failure.empty()) return process::kExitDone;
  base::LogError("{}: {}", host_and_command.front(), failure);
  return process::kExitFailed;
}

}  // namespace autodidact::launch
