// What follows the reading of a config's values: defaults that hang on other keys, and checks of keys together.
#pragma once

#include <cstdint>

#include "launch/config/checker.h"
#include "launch/config/run_config.h"
#include "launch/config/sft_config.h"

namespace autodidact::launch {

// Fills in what the config leaves out and what depends on its other keys: epsilon_high, timeouts.collective, and for a
// config of a few lines the texts that ask for an answer in the form that is extracted. `context`: tokens of the model;
// 0: not known. Reads the model's tokenizer where it must be known whether it has the words of these texts.
void FillIn(RunConfig& config, const ConfigChecker& check, std::int64_t context);

// Problems and warnings of keys that do not go together, and of files that are not there. Also writes out the factors
// of placement.ranks.
void CheckRun(RunConfig& config, const ConfigChecker& check, Files files, std::int64_t context);
// The judge's keys by themselves, and with those that they must fit to.
void CheckJudgeItself(const ConfigChecker& check, const RunConfig& config);
void CheckJudge(const ConfigChecker& check, const RunConfig& config);
void CheckSft(const SftConfig& config, const ConfigChecker& check);

// Of both kinds of config.
void CheckPrompt(const ConfigChecker& check, const PromptConfig& keys);
void CheckAnchor(const ConfigChecker& check, const estimators::SynthesisConfig& keys);
void CheckWarmup(const ConfigChecker& check, const std::string& key, std::int64_t warmup, std::int64_t steps);

}  // namespace autodidact::launch
