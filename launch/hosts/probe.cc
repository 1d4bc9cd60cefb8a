#include "launch/hosts/probe.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/fault.h"
#include "base/format.h"
#include "json/json.h"
#include "net/reach.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;
using json::Json;

constexpr const char* kProbe = "a probe of the hosts";

std::string WhereTheRanksAre(const Site& site) {
  std::string all;
  for (std::size_t rank = 0; rank < site.host_of_rank.size(); ++rank) {
    all += base::Format("{}rank {} on {}", rank == 0 ? "" : ", ", rank, NameOf(site, site.host_of_rank[rank]));
  }
  return all;
}

// What the first rank of each host says, in the order of the hosts.
std::vector<Json> Exchange(collective::Communicator& ranks, const Site& site, const Json& own) {
  std::vector<std::string> said;
  try {
    said = ranks.AllGather(site.acts_for_it ? json::Dump(own) : "");
  } catch (const base::Error& error) {
    throw base::Error(error.kind(), base::Format("{} ({})", error.message(), WhereTheRanksAre(site)));
  }
  std::vector<Json> of_hosts;
  for (const std::string& text : said) {
    if (!text.empty()) of_hosts.push_back(json::Parse(text, kProbe));
  }
  return of_hosts;
}

// Bytes as JSON can carry them.
std::string Hex(const std::string& bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += base::Format("{:02x}", byte);
  return text;
}
std::string Unhex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::string EndOf(const Site& site, std::size_t host, const net::Interface& own) {
  return base::Format("host {} ({}, {} {}", host, site.hosts[host].network.name, own.name, own.address);
}

// Throws nothing: what fails is what this host says.
Json OpenDesk(const net::Interface& own, const net::PortRange& ports, const std::string& token,
              std::unique_ptr<net::ReachDesk>& desk) {
  try {
    desk = std::make_unique<net::ReachDesk>(own.address, ports, token);
    return {{"port", desk->port()}, {"token", Hex(token)}};
  } catch (const base::Error& error) {
    return {{"error", error.message()}};
  }
}

// The texts of the pairs of this host that are broken, by the other host.
Json TryOthers(const Site& site, const std::vector<net::Interface>& addresses, const std::vector<Json>& desks,
               base::Milliseconds timeout) {
  std::vector<net::ReachTarget> targets;
  std::vector<std::size_t> hosts;
  for (std::size_t host = 0; host < site.hosts.size(); ++host) {
    if (host == site.here || !desks[host].contains("port")) continue;
    targets.push_back({addresses[host].address, desks[host].at("port").get<int>(),
                       Unhex(desks[host].at("token").get<std::string>())});
    hosts.push_back(host);
  }
  Json broken = Json::array();
  const auto failures = net::TryToReach(targets, base::Deadline::In(timeout));
  for (std::size_t i = 0; i < failures.size(); ++i) {
    if (failures[i].empty()) continue;
    broken.push_back(
        {{"to", hosts[i]},
         {"text", base::Format("{}) to {}, port {}): {}", EndOf(site, site.here, addresses[site.here]),
                               EndOf(site, hosts[i], addresses[hosts[i]]), targets[i].port, failures[i])}});
  }
  return broken;
}

// The folder itself, or the nearest one above it that is there.
fs::path NearestFolder(fs::path folder) {
  std::error_code ignored;
  folder = fs::absolute(folder, ignored);
  while (!fs::is_directory(folder, ignored) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

std::string Failed(const std::string& what, const fs::path& file) {
  return base::Format("{}: cannot {}: {}", file.string(), what, std::strerror(errno));
}

// Writes, synchronises and renames; empty, or what failed.
std::string WriteProbe(const fs::path& file, const std::string& text) {
  const fs::path partial = file.string() + ".partial";
  const int fd = open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Failed("write", partial);
  std::string why;
  if (base::FaultFails("hosts.probe.write") || write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    why = Failed("write", partial);
  if (why.empty() && (base::FaultFails("hosts.probe.fsync") || fsync(fd) != 0))
    why = Failed("synchronise (fsync)", partial);
  close(fd);
  if (why.empty() && (base::FaultFails("hosts.probe.rename") || rename(partial.c_str(), file.c_str()) != 0))
    why = Failed("rename", partial);
  if (!why.empty()) unlink(partial.c_str());
  return why;
}

std::string ReadProbe(const fs::path& file, const std::string& expected, const std::string& writer) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno != ENOENT) return Failed("read", file);
    return base::Format("{}: a file that {} wrote there is not seen: the folder is not shared",
                        file.parent_path().string(), writer);
  }
  std::string text(expected.size() + 1, '\0');
  const auto count = base::FaultFails("hosts.probe.read") ? -1 : read(fd, text.data(), text.size());
  close(fd);
  text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return text == expected ? "" : base::Format("{}: does not read as {} wrote it", file.string(), writer);
}

// Takes the files of the probe away, whatever happens.
class Litter {
 public:
  void Add(fs::path file) { files_.push_back(std::move(file)); }
  ~Litter() {
    for (const fs::path& file : files_) unlink(file.c_str());
  }

 private:
  std::vector<fs::path> files_;
};

}  // namespace

std::string NameOf(const Site& site, std::size_t host) {
  return base::Format("host {} ({})", host, site.hosts[host].network.name);
}

std::vector<net::HostNetwork> NetworksOf(const Site& site) {
  std::vector<net::HostNetwork> networks;
  for (const HostFacts& host : site.hosts) networks.push_back(host.network);
  return networks;
}

Site GatherSite(collective::Communicator& ranks, int first_here) {
  Site site;
  site.acts_for_it = first_here == ranks.rank();
  const Json own = {{"first", first_here}, {"facts", site.acts_for_it ? Encode(LookAtThisHost()) : ""}};
  std::vector<std::size_t> host_of_first(static_cast<std::size_t>(ranks.size()), 0);
  for (const std::string& said : ranks.AllGather(json::Dump(own))) {
    const Json of_rank = json::Parse(said, kProbe);
    const auto first = static_cast<std::size_t>(json::GetInteger(of_rank, "first", kProbe));
    if (first == site.host_of_rank.size()) {
      host_of_first.at(first) = site.hosts.size();
      site.hosts.push_back(DecodeHostFacts(json::GetString(of_rank, "facts", kProbe)));
    }
    site.host_of_rank.push_back(host_of_first.at(first));
  }
  site.here = site.host_of_rank.at(static_cast<std::size_t>(ranks.rank()));
  return site;
}

std::vector<BrokenPair> ProbePairs(collective::Communicator& ranks, const Site& site,
                                   const std::vector<net::Interface>& addresses, const net::PortRange& ports,
                                   base::Milliseconds timeout) {
  if (site.hosts.size() < 2) return {};
  std::unique_ptr<net::ReachDesk> desk;
  Json own;
  if (site.acts_for_it) own = OpenDesk(addresses[site.here], ports, net::MakeReachToken(), desk);
  const std::vector<Json> desks = Exchange(ranks, site, own);
  Json broken = Json::array();
  if (site.acts_for_it) broken = TryOthers(site, addresses, desks, timeout);
  std::vector<BrokenPair> pairs;
  for (std::size_t to = 0; to < desks.size(); ++to) {
    for (std::size_t from = 0; desks[to].contains("error") && from < desks.size(); ++from) {
      if (from == to) continue;
      pairs.push_back(
          {from, to,
           base::Format("{} cannot be reached: {}", NameOf(site, to), desks[to].at("error").get<std::string>())});
    }
  }
  // The desks stay open until every host has tried them.
  const std::vector<Json> tried = Exchange(ranks, site, broken);
  for (std::size_t from = 0; from < tried.size(); ++from) {
    for (const Json& one : tried[from]) {
      pairs.push_back({from, one.at("to").get<std::size_t>(), one.at("text").get<std::string>()});
    }
  }
  return pairs;
}

std::vector<std::string> ProbeFolder(collective::Communicator& ranks, const Site& site, const fs::path& folder) {
  const fs::path place = NearestFolder(folder);
  const bool first = site.acts_for_it && site.here == 0;
  const std::string token = Hex(net::MakeReachToken());
  Litter litter;
  std::string why;
  const auto write = [&](const std::string& name) {
    litter.Add(place / name);
    why = WriteProbe(place / name, token);
  };
  const std::string name = ".autodidact-probe-" + token.substr(0, 16);
  if (first) write(name);
  const std::vector<Json> start =
      Exchange(ranks, site, {{"name", name}, {"token", token}, {"why", why}, {"place", place.string()}});
  const auto text_of = [&](std::size_t host, const char* key) { return start[host].at(key).get<std::string>(); };
  if (site.acts_for_it && !first) {
    if (text_of(0, "why").empty()) why = ReadProbe(place / text_of(0, "name"), text_of(0, "token"), NameOf(site, 0));
    if (why.empty()) write(name);
  }
  const std::vector<Json> written = Exchange(ranks, site, why);
  std::vector<std::string> seen(site.hosts.size());
  for (std::size_t host = 1; first && host < site.hosts.size(); ++host) {
    if (!written[host].get<std::string>().empty() || !text_of(0, "why").empty()) continue;
    seen[host] = ReadProbe(place / text_of(host, "name"), text_of(host, "token"), NameOf(site, host));
  }
  // Nothing is taken away before the first host has looked.
  const std::vector<Json> of_first = Exchange(ranks, site, seen);
  std::vector<std::string> wrong;
  for (std::size_t host = 0; host < site.hosts.size(); ++host) {
    const std::string own = written[host].get<std::string>();
    wrong.push_back(own.empty() ? of_first[0].at(host).get<std::string>() : own);
  }
  return wrong;
}

std::vector<double> ProbeClocks(collective::Communicator& ranks, const Site& site) {
  ranks.Barrier();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const double seconds = std::chrono::duration<double>(now).count();
  std::vector<double> ahead;
  for (const Json& clock : Exchange(ranks, site, seconds)) ahead.push_back(clock.get<double>());
  const double first = ahead.at(0);
  for (double& clock : ahead) clock -= first;
  return ahead;
}

}  // namespace autodidact::launch
