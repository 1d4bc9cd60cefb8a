#include "launch/job/supervisor_line.h"

#include <csignal>

#include "base/fault.h"
#include "base/log.h"
#include "base/wait_log.h"
#include "process/child.h"
#include "schema/validate.h"

namespace autodidact::launch {

SupervisorLine::SupervisorLine(net::Context& context, const Ticket& ticket, process::Ending& ending)
    : ending_(ending),
      report_(Report{.attempt = ticket.attempt}),
      client_(context, {ticket.supervisor}, ticket.SecurityOf(schema::kLearnerName),
              {.name = schema::kLearnerName, .peer = kSupervisor, .server = kSupervisor}),
      thread_(base::StartThread("job.line.thread", [this](const std::stop_token& stop) { Talk(stop); })) {}

SupervisorLine::~SupervisorLine() {
  thread_.request_stop();
  client_.Close();
}

void SupervisorLine::TellOpen(const std::string& config) {
  report_.With([&](Report& report) {
    report.open = true;
    report.config = config;
  });
}

void SupervisorLine::TellEnd(int code, bool roles_leave, base::Deadline deadline) {
  report_.With([&](Report& report) {
    report.code = code;
    report.over = roles_leave;
  });
  const auto done = [&](const Heard& heard) { return heard.code && (heard.released || !roles_leave); };
  const auto wait = [&](base::Deadline until) { return heard_.WaitUntil(until, done); };
  if (!base::WaitTold(
          deadline, [] { return "the supervisor to hear of the end, and the roles to leave"; }, wait))
    base::LogWarning("the supervisor did not hear of the end, or not all roles left");
}

void SupervisorLine::Talk(const std::stop_token& stop) {
  auto heard = base::Clock::now();
  while (!stop.stop_requested()) {
    const Report report = report_.With([&](Report& it) {
      it.signal = ending_.requested().value_or(0);
      return it;
    });
    const auto reply = client_.Call(Encode(report), base::Deadline::In(kReportTimeout), "report");
    try {
      if (reply.ok()) {
        heard = base::Clock::now();
        const Orders orders = ParseOrders(*reply);
        if (orders.phase == RunPhase::kGone) {
          base::LogWarning("other ranks have taken the place of these: ended");
          process::EndNow(process::kExitFailed);
        }
        if (orders.signal != 0) ending_.Request(orders.signal);
        heard_.With([&](Heard& it) {
          it.code = report.code.has_value();
          it.released = orders.phase == RunPhase::kOver;
        });
      }
    } catch (const base::Error& error) {
      base::LogError("{}", error.message());
    }
    if (base::Clock::now() - heard > kReportSilence && !stop.stop_requested()) {
      base::LogError("the supervisor of this run is gone: {}", reply.ok() ? "" : reply.failure().reason);
      ending_.Request(SIGTERM);
    }
    report_.WaitUntil(base::Deadline::In(kReportInterval),
                      [&](const Report& it) { return stop.stop_requested() || it.code != report.code; });
  }
}

}  // namespace autodidact::launch
