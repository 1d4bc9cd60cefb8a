#include <algorithm>

#include "collective/collective.h"
#include "launch/config.h"
#include "launch/memory_plan.h"
#include "launch/training.h"
#include "launch/wiring.h"

namespace autodidact::launch {
namespace {

// The longest training prompt, where data and tokenizer are there to tell.
std::int64_t LongestPrompt(const RunConfig& config, const model::ModelConfig& model) {
  const std::filesystem::path folder(config.model);
  if (!std::filesystem::exists(folder / "tokenizer.json") || !std::filesystem::exists(config.data.train)) {
    return kAssumedPromptTokens;
  }
  const auto tokenizer = LoadTokenizer(config.model, model);
  const auto render = MakeRenderer(config.prompt, ToChatFormat(config.prompt, folder), *tokenizer);
  std::size_t longest = 0;
  for (const data::Row& row : ReadTrainingRows(config)) longest = std::max(longest, render(row.prompt).size());
  return static_cast<std::int64_t>(longest);
}

}  // namespace

std::string DryRun(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  const RunConfig config = ReadRunConfig(file, overrides, Files::kAnywhere);
  const int ranks = collective::LaunchedByMpi() ? collective::MpiSize() : 1;
  if (ranks > 1 && collective::MpiRank() != 0) return {};
  const model::ModelConfig model = model::ReadModelConfig(config.model);
  std::vector<std::string> roles = config.placement.ranks;
  if (ranks > 1) roles = PlaceRoles(config, ranks);
  return ToYaml(config) + ToText(PlanMemory(config, model, roles, LongestPrompt(config, model)), config);
}

}  // namespace autodidact::launch
