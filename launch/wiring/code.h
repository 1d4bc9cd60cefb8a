// From the keys of `answer.comparator: code` to the judge of programs, and what it needs of a row.
#pragma once

#include <string>
#include <vector>

#include "data/rows.h"
#include "evaluation/judged.h"
#include "judge_service/code_judge.h"
#include "launch/config/run_config.h"
#include "schema/types.h"

namespace autodidact::launch {

// Error(kBadInput) where there is no sandbox.
judge_service::CodeJudgeConfig ToCodeJudge(const CodeKeys& keys);

// The tests of a row: its answers, one after another. Without code where it has none. Error(kBadInput) naming the row
// when a column is not what it should be.
schema::Tests TestsOf(const CodeKeys& keys, const data::Row& row);

// The inputs without outputs of a row; none where no column of them is named. Errors as above.
schema::Inputs InputsOf(const CodeKeys& keys, const schema::Prompt& prompt);

// Of `comparator: code` with labels that are tests. Error(kBadInput) naming the first rows whose tests test nothing, or
// fail whatever the program is. Runs them against programs that solve nothing; without a sandbox it can tell nothing.
void CheckTests(const RunConfig& config, const std::vector<data::Row>& rows, const std::string& file);

// The judge as evaluations ask it: a text meets its one criterion when its program passes the row's tests.
evaluation::Judging JudgingByTests(const CodeKeys& keys);

}  // namespace autodidact::launch
