// What the keepers of a run agree on, and what each of its processes is told: endpoints, roles, keys. Never in argv,
// the environment, a log, or a file that others can read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "launch/config/placement.h"
#include "net/interfaces.h"
#include "net/net.h"

namespace autodidact::launch {

// Names of those of a run that are no roles.
inline constexpr const char* kSupervisor = "supervisor";
inline constexpr const char* kStarter = "starter";  // starts Open MPI's daemon on another host
std::string AgentName(std::size_t host);            // "agent-0"

// What one process needs to take part, and no more.
struct Ticket {
  std::string attempt;           // for the learner: by what the supervisor knows these ranks from earlier ones
  std::string name;              // as whom: a role, "learner", "starter"; empty: any of those in `keys`
  std::string learner;           // its endpoint
  std::string weights;           // where the learner gives out its weights; empty for others
  std::string supervisor;        // its endpoint; empty for a role
  std::string bind;              // where to listen: "tcp://10.0.0.1:40000-40100"; empty: to be found out
  std::string ports = "*";       // of the run
  std::vector<RolePlace> roles;  // for the learner: of the whole run
  std::map<std::string, net::KeyPair> keys;  // its own; "anchor" and "judge": what services of a kind share
  net::KeyRing known;

  // As `who`, a name in `keys`; Error(kBadInput) when it is not there.
  net::Security SecurityOf(const std::string& who) const;
};
// One line of JSON. Error(kBadInput) for a text that is no ticket; `where` names it.
std::string Encode(const Ticket& ticket);
Ticket ParseTicket(std::string_view text, const std::string& where);

// The first line of standard input. Error(kBadInput) when none comes by the deadline.
std::string TicketLine(base::Deadline deadline);

// What `--join` names: a ticket's file, which must be readable by its owner alone, or "-" for standard input.
Ticket ReadTicket(const std::string& where);

// At a place of its own, or in the place of an older one, readable by its owner alone. Error(kBadInput) naming the
// file.
void WriteTicket(const std::filesystem::path& file, const Ticket& ticket);

// In the folder of a run of several processes, as long as it lasts: the ticket for those who join it.
inline constexpr const char* kJoinersTicket = "join.ticket";

// The whole of it: keepers, supervisor and agents have it.
struct JobPlan {
  std::string binary;                  // this program
  std::string config_file;             // as the run was called
  std::vector<std::string> arguments;  // of `learner` besides: --set …, --resume …
  bool verbose = false;
  std::string ports = "*";
  std::vector<net::Interface> hosts;  // the address of each
  std::vector<RolePlace> roles;
  std::string supervisor;  // endpoints, whose ports the first keeper holds
  std::string learner;
  std::string weights;
  std::map<std::string, net::KeyPair> keys;  // of everybody, by name

  net::KeyRing Ring() const;
  std::string BindOn(std::size_t host) const;
  std::int64_t CountOf(std::string_view kind, std::size_t host) const;

  Ticket ForLearner(const std::string& attempt) const;
  Ticket ForStarter() const;
  Ticket ForRole(const RolePlace& role) const;
  // For who joins from elsewhere: keys of roles beyond those that are placed.
  Ticket ForJoiners() const;
  net::Security SecurityOf(const std::string& who) const;
};
// Error(kBadInput) for a text that is no plan, or lacks a host or the keys of somebody whom it names.
std::string Encode(const JobPlan& plan);
JobPlan ParsePlan(std::string_view text);

// Fresh keys of everybody that a plan names, and of some more of each kind for who joins later.
std::map<std::string, net::KeyPair> MakeKeys(const std::vector<RolePlace>& roles, std::size_t num_hosts);

}  // namespace autodidact::launch
