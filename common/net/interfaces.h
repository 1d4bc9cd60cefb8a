// The addresses by which the hosts of a run reach each other: what a host has, and which of it a run takes. IPv4.
#pragma once

#include <string>
#include <vector>

namespace autodidact::net {

// One address of one network interface; an interface with two addresses is there twice.
struct Interface {
  std::string name;     // "eth0"
  std::string address;  // "10.0.0.1"
  int prefix = 24;      // bits of its network: 0 to 32

  bool operator==(const Interface&) const = default;
};

// The network of the address: "10.0.0.0/24".
std::string NetworkOf(const Interface& interface);

// What this host has: interfaces that are up, without the loopback, in the kernel's order. Error(kRetryLater) when the
// system does not say.
std::vector<Interface> LocalInterfaces();

// The address of this host from which packets to `address` would leave; empty where no route leads there, or it is no
// IPv4 address. Sends nothing.
std::string AddressTowards(const std::string& address);

// What a choice of addresses needs to know of each host. Hosts are told apart by their place in a list, never by name:
// several may have the same.
struct HostNetwork {
  std::string name;                   // for messages
  std::vector<Interface> interfaces;  // LocalInterfaces()
  std::string outward;                // the address of the default route; empty: none

  bool operator==(const HostNetwork&) const = default;
};
HostNetwork ThisHost();

// `network` of a config. At most one of them is not "auto".
struct AddressChoice {
  std::string interface = "auto";  // a name that every host has ("ib0"), or a network ("10.0.0.0/24") of every host
  std::string address = "auto";    // an address of one of the hosts: the others take theirs of its network
};

// The address of each host, in the order of `hosts`. By itself ("auto") a host alone takes 127.0.0.1; several take the
// network in which all have an address of their own, the one of the first host's default route before others. An
// address that several hosts have (of a bridge for containers) is nobody's. Without such a network each takes the
// address of its default route. Error(kBadInput) that names the host and says what it has.
std::vector<Interface> ChooseAddresses(const std::vector<HostNetwork>& hosts, const AddressChoice& choice);

// Ports of a firewall's rule. `last` is one of them.
struct PortRange {
  int first = 0;  // 0: any port that the system has free
  int last = 0;

  bool any() const { return first == 0; }
  bool operator==(const PortRange&) const = default;
};

// "40000-40100", "40000", or "*" for any. Error(kBadInput) saying what was expected.
PortRange ParsePortRange(const std::string& text);
// As an endpoint has it: "40000-40100", "40000", "*".
std::string Name(const PortRange& range);

}  // namespace autodidact::net
