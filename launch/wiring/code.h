// From the keys of `answer.comparator: code` to the judge of programs, and what it needs of a row.
#pragma once

#include <string>
#include <vector>

#include "data/rows.h"
#include "evaluation/judged.h"
#include "json/json.h"
#include "judge_service/code_judge.h"
#include "launch/config/run_config.h"
#include "schema/types.h"

namespace autodidact::launch {

// Error(kBadInput) where there is no sandbox.
judge_service::CodeJudgeConfig ToCodeJudge(const CodeKeys& keys);

// {"prompt", "entry_point", "inputs"}: what stands before the program, the function that tests call, and inputs without
// outputs. Error(kBadInput) naming the row when a column is not what it should be.
json::Json CodeColumns(const CodeKeys& keys, const schema::Prompt& prompt);

// The tests of a row (its answers, one after another) as a reference's text; empty when it has none.
std::string TestsOf(const std::vector<std::string>& answers, const json::Json& columns);

// Of `comparator: code` with labels that are tests. Error(kBadInput) naming the first rows whose tests test nothing, or
// fail whatever the program is. Runs them against programs that solve nothing; without a sandbox it can tell nothing.
void CheckTests(const RunConfig& config, const std::vector<data::Row>& rows, const std::string& file);

// The judge as evaluations ask it: a text meets its one criterion when its program passes the row's tests.
evaluation::Judging JudgingByTests(const CodeKeys& keys);

}  // namespace autodidact::launch
