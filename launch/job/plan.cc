#include "launch/job/plan.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/fault.h"
#include "base/format.h"
#include "json/json.h"
#include "launch/job/reading.h"
#include "schema/validate.h"

namespace autodidact::launch {
namespace {

using json::Json;

constexpr const char* kServices[] = {"anchor", "judge"};
constexpr const char* kJoinable[] = {"actor", "anchor", "judge"};
// So many of each kind may join a run from elsewhere.
constexpr std::int64_t kJoiners = 32;
constexpr std::size_t kLongestTicket = 1 << 20;

std::string RoleNamed(const std::string& kind, std::int64_t index) {
  return base::Format("{}-{}", kind, index);
}

std::string KindOf(const std::string& name) {
  return name.substr(0, name.find('-'));
}

bool IsService(const std::string& kind) {
  return std::find(std::begin(kServices), std::end(kServices), kind) != std::end(kServices);
}

Json ToJson(const std::map<std::string, net::KeyPair>& keys) {
  Json object = Json::object();
  for (const auto& [name, pair] : keys) object[name] = {pair.public_key, pair.secret_key};
  return object;
}

Json ToJson(const std::vector<RolePlace>& roles) {
  Json list = Json::array();
  for (const RolePlace& role : roles) list.push_back({role.kind, role.index, role.host, role.device});
  return list;
}

std::vector<RolePlace> ReadRoles(const Json& list) {
  std::vector<RolePlace> roles;
  for (const Json& role : list) {
    roles.push_back(
        {role.at(0), ReadWhole<std::int64_t>(role.at(1), 0), ReadWhole<std::size_t>(role.at(2)), role.at(3)});
  }
  return roles;
}

std::map<std::string, net::KeyPair> ReadKeys(const Json& object) {
  std::map<std::string, net::KeyPair> keys;
  for (const auto& [name, pair] : object.items()) {
    keys[name] = {pair.at(0).get<std::string>(), pair.at(1).get<std::string>()};
  }
  return keys;
}

// Everybody of a run, and those who may join it.
std::vector<std::string> NamesIn(const std::vector<RolePlace>& roles, std::size_t num_hosts) {
  std::vector<std::string> names = {schema::kLearnerName, kSupervisor, kStarter};
  names.insert(names.end(), std::begin(kServices), std::end(kServices));
  for (std::size_t host = 0; host < num_hosts; ++host) names.push_back(AgentName(host));
  for (const char* kind : kJoinable) {
    const auto placed = std::count_if(roles.begin(), roles.end(), [&](const auto& role) { return role.kind == kind; });
    for (std::int64_t i = 0; i < placed + kJoiners; ++i) names.push_back(RoleNamed(kind, i));
  }
  return names;
}

// All that the plan's own functions ask of it.
void RequireWhole(const JobPlan& plan) {
  if (plan.hosts.empty()) base::ThrowBadInput("it names no host");
  for (const RolePlace& role : plan.roles) {
    const bool joinable = std::find(std::begin(kJoinable), std::end(kJoinable), role.kind) != std::end(kJoinable);
    const bool learns = role.kind == schema::kLearnerName;
    if (role.host >= plan.hosts.size() || !(learns || (joinable && plan.keys.contains(role.name())))) {
      base::ThrowBadInput(base::Format("{} on host {} has no host or no keys in it", role.name(), role.host));
    }
  }
  for (const std::string& name : NamesIn(plan.roles, plan.hosts.size())) {
    if (!plan.keys.contains(name)) base::ThrowBadInput(base::Format("it has no keys of {}", name));
  }
}

net::Security SecurityFrom(const std::map<std::string, net::KeyPair>& keys, net::KeyRing known,
                           const std::string& who) {
  const auto own = keys.find(who);
  if (own == keys.end()) base::ThrowBadInput(base::Format("the ticket has no key of {}", who));
  net::Security security{.own = own->second, .serving = std::nullopt, .known = std::move(known)};
  if (const auto serving = keys.find(KindOf(who)); serving != keys.end()) security.serving = serving->second;
  return security;
}

}  // namespace

std::string AgentName(std::size_t host) {
  return base::Format("agent-{}", host);
}

net::Security Ticket::SecurityOf(const std::string& who) const {
  return SecurityFrom(keys, known, who);
}

std::string Encode(const Ticket& ticket) {
  return json::Dump({{"attempt", ticket.attempt},
                     {"name", ticket.name},
                     {"learner", ticket.learner},
                     {"weights", ticket.weights},
                     {"supervisor", ticket.supervisor},
                     {"bind", ticket.bind},
                     {"ports", ticket.ports},
                     {"roles", ToJson(ticket.roles)},
                     {"keys", ToJson(ticket.keys)},
                     {"known", ticket.known}});
}

Ticket ParseTicket(std::string_view text, const std::string& where) {
  Ticket ticket = ReadObject(text, where, "a ticket of a run", [](const Json& object) {
    return Ticket{.attempt = object.at("attempt"),
                  .name = object.at("name"),
                  .learner = object.at("learner"),
                  .weights = object.at("weights"),
                  .supervisor = object.at("supervisor"),
                  .bind = object.at("bind"),
                  .ports = object.at("ports"),
                  .roles = ReadRoles(object.at("roles")),
                  .keys = ReadKeys(object.at("keys")),
                  .known = object.at("known").get<net::KeyRing>()};
  });
  if (const std::string why = net::WhyNoPeer(ticket.learner); !why.empty()) base::ThrowBadInput(where + ": " + why);
  net::ParsePortRange(ticket.ports);
  return ticket;
}

std::string TicketLine(base::Deadline deadline) {
  std::string line;
  while (line.size() <= kLongestTicket) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, static_cast<int>(std::max<std::int64_t>(0, deadline.Left().count()))) == 0) {
      base::ThrowBadInput("standard input: no ticket came in time");
    }
    // Byte by byte: what comes behind the line is another reader's.
    char byte = 0;
    const ssize_t got = base::FaultFails("job.ticket.read") ? -1 : read(STDIN_FILENO, &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) base::ThrowBadInput("standard input: it ended within the ticket");
    if (byte == '\n') return line;
    line += byte;
  }
  base::ThrowBadInput("standard input: the ticket is too long");
}

Ticket ReadTicket(const std::string& where) {
  if (where == "-") return ParseTicket(TicketLine(base::Deadline::In(std::chrono::seconds(30))), "standard input");
  struct stat about {};
  if (stat(where.c_str(), &about) != 0) base::ThrowBadInput(base::Format("{}: {}", where, strerror(errno)));
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    base::ThrowBadInput(
        base::Format("{}: others may read it, and whoever reads it may join the run: chmod 600", where));
  }
  return ParseTicket(json::ReadFile(where), where);
}

void WriteTicket(const std::filesystem::path& file, const Ticket& ticket) {
  const std::string text = Encode(ticket) + "\n";
  unlink(file.c_str());
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  const bool written = descriptor >= 0 && !base::FaultFails("job.ticket.write") &&
                       write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (descriptor >= 0) close(descriptor);
  if (written) return;
  if (descriptor >= 0) unlink(file.c_str());
  base::ThrowBadInput(base::Format("{}: {}", file.string(), strerror(error)));
}

net::KeyRing JobPlan::Ring() const {
  net::KeyRing ring;
  for (const auto& [name, pair] : keys) ring[name] = pair.public_key;
  return ring;
}

std::string JobPlan::BindOn(std::size_t host) const {
  return base::Format("tcp://{}:{}", hosts.at(host).address, ports);
}

std::int64_t JobPlan::CountOf(std::string_view kind, std::size_t host) const {
  return std::count_if(roles.begin(), roles.end(),
                       [&](const RolePlace& role) { return role.kind == kind && role.host == host; });
}

net::Security JobPlan::SecurityOf(const std::string& who) const {
  return SecurityFrom({{who, keys.at(who)}}, Ring(), who);
}

Ticket JobPlan::ForLearner(const std::string& attempt) const {
  return {.attempt = attempt,
          .name = schema::kLearnerName,
          .learner = learner,
          .weights = weights,
          .supervisor = supervisor,
          .bind = BindOn(0),
          .ports = ports,
          .roles = roles,
          .keys = {{schema::kLearnerName, keys.at(schema::kLearnerName)}},
          .known = Ring()};
}

Ticket JobPlan::ForStarter() const {
  return {.attempt = {},
          .name = kStarter,
          .learner = learner,
          .weights = {},
          .supervisor = supervisor,
          .bind = {},
          .ports = ports,
          .roles = {},
          .keys = {{kStarter, keys.at(kStarter)}},
          .known = {{kSupervisor, keys.at(kSupervisor).public_key}}};
}

Ticket JobPlan::ForRole(const RolePlace& role) const {
  Ticket ticket{.attempt = {},
                .name = role.name(),
                .learner = learner,
                .weights = {},
                .supervisor = {},
                .bind = BindOn(role.host),
                .ports = ports,
                .roles = {},
                .keys = {{role.name(), keys.at(role.name())}},
                .known = Ring()};
  if (IsService(role.kind)) ticket.keys[role.kind] = keys.at(role.kind);
  return ticket;
}

Ticket JobPlan::ForJoiners() const {
  Ticket ticket{.attempt = {},
                .name = {},
                .learner = learner,
                .weights = {},
                .supervisor = {},
                .bind = {},
                .ports = ports,
                .roles = {},
                .keys = {},
                .known = Ring()};
  for (const char* kind : kServices) ticket.keys[kind] = keys.at(kind);
  for (const char* kind : kJoinable) {
    const std::int64_t placed =
        std::count_if(roles.begin(), roles.end(), [&](const RolePlace& role) { return role.kind == kind; });
    for (std::int64_t i = placed; i < placed + kJoiners; ++i)
      ticket.keys[RoleNamed(kind, i)] = keys.at(RoleNamed(kind, i));
  }
  return ticket;
}

std::string Encode(const JobPlan& plan) {
  Json hosts = Json::array();
  for (const net::Interface& host : plan.hosts) hosts.push_back({host.name, host.address, host.prefix});
  return json::Dump({{"binary", plan.binary},
                     {"config_file", plan.config_file},
                     {"arguments", plan.arguments},
                     {"verbose", plan.verbose},
                     {"ports", plan.ports},
                     {"hosts", hosts},
                     {"roles", ToJson(plan.roles)},
                     {"supervisor", plan.supervisor},
                     {"learner", plan.learner},
                     {"weights", plan.weights},
                     {"keys", ToJson(plan.keys)}});
}

JobPlan ParsePlan(std::string_view text) {
  return ReadObject(text, "standard input", "the plan of a run", [](const Json& object) {
    JobPlan plan{.binary = object.at("binary"),
                 .config_file = object.at("config_file"),
                 .arguments = object.at("arguments").get<std::vector<std::string>>(),
                 .verbose = object.at("verbose"),
                 .ports = object.at("ports"),
                 .hosts = {},
                 .roles = ReadRoles(object.at("roles")),
                 .supervisor = object.at("supervisor"),
                 .learner = object.at("learner"),
                 .weights = object.at("weights"),
                 .keys = ReadKeys(object.at("keys"))};
    for (const Json& host : object.at("hosts")) {
      plan.hosts.push_back({host.at(0), host.at(1), ReadWhole<int>(host.at(2), 0, 32)});
    }
    RequireWhole(plan);
    return plan;
  });
}

std::map<std::string, net::KeyPair> MakeKeys(const std::vector<RolePlace>& roles, std::size_t num_hosts) {
  std::map<std::string, net::KeyPair> keys;
  for (const std::string& name : NamesIn(roles, num_hosts)) keys[name] = net::MakeKeyPair();
  return keys;
}

}  // namespace autodidact::launch
