// What a run that goes on must share with the run that it was, and what may change: by key and by content.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/checkpoint_files.h"
#include "data/rows.h"
#include "launch/config/key.h"
#include "launch/config/run_config.h"
#include "model/weight_set.h"
#include "schema/types.h"

namespace autodidact::launch {

// What the description of a key of the resolved config ("train.beta") says. Nothing for one that is not described: a
// run treats it as kMustStay.
std::optional<OnResume> RuleOf(std::string_view key);

// Every key of the resolved config with its value as YAML, lists and all on one line.
std::map<std::string, std::string> KeysOf(const RunConfig& config);

// Keys, and the checksums of what was read: the initial weights (anchor and KL reference too), tokenizer, chat template
// and shape of the model; the rows as they are handed out in their order, with references or labels where they are; the
// files of a judge's own model.
data::RunFacts FactsOf(const RunConfig& config, const std::vector<schema::Prompt>& handed_out,
                       const std::vector<schema::Supervision>& supervision, const model::WeightSet& initial);

struct Changes {
  std::vector<std::string> refused;  // "train.num_generations: 8 → 4"
  std::vector<std::string> allowed;
};
// A key that one of the two does not know has its default there.
Changes Compare(const data::RunFacts& then, const data::RunFacts& now);

// Error(kBadInput) that names every change that is not allowed, and `checkpoint`, of which `then` is.
std::vector<std::string> RequireSameRun(const std::filesystem::path& checkpoint, const data::RunFacts& then,
                                        const data::RunFacts& now);

}  // namespace autodidact::launch
