#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/fault.h"
#include "base/format.h"
#include "base/guarded.h"
#include "base/log.h"
#include "launch/job/job.h"
#include "launch/job/orders.h"
#include "net/net.h"
#include "process/child.h"
#include "process/lifeline.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

constexpr auto kFirstRestart = std::chrono::milliseconds(500);
constexpr auto kLongestRestart = std::chrono::milliseconds(30'000);
constexpr auto kSteadyRole = std::chrono::seconds(10);  // a role that lived so long is restarted soon again
constexpr auto kLookForStop = std::chrono::milliseconds(100);
constexpr auto kRoleGrace = std::chrono::seconds(2);
// For roles to leave by themselves once the run is over.
constexpr auto kLeaving = std::chrono::seconds(5);
// A role that has left is started again where the run is not over for all within this time.
constexpr auto kOverForGood = std::chrono::milliseconds(3'000);

void SleepUnless(const std::stop_token& stop, base::Milliseconds duration) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, duration, [] { return false; });
}

// The roles of a host, each as a child that is started again whenever it ends, until Stop.
class HostRoles {
 public:
  explicit HostRoles(const JobPlan& plan) : plan_(plan) {}
  ~HostRoles() { Stop(); }
  HostRoles(const HostRoles&) = delete;
  HostRoles& operator=(const HostRoles&) = delete;

  // `config`: the run's own, beside whose folder the logs go.
  void Start(std::size_t host, const std::string& config) {
    for (const RolePlace& role : plan_.roles) {
      if (role.host != host || role.kind == "learner") continue;
      running_.With([](int& running) { ++running; });
      threads_.push_back(base::StartThread("job.role.thread", [this, role, config](const std::stop_token& stop) {
        base::SetLogRole("agent of " + role.name());
        try {
          KeepAlive(role, config, stop);
        } catch (const base::Error& error) {
          failure_.With([&](std::string& first) {
            if (first.empty()) first = error.message();
          });
        }
        running_.With([](int& running) { --running; });
      }));
    }
  }

  bool WaitUntilLeft(base::Deadline deadline) const {
    return running_.WaitUntil(deadline, [](int running) { return running == 0; });
  }
  // Ends those that are left.
  void Stop() {
    for (std::jthread& thread : threads_) thread.request_stop();
    threads_.clear();
  }

  // Why a role cannot be kept alive, the first of them; empty: all can.
  std::string failure() const {
    return failure_.With([](const std::string& first) { return first; });
  }

 private:
  process::ChildOptions OptionsOf(const RolePlace& role, const std::string& config) const {
    std::vector<std::string> argv = {plan_.binary};
    if (plan_.verbose) argv.emplace_back("--verbose");
    argv.insert(argv.end(), {role.kind, config, "--join", "-", "--set", "device=" + role.device});
    return {.what = role.name(),
            .argv = argv,
            .environment = process::EnvironmentWithoutMpi(),
            .working_directory = {},
            .output = process::ChildOptions::Output::kFile,
            .output_file = LogOf(role, config),
            .feed = true};
  }

  static fs::path LogOf(const RolePlace& role, const std::string& config) {
    const fs::path folder = fs::path(config).parent_path() / "logs";
    fs::create_directories(folder);
    return folder / (role.name() + ".log");
  }

  void KeepAlive(const RolePlace& role, const std::string& config, const std::stop_token& stop) {
    base::Milliseconds pause = kFirstRestart;
    while (!stop.stop_requested()) {
      const auto started = base::Clock::now();
      process::Child child(OptionsOf(role, config));
      child.Write(Encode(plan_.ForRole(role)) + "\n");
      base::LogInfo("{} runs as process {}", role.name(), child.pid());
      std::optional<process::ExitStatus> status;
      while (!status && !stop.stop_requested()) status = child.Wait(base::Deadline::In(kLookForStop));
      if (!status) {
        child.Terminate(kRoleGrace);
        return;
      }
      if (status->ok()) {
        // It heard that the run is over. From ranks that were dying, perhaps: others may take their place.
        running_.With([](int& running) { --running; });
        SleepUnless(stop, kOverForGood);
        running_.With([](int& running) { ++running; });
        continue;
      }
      if (!status->by_signal && status->code == process::kExitBadInput) {
        base::ThrowBadInput(base::Format("{} refused its input; see {}", role.name(), LogOf(role, config).string()));
      }
      if (base::Clock::now() - started > kSteadyRole) pause = kFirstRestart;
      base::LogWarning("{} ended ({}); starting it again in {:.1f} s", role.name(), status->Describe(),
                       std::chrono::duration<double>(pause).count());
      SleepUnless(stop, pause);
      pause = std::min<base::Milliseconds>(2 * pause, kLongestRestart);
    }
  }

  const JobPlan& plan_;
  base::Guarded<int> running_{0};
  base::Guarded<std::string> failure_;
  std::list<std::jthread> threads_;
};

// Open MPI's daemons for the learner's ranks of this host.
class Daemons {
 public:
  Launched Start(const Launch& launch) {
    try {
      children_.emplace_back(process::ChildOptions{.what = "Open MPI's daemon",
                                                   .argv = {"/bin/sh", "-c", launch.command},
                                                   .environment = process::EnvironmentWithoutMpi(),
                                                   .working_directory = {},
                                                   .deaf = true});
      return {launch.id, ""};
    } catch (const base::Error& error) {
      return {launch.id, error.message()};
    }
  }

 private:
  std::list<process::Child> children_;
};

}  // namespace

int RunAgent(const JobPlan& plan, std::size_t host, process::Ending& ending) {
  const std::string name = AgentName(host);
  base::SetLogRole(name);
  const process::Ending::Saving saving(ending, "stopping; the learner saves the steps that are done as a checkpoint");
  const process::Lifeline lifeline([&] {
    ending.Request(SIGTERM);
    ending.EndBy(base::Deadline::In(kWithoutKeeper), process::kExitFailed);
  });
  net::Context context;
  net::Client supervisor(context, {plan.supervisor}, plan.SecurityOf(name),
                         {.name = name, .peer = kSupervisor, .server = kSupervisor});
  HostRoles roles(plan);
  Daemons daemons;
  Report report;
  bool started = false;
  auto heard = base::Clock::now();
  while (true) {
    report.signal = ending.requested().value_or(0);
    report.failure = roles.failure();
    const auto reply = supervisor.Call(Encode(report), base::Deadline::In(kReportTimeout), "report");
    if (!reply.ok()) {
      if (base::Clock::now() - heard < kReportSilence) continue;
      base::LogError("the supervisor of this run is gone: {}", reply.failure().reason);
      return process::kExitFailed;
    }
    heard = base::Clock::now();
    report.launched.clear();
    const Orders orders = ParseOrders(*reply);
    // Open MPI's daemons are needed until the learner's ranks have left.
    if (report.done && orders.phase == RunPhase::kGone) return process::kExitDone;
    for (const Launch& launch : orders.launches) report.launched.push_back(daemons.Start(launch));
    if (orders.phase == RunPhase::kOpen && !started) {
      roles.Start(host, orders.config);
      started = true;
    }
    if (!report.done && (orders.phase == RunPhase::kOver || orders.phase == RunPhase::kGone)) {
      if (orders.phase == RunPhase::kOver) roles.WaitUntilLeft(base::Deadline::In(kLeaving));
      roles.Stop();
      report.done = true;
      continue;
    }
    SleepUnless({}, kReportInterval);
  }
}

}  // namespace autodidact::launch
