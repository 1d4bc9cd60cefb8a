#include "launch/config/placement.h"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "base/error.h"
#include "base/format.h"
#include "launch/config/rules.h"

namespace autodidact::launch {
namespace {

constexpr std::int64_t kFewestPlaces = 4;  // a learner, an actor, an anchor, a judge

bool IsNumber(const std::string& text) {
  return !text.empty() && text.size() <= 4 && text.find_first_not_of("0123456789") == std::string::npos;
}

// "learner", "actor@2": a role of a host.
struct HostRole {
  std::string kind;
  std::optional<std::int64_t> gpu;
};

HostRole ReadHostRole(const std::string& word) {
  const std::size_t at = word.find('@');
  if (at == std::string::npos) return {word, std::nullopt};
  const std::string gpu = word.substr(at + 1);
  if (!IsNumber(gpu)) {
    base::ThrowBadInput(base::Format("got {}, expected the number of a GPU behind the @, as in actor@2", word));
  }
  return {word.substr(0, at), std::stol(gpu)};
}

std::vector<HostRole> ReadHost(const std::string& text) {
  std::istringstream words(text);
  std::vector<std::string> parts;
  for (std::string word; words >> word;) parts.push_back(word);
  std::vector<HostRole> roles;
  for (const std::string& word : WithoutFactors(parts)) roles.push_back(ReadHostRole(word));
  return roles;
}

bool NeedsAnchor(const RunConfig& config) {
  return config.data.references.empty() && config.estimator == estimators::EstimatorKind::kSynthesis;
}

bool NeedsGpu(const RunConfig& config, const std::string& kind) {
  return kind != "judge" || config.judge.has_model();
}

// Gives each role an index, sorts learners first, and says what is missing.
class Placing {
 public:
  Placing(const RunConfig& config, const JobHosts& hosts) : config_(config), hosts_(hosts) {}

  void Add(const std::string& kind, std::size_t host, std::optional<std::int64_t> gpu = std::nullopt) {
    places_.push_back({kind, 0, host, config_.device});
    if (config_.device != "cuda") return;
    places_.back().device =
        NeedsGpu(config_, kind) ? base::Format("cuda:{}", gpu ? Named(host, *gpu) : Next(kind, host)) : "cpu";
  }

  std::vector<RolePlace> Finish() {
    std::stable_sort(places_.begin(), places_.end(), [](const RolePlace& a, const RolePlace& b) {
      const bool learners = a.kind == "learner" && b.kind == "learner";
      return learners ? a.host < b.host : (a.kind == "learner") > (b.kind == "learner");
    });
    std::map<std::string, std::int64_t> counts;
    for (RolePlace& place : places_) place.index = counts[place.kind]++;
    for (const char* kind : {"learner", "actor", "judge", "anchor"}) {
      if (counts[kind] > 0 || (std::string(kind) == "anchor" && !NeedsAnchor(config_))) continue;
      base::ThrowBadInput(base::Format("placement: there is no {}", kind));
    }
    if (places_.front().host != 0) base::ThrowBadInput("placement: the first host has no learner, expected one there");
    return std::move(places_);
  }

  std::int64_t GpusLeft(std::size_t host) const { return hosts_.gpus.at(host) - used_of(host); }
  std::int64_t RolesOn(std::size_t host) const {
    return std::count_if(places_.begin(), places_.end(), [&](const RolePlace& it) { return it.host == host; });
  }

 private:
  std::int64_t used_of(std::size_t host) const {
    const auto found = used_.find(host);
    return found == used_.end() ? 0 : found->second;
  }

  std::int64_t Named(std::size_t host, std::int64_t gpu) const {
    if (gpu < hosts_.gpus.at(host)) return gpu;
    base::ThrowBadInput(base::Format("placement.hosts: host {} has {} GPUs, and GPU {} is asked for", host + 1,
                                     hosts_.gpus[host], gpu));
  }

  std::int64_t Next(const std::string& kind, std::size_t host) {
    if (GpusLeft(host) <= 0) {
      base::ThrowBadInput(base::Format("device: cuda: a {} is the {}th role that needs a GPU on host {}, which has {}",
                                       kind, used_of(host) + 1, host + 1, hosts_.gpus[host]));
    }
    return used_[host]++;
  }

  const RunConfig& config_;
  const JobHosts& hosts_;
  std::vector<RolePlace> places_;
  std::map<std::size_t, std::int64_t> used_;  // GPUs given out, by host
};

// Each role where the most room is left: on GPUs the host with a free one, else the host with the fewest roles.
// Learners fill host after host, since they talk most among each other.
void PlaceByCounts(const RunConfig& config, std::size_t num_hosts, Placing& placing) {
  const bool gpu = config.device == "cuda";
  const auto roomiest = [&](const std::string& kind) {
    std::size_t best = 0;
    for (std::size_t host = 1; host < num_hosts; ++host) {
      const bool better = gpu && NeedsGpu(config, kind) ? placing.GpusLeft(host) > placing.GpusLeft(best)
                                                        : placing.RolesOn(host) < placing.RolesOn(best);
      if (better) best = host;
    }
    return best;
  };
  const PlacementConfig& counts = config.placement;
  for (std::int64_t i = 0; i < counts.learners; ++i) {
    std::size_t host = static_cast<std::size_t>(i * static_cast<std::int64_t>(num_hosts) / counts.learners);
    if (gpu) {
      host = 0;
      while (host + 1 < num_hosts && placing.GpusLeft(host) <= 0) ++host;
    }
    placing.Add("learner", host);
  }
  for (std::int64_t i = 0; i < counts.actors; ++i) placing.Add("actor", roomiest("actor"));
  for (std::int64_t i = 0; i < counts.anchors && NeedsAnchor(config); ++i) placing.Add("anchor", roomiest("anchor"));
  for (std::int64_t i = 0; i < counts.judges; ++i) placing.Add("judge", roomiest("judge"));
}

// The role of each place.
std::vector<std::string> RolesOfPlaces(const RunConfig& config, std::int64_t places) {
  std::vector<std::string> roles = config.placement.ranks;
  if (roles.empty()) {
    if (places < kFewestPlaces) {
      base::ThrowBadInput(
          base::Format("{} places (-n) under mpirun or srun: at least {} are needed (learner, actor, "
                       "anchor, judge), or say by placement.learners or placement.hosts what runs where",
                       places, kFewestPlaces));
    }
    roles.assign(static_cast<std::size_t>(places - (kFewestPlaces - 1)), "learner");
    roles.insert(roles.end(), {"actor", "anchor", "judge"});
  }
  if (std::ssize(roles) != places) {
    base::ThrowBadInput(base::Format("placement.ranks: got {} roles for {} places (-n)", roles.size(), places));
  }
  return roles;
}

void CheckHosts(const ConfigChecker& check, const RunConfig& config) {
  for (const std::string& host : config.placement.hosts) {
    check.Named("placement.hosts", [&] {
      for (const HostRole& role : ReadHost(host)) {
        const Choice kinds{{"learner", "actor", "anchor", "judge"}};
        std::string known;
        if (const auto refused = Read({role.kind, false}, kinds, known)) {
          check.Fail("placement.hosts", *refused + ": write the roles of a host as in \"learner*2 actor@2 judge\"");
        }
      }
    });
  }
}

}  // namespace

std::string RolePlace::name() const {
  return base::Format("{}-{}", kind, index);
}

std::vector<std::string> WithoutFactors(const std::vector<std::string>& roles) {
  std::vector<std::string> all;
  for (const std::string& role : roles) {
    const std::size_t star = role.find('*');
    const bool counted = star != std::string::npos && IsNumber(role.substr(star + 1));
    all.insert(all.end(), counted ? std::stoul(role.substr(star + 1)) : 1, counted ? role.substr(0, star) : role);
  }
  return all;
}

std::vector<std::string> RolesOf(const RunConfig& config) {
  const PlacementConfig& placement = config.placement;
  if (!placement.ranks.empty()) return placement.ranks;
  std::vector<std::string> roles;
  for (const std::string& host : placement.hosts) {
    for (const HostRole& role : ReadHost(host)) roles.push_back(role.kind);
  }
  if (!roles.empty() || placement.learners == 0) return roles;
  const auto add = [&](const char* kind, std::int64_t count) {
    roles.insert(roles.end(), static_cast<std::size_t>(count), kind);
  };
  add("learner", placement.learners);
  add("actor", placement.actors);
  if (NeedsAnchor(config)) add("anchor", placement.anchors);
  add("judge", placement.judges);
  return roles;
}

std::vector<RolePlace> PlaceRoles(const RunConfig& config, const JobHosts& hosts) {
  Placing placing(config, hosts);
  const std::vector<std::string>& texts = config.placement.hosts;
  if (!texts.empty()) {
    if (texts.size() != hosts.gpus.size()) {
      base::ThrowBadInput(base::Format("placement.hosts: got the roles of {} hosts, and the launcher gave {}",
                                       texts.size(), hosts.gpus.size()));
    }
    for (std::size_t host = 0; host < texts.size(); ++host) {
      for (const HostRole& role : ReadHost(texts[host])) placing.Add(role.kind, host, role.gpu);
    }
  } else if (config.placement.ranks.empty() && config.placement.learners > 0) {
    PlaceByCounts(config, hosts.gpus.size(), placing);
  } else {
    const auto roles = RolesOfPlaces(config, std::ssize(hosts.host_of_place));
    for (std::size_t place = 0; place < roles.size(); ++place) placing.Add(roles[place], hosts.host_of_place[place]);
  }
  return placing.Finish();
}

void CheckPlacement(const ConfigChecker& check, const RunConfig& config) {
  const std::vector<std::string>& ranks = config.placement.ranks;
  const std::string advice = ": write one, or learner*6 for six of them";
  for (const std::string& role : ranks) {
    const Choice roles{{"learner", "actor", "anchor", "judge"}};
    std::string known;
    if (const auto refused = Read({role, false}, roles, known)) check.Fail("placement.ranks", *refused + advice);
  }
  if (!ranks.empty() && !config.placement.hosts.empty()) {
    check.Fail("placement.hosts", "got roles of hosts and roles of ranks, expected one of them: leave one out");
  }
  CheckHosts(check, config);
  if (!ranks.empty() && ranks.front() != "learner") {
    check.Fail("placement.ranks",
               "got " + ranks.front() + " as the first rank, expected learner: put the learners first");
  }
  std::vector<std::string> roles = ranks;
  const char* key = ranks.empty() ? "placement.hosts" : "placement.ranks";
  if (roles.empty() && !config.placement.hosts.empty()) {
    try {
      roles = RolesOf(config);
    } catch (const base::Error&) {
      return;  // said above
    }
  }
  if (roles.empty()) return;
  for (const char* role : {"learner", "actor", "judge", "anchor"}) {
    const bool there = std::find(roles.begin(), roles.end(), role) != roles.end();
    if (there || (std::string(role) == "anchor" && !NeedsAnchor(config))) continue;
    check.Fail(key, base::Format("got no {}, expected one at least: put {} into the list", role, role));
  }
}

}  // namespace autodidact::launch
