// What is checked before the first step: everything that would make a run learn nothing, and can be known by then.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/rows.h"
#include "launch/config/run_config.h"

namespace autodidact::launch {

// What was found, one line each that names key, file and row, what was got and expected, and what to do.
struct Preflight {
  std::vector<std::string> errors;    // the run cannot work
  std::vector<std::string> warnings;  // it may, for a part of its data
  std::vector<std::string> notes;     // as it should be known

  // Logs warnings and notes. Error(kBadInput) with every error, if there is one.
  void Report() const;
};

// What a run reads before its first step.
struct RunData {
  std::vector<data::Row> rows;
  std::vector<data::Row> eval_rows;  // of the evaluation during the run
  std::int64_t longest_prompt = 0;   // tokens; of `rows`
};

// Where a run is placed.
struct Placement {
  std::vector<std::string> roles = {};  // of each rank; empty: all in one process
  bool one_machine = true;
};

// Reads and checks all of it for `train`: data, labels and references, lengths against the contexts of policy and
// anchor, the memory plan, the verifier, the judge (one call of an endpoint), the sandbox. Blocks for as long as these
// take, which their timeouts bound. Reports; Error(kBadInput) with all that is wrong. Nothing is written.
RunData CheckBeforeRun(const RunConfig& config, const Placement& placement = {});

// The same for `train --dry-run`: the endpoint is asked only with `ask_endpoint`, and files of data that are absent are
// a warning where the model's folder holds no weights (a plan for another machine).
RunData CheckForDryRun(const RunConfig& config, bool ask_endpoint);

// For `eval` and `synthesize`, whose rows are read already: that prompts fit, that labels can be compared with
// (`labels`), and that judge and sandbox work. `model` is the policy's folder.
struct RowsToCheck {
  const std::vector<data::Row>& rows;
  std::string file;
  bool labels = false;
  bool anchor = true;  // whether groups are shown to it
};
void CheckBeforeRows(const RunConfig& config, const std::string& model, const RowsToCheck& rows);

}  // namespace autodidact::launch
