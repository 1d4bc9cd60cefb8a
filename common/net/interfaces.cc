#include "net/interfaces.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/format.h"

namespace autodidact::net {
namespace {

constexpr const char* kAuto = "auto";
// Of a block that is kept for documents (RFC 5737): what leads there is the default route.
constexpr const char* kFarAway = "192.0.2.1";
constexpr int kMostPort = 65535;

std::optional<std::uint32_t> NumberOf(const std::string& address) {
  in_addr parsed{};
  if (inet_pton(AF_INET, address.c_str(), &parsed) != 1) return std::nullopt;
  return ntohl(parsed.s_addr);
}

std::string TextOf(in_addr address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  inet_ntop(AF_INET, &address, text.data(), text.size());
  return text.data();
}

bool OnLoopback(std::uint32_t address) {
  return address >> 24 == 127;
}

std::uint32_t MaskOf(int prefix) {
  return prefix == 0 ? 0 : ~std::uint32_t{0} << (32 - prefix);
}

// A number of so many digits at most; nothing for anything else.
std::optional<int> Digits(const std::string& text, std::size_t most) {
  if (text.empty() || text.size() > most || text.find_first_not_of("0123456789") != std::string::npos) return {};
  return std::stoi(text);
}

// "10.0.0.0/24" as "10.0.0.0/24", whichever address of the network stands before the slash; nothing for a name.
std::optional<std::string> AsNetwork(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::string address = text.substr(0, slash);
  const auto prefix = Digits(text.substr(slash + 1), 2);
  if (!NumberOf(address) || !prefix || *prefix > 32) return std::nullopt;
  return NetworkOf({"", address, *prefix});
}

std::string Has(const HostNetwork& host) {
  std::string all;
  for (const Interface& own : host.interfaces) {
    all += base::Format("{}{} {}/{}", all.empty() ? "" : ", ", own.name, own.address, own.prefix);
  }
  return all.empty() ? "no address besides the loopback" : all;
}

// "host 1 (node7)": the number too, since hosts may share a name.
std::string Called(const std::vector<HostNetwork>& hosts, std::size_t host) {
  return base::Format("host {} ({})", host, hosts[host].name);
}

std::string HasAll(const std::vector<HostNetwork>& hosts) {
  std::string all;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    all += base::Format("{}{} has {}", all.empty() ? "" : "; ", Called(hosts, i), Has(hosts[i]));
  }
  return all;
}

// Whether no other host has this address too.
bool IsItsOwn(const std::vector<HostNetwork>& hosts, std::size_t host, const std::string& address) {
  for (std::size_t other = 0; other < hosts.size(); ++other) {
    if (other == host) continue;
    for (const Interface& theirs : hosts[other].interfaces) {
      if (theirs.address == address) return false;
    }
  }
  return true;
}

const Interface* InNetwork(const std::vector<HostNetwork>& hosts, std::size_t host, const std::string& network) {
  for (const Interface& own : hosts[host].interfaces) {
    if (NetworkOf(own) == network && IsItsOwn(hosts, host, own.address)) return &own;
  }
  return nullptr;
}

// The address of each host in this network; as many as there are before the first host that has none.
std::vector<Interface> AllInNetwork(const std::vector<HostNetwork>& hosts, const std::string& network) {
  std::vector<Interface> chosen;
  for (std::size_t host = 0; host < hosts.size(); ++host) {
    const Interface* own = InNetwork(hosts, host, network);
    if (own == nullptr) break;
    chosen.push_back(*own);
  }
  return chosen;
}

std::vector<Interface> RequireInNetwork(const std::vector<HostNetwork>& hosts, const std::string& network,
                                        const std::string& asked) {
  auto chosen = AllInNetwork(hosts, network);
  if (chosen.size() == hosts.size()) return chosen;
  const std::size_t lacking = chosen.size();
  base::ThrowBadInput(base::Format("{}: {} has no address of its own in {}: it has {}", asked, Called(hosts, lacking),
                                   network, Has(hosts[lacking])));
}

std::vector<Interface> ByName(const std::vector<HostNetwork>& hosts, const std::string& name) {
  std::vector<Interface> chosen;
  for (std::size_t host = 0; host < hosts.size(); ++host) {
    const auto& all = hosts[host].interfaces;
    const auto own = std::find_if(all.begin(), all.end(), [&](const Interface& one) {
      return one.name == name && IsItsOwn(hosts, host, one.address);
    });
    if (own == all.end()) {
      base::ThrowBadInput(base::Format(
          "network.interface {}: {} has no such interface with an IPv4 address of its own: it has {}; where names "
          "differ between hosts, give their network, as in 10.0.0.0/24",
          name, Called(hosts, host), Has(hosts[host])));
    }
    chosen.push_back(*own);
  }
  return chosen;
}

std::vector<Interface> ByInterface(const std::vector<HostNetwork>& hosts, const std::string& interface) {
  if (interface == "lo") {
    if (hosts.size() == 1) return {{"lo", "127.0.0.1", 8}};
    base::ThrowBadInput(base::Format("network.interface lo: {} hosts do not reach each other by the loopback: {}",
                                     hosts.size(), HasAll(hosts)));
  }
  if (const auto network = AsNetwork(interface)) return RequireInNetwork(hosts, *network, "network.interface");
  return ByName(hosts, interface);
}

std::vector<Interface> ByAddress(const std::vector<HostNetwork>& hosts, const std::string& address) {
  const auto number = NumberOf(address);
  if (!number) base::ThrowBadInput("network.address: got '" + address + "', expected auto or one like 10.0.0.1");
  if (OnLoopback(*number)) {
    if (hosts.size() == 1) return {{"lo", address, 8}};
    base::ThrowBadInput(base::Format("network.address {}: {} hosts do not reach each other by the loopback: {}",
                                     address, hosts.size(), HasAll(hosts)));
  }
  for (const HostNetwork& host : hosts) {
    for (const Interface& own : host.interfaces) {
      if (own.address != address) continue;
      if (hosts.size() == 1) return {own};
      return RequireInNetwork(hosts, NetworkOf(own), "network.address " + address);
    }
  }
  base::ThrowBadInput(base::Format("network.address {}: no host has it: {}", address, HasAll(hosts)));
}

std::vector<Interface> ByDefaultRoutes(const std::vector<HostNetwork>& hosts) {
  std::vector<Interface> chosen;
  for (std::size_t host = 0; host < hosts.size(); ++host) {
    const auto& all = hosts[host].interfaces;
    const auto own = std::find_if(all.begin(), all.end(), [&](const Interface& one) {
      return one.address == hosts[host].outward && IsItsOwn(hosts, host, one.address);
    });
    if (own == all.end()) {
      base::ThrowBadInput(
          base::Format("network.interface auto: the hosts have no network in common, and {} has no default route with "
                       "an address of its own: {}; name one by network.interface",
                       Called(hosts, host), HasAll(hosts)));
    }
    chosen.push_back(*own);
  }
  return chosen;
}

std::vector<Interface> ByThemselves(const std::vector<HostNetwork>& hosts) {
  if (hosts.size() == 1) return {{"lo", "127.0.0.1", 8}};
  std::vector<Interface> order = hosts[0].interfaces;
  std::stable_partition(order.begin(), order.end(), [&](const Interface& one) {
    return !hosts[0].outward.empty() && one.address == hosts[0].outward;
  });
  for (const Interface& first : order) {
    auto chosen = AllInNetwork(hosts, NetworkOf(first));
    if (chosen.size() == hosts.size()) return chosen;
  }
  return ByDefaultRoutes(hosts);
}

}  // namespace

std::string NetworkOf(const Interface& interface) {
  const std::uint32_t network = NumberOf(interface.address).value_or(0) & MaskOf(interface.prefix);
  return base::Format("{}/{}", TextOf({htonl(network)}), interface.prefix);
}

std::vector<Interface> LocalInterfaces() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) {
    throw base::Error(base::ErrorKind::kRetryLater,
                      base::Format("net: the interfaces of this host: {}", std::strerror(errno)));
  }
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  std::vector<Interface> all;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    const bool usable = (one->ifa_flags & IFF_UP) != 0 && (one->ifa_flags & IFF_LOOPBACK) == 0;
    if (!usable || one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET || one->ifa_netmask == nullptr) {
      continue;
    }
    sockaddr_in address{};
    sockaddr_in mask{};
    std::memcpy(&address, one->ifa_addr, sizeof address);
    std::memcpy(&mask, one->ifa_netmask, sizeof mask);
    // "eth0:1" is eth0 with a second address.
    const std::string name = std::string(one->ifa_name).substr(0, std::string_view(one->ifa_name).find(':'));
    if (OnLoopback(ntohl(address.sin_addr.s_addr))) continue;
    all.push_back({name, TextOf(address.sin_addr), std::popcount(mask.sin_addr.s_addr)});
  }
  return all;
}

std::string AddressTowards(const std::string& address) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(9);
  if (inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) return "";
  const int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return "";
  sockaddr_in from{};
  socklen_t size = sizeof from;
  // Connecting a datagram socket asks the routing table and sends nothing.
  const bool routed = connect(socket_fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
                      getsockname(socket_fd, reinterpret_cast<sockaddr*>(&from), &size) == 0;
  close(socket_fd);
  return routed ? TextOf(from.sin_addr) : "";
}

HostNetwork ThisHost() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return {name.data(), LocalInterfaces(), AddressTowards(kFarAway)};
}

std::vector<Interface> ChooseAddresses(const std::vector<HostNetwork>& hosts, const AddressChoice& choice) {
  if (hosts.empty()) base::ThrowBug("net: addresses for no host");
  if (choice.interface != kAuto && choice.address != kAuto) {
    base::ThrowBadInput(base::Format("network: got both interface {} and address {}, expected one of them",
                                     choice.interface, choice.address));
  }
  if (choice.interface != kAuto) return ByInterface(hosts, choice.interface);
  if (choice.address != kAuto) return ByAddress(hosts, choice.address);
  return ByThemselves(hosts);
}

PortRange ParsePortRange(const std::string& text) {
  if (text == "*") return {};
  const auto dash = text.find('-');
  const auto first = Digits(text.substr(0, dash), 5);
  const auto last = dash == std::string::npos ? first : Digits(text.substr(dash + 1), 5);
  if (!first || !last || *first < 1 || *last > kMostPort || *first > *last) {
    base::ThrowBadInput("net: ports: got '" + text + "', expected a range like 40000-40100, from 1 to 65535");
  }
  return {*first, *last};
}

std::string Name(const PortRange& range) {
  if (range.any()) return "*";
  return range.first == range.last ? std::to_string(range.first) : base::Format("{}-{}", range.first, range.last);
}

}  // namespace autodidact::net
