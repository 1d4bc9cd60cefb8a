#include <algorithm>

#include "collective/collective.h"
#include "launch/config/placement.h"
#include "launch/config/run_config.h"
#include "launch/train/rank_zero.h"
#include "launch/train/training.h"
#include "launch/wiring/memory_plan.h"
#include "launch/wiring/preflight.h"
#include "launch/wiring/wiring.h"

namespace autodidact::launch {

namespace {

// As far as the config says, or else the number of places (-n); none: all in one process. Which GPUs there are is the
// hosts' to say: as many as are needed.
std::vector<RolePlace> PlacesOf(const RunConfig& config, int places) {
  const std::vector<std::string> roles = RolesOf(config);
  if (roles.empty() && places == 1) return {};
  JobHosts hosts;
  const std::size_t num_hosts = std::max<std::size_t>(1, config.placement.hosts.size());
  const bool by_place = !config.placement.ranks.empty() || roles.empty();
  const std::size_t num_places = config.placement.ranks.empty() ? static_cast<std::size_t>(places) : roles.size();
  hosts.host_of_place.assign(by_place ? num_places : num_hosts, 0);
  hosts.gpus.assign(num_hosts, std::ssize(roles) + places);
  return PlaceRoles(config, hosts);
}

}  // namespace

DryRunResult DryRun(const TrainOptions& options, const std::vector<std::string>& overrides, bool probe) {
  const RunConfig config = ReadRunConfig(options.config_file, overrides, Files::kAnywhere);
  const int ranks = collective::LaunchedByMpi() ? collective::MpiSize() : 1;
  if (ranks > 1 && collective::MpiRank() != 0) return {};
  const data::RunPlace place = PlaceOfRun(config, options);
  const model::ModelConfig model = model::ReadModelConfig(config.model);
  const std::vector<RolePlace> places = PlacesOf(config, ranks);
  std::vector<std::string> roles;
  for (const RolePlace& role : places) roles.push_back(role.kind);
  const RunData data = CheckForDryRun(config, probe);
  const std::int64_t longest = data.longest_prompt > 0 ? data.longest_prompt : kAssumedPromptTokens;
  const MemoryPlan plan = PlanMemory(config, model, roles, longest);
  // A plan for another machine says nothing about this one's disk.
  const std::filesystem::path folder = config.model;
  const bool here = std::filesystem::exists(folder / "model.safetensors") ||
                    std::filesystem::exists(folder / "model.safetensors.index.json");
  CheckPlace(config, place, here ? plan.num_weights : 0);
  return {ToYaml(config) + ToText(plan, config, places) + ToText(plan, config), plan.fits()};
}

}  // namespace autodidact::launch
