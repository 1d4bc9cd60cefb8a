#include "membership/role_directory.h"

#include <chrono>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "net/net.h"

namespace autodidact::membership {
namespace {

constexpr std::string_view kInProcess = "inproc://";

double Seconds(base::Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

schema::Checked RoleDirectory::CheckConfig(std::uint64_t config) const {
  if (config_.config == 0 || config == config_.config) return std::nullopt;
  return schema::Refused{schema::Refusal::kConfig,
                         "its config is not that of the run; start it with the run folder's config.yaml"};
}

schema::Checked RoleDirectory::CheckEndpoint(const schema::Heartbeat& heartbeat) const {
  if (heartbeat.endpoint.empty()) return std::nullopt;
  std::string why = net::WhyNoPeer(heartbeat.endpoint);
  if (why.empty() && heartbeat.endpoint.starts_with(kInProcess) != config_.in_process) {
    why = base::Format("the endpoint is {}, expected one {}", heartbeat.endpoint,
                       config_.in_process ? "in this process" : "on the network");
  }
  if (why.empty()) return std::nullopt;
  return schema::Refused{schema::Refusal::kSender, heartbeat.role + ": " + why};
}

bool RoleDirectory::HasRoomFor(const std::string& role, Time now) {
  if (roles_.contains(role) || roles_.size() < config_.max_roles) return true;
  return std::erase_if(roles_, [&](const auto& entry) { return now - entry.second.heard > config_.silence; }) > 0;
}

schema::Checked RoleDirectory::Take(schema::Heartbeat heartbeat, Time now) {
  auto refused = schema::Check(heartbeat);
  if (!refused) refused = CheckConfig(heartbeat.config);
  if (!refused) refused = CheckEndpoint(heartbeat);
  if (!refused && !HasRoomFor(heartbeat.role, now)) {
    refused = schema::Refused{schema::Refusal::kSender, base::Format("{} roles are there already", config_.max_roles)};
  }
  if (refused) return refused;
  base::LogDebug("{}: {}, {} done", heartbeat.role, heartbeat.doing, heartbeat.progress);
  AddReport(heartbeat);
  const auto known = roles_.find(heartbeat.role);
  Time progressed = now;
  if (known == roles_.end()) {
    base::LogInfo("{} joined from {} (pid {})", heartbeat.role, heartbeat.host, heartbeat.pid);
  } else if (known->second.last.progress == heartbeat.progress) {
    progressed = known->second.progressed;
  }
  const std::string role = heartbeat.role;
  roles_[role] = {std::move(heartbeat), now, progressed};
  return std::nullopt;
}

void RoleDirectory::AddReport(const schema::Heartbeat& heartbeat) {
  for (const auto& [name, value] : heartbeat.report) {
    if (schema::FindReported(heartbeat.kind, name)->adds_up) {
      counts_[name] += value;
    } else {
      means_.Add(name, value);
    }
  }
}

bool RoleDirectory::IsReplaced(const schema::Heartbeat& heartbeat) const {
  const auto known = roles_.find(heartbeat.role);
  if (known == roles_.end()) return false;
  return known->second.last.pid != heartbeat.pid || known->second.last.host != heartbeat.host;
}

std::vector<std::string> RoleDirectory::Silent(schema::RoleKind kind, Time now) const {
  std::vector<std::string> silent;
  for (const auto& [name, role] : roles_) {
    if (role.last.kind == kind && now - role.heard > config_.silence) silent.push_back(name);
  }
  return silent;
}

std::vector<std::string> RoleDirectory::EndpointsOf(schema::RoleKind kind, Time now) const {
  std::vector<std::string> endpoints;
  for (const auto& [name, role] : roles_) {
    if (role.last.kind == kind && now - role.heard <= config_.silence) endpoints.push_back(role.last.endpoint);
  }
  return endpoints;
}

base::Metrics RoleDirectory::TakeReports() {
  base::Metrics reports = std::exchange(means_, {}).Means();
  reports.merge(std::exchange(counts_, {}));
  return reports;
}

std::string RoleDirectory::Describe(Time now) const {
  if (roles_.empty()) return "no role was ever heard of";
  std::string text;
  for (const auto& [name, role] : roles_) {
    text +=
        base::Format("{}{} on {} last heard {:.0f} s ago, {}, nothing done for {:.0f} s", text.empty() ? "" : "; ",
                     name, role.last.host, Seconds(now - role.heard), role.last.doing, Seconds(now - role.progressed));
  }
  return text;
}

}  // namespace autodidact::membership
