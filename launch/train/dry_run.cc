#include "collective/collective.h"
#include "launch/config/run_config.h"
#include "launch/train/memory_plan.h"
#include "launch/train/training.h"
#include "launch/wiring/preflight.h"
#include "launch/wiring/wiring.h"

namespace autodidact::launch {

DryRunResult DryRun(const std::filesystem::path& file, const std::vector<std::string>& overrides, bool probe) {
  const RunConfig config = ReadRunConfig(file, overrides, Files::kAnywhere);
  const int ranks = collective::LaunchedByMpi() ? collective::MpiSize() : 1;
  if (ranks > 1 && collective::MpiRank() != 0) return {};
  const model::ModelConfig model = model::ReadModelConfig(config.model);
  std::vector<std::string> roles = config.placement.ranks;
  if (ranks > 1) roles = PlaceRoles(config, ranks);
  const RunData data = CheckForDryRun(config, probe);
  const std::int64_t longest = data.longest_prompt > 0 ? data.longest_prompt : kAssumedPromptTokens;
  const MemoryPlan plan = PlanMemory(config, model, roles, longest);
  return {ToYaml(config) + ToText(plan, config), plan.fits()};
}

}  // namespace autodidact::launch
