#include "collective/collective.h"
#include "launch/config/placement.h"
#include "launch/config/run_config.h"
#include "launch/train/rank_zero.h"
#include "launch/train/training.h"
#include "launch/wiring/memory_plan.h"
#include "launch/wiring/preflight.h"
#include "launch/wiring/wiring.h"

namespace autodidact::launch {

DryRunResult DryRun(const TrainOptions& options, const std::vector<std::string>& overrides, bool probe) {
  const RunConfig config = ReadRunConfig(options.config_file, overrides, Files::kAnywhere);
  const int ranks = collective::LaunchedByMpi() ? collective::MpiSize() : 1;
  if (ranks > 1 && collective::MpiRank() != 0) return {};
  const data::RunPlace place = PlaceOfRun(config, options);
  const model::ModelConfig model = model::ReadModelConfig(config.model);
  std::vector<std::string> roles = RolesOf(config);
  if (ranks > 1 && roles.empty()) {
    const std::vector<std::size_t> one_host(static_cast<std::size_t>(ranks), 0);
    for (const RolePlace& place : PlaceRoles(config, {one_host, {ranks}})) roles.push_back(place.kind);
  }
  const RunData data = CheckForDryRun(config, probe);
  const std::int64_t longest = data.longest_prompt > 0 ? data.longest_prompt : kAssumedPromptTokens;
  const MemoryPlan plan = PlanMemory(config, model, roles, longest);
  // A plan for another machine says nothing about this one's disk.
  const std::filesystem::path folder = config.model;
  const bool here = std::filesystem::exists(folder / "model.safetensors") ||
                    std::filesystem::exists(folder / "model.safetensors.index.json");
  CheckPlace(config, place, here ? plan.num_weights : 0);
  return {ToYaml(config) + ToText(plan, config), plan.fits()};
}

}  // namespace autodidact::launch
