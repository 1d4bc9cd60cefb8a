// From the config of `answer.comparator: code` to the judge of programs, and what it needs of a row.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "data/rows.h"
#include "evaluation/score.h"
#include "judge_service/code_judge.h"
#include "launch/config/run_config.h"
#include "schema/types.h"

namespace autodidact::launch {

// Error(kBadInput) where there is no sandbox.
const judge_service::CodeJudgeConfig& CodeJudgeOf(const CodeConfig& config);

// The tests of a row: its answers, one after another. Without code where it has none. Error(kBadInput) naming the row
// when a column is not what it should be.
schema::Tests TestsOf(const CodeConfig& config, const data::Row& row);

// The inputs without outputs of a row; none where no column of them is named. Errors as above.
schema::Inputs InputsOf(const CodeConfig& config, const schema::Prompt& prompt);

// Of `comparator: code` with labels that are tests. Error(kBadInput) naming the first rows whose tests test nothing, or
// fail whatever the program is. Runs them against programs that solve nothing; without a sandbox it can tell nothing.
void CheckTests(const RunConfig& config, const std::vector<data::Row>& rows, const std::string& file);

// Said as evaluations ask for it.
evaluation::ProgramRun ProgramRunOf(programs::CodeOutcome outcome);

// Runs programs as evaluations ask for it. Throws Error(kRetryLater) soon after a stop.
evaluation::RunPrograms RunnerOfPrograms(const judge_service::CodeJudgeConfig& judge, const std::stop_token& stop = {});

// How evaluations score programs: by the rows' tests, which each must have.
evaluation::Scoring ScoringByTests(const CodeConfig& config, const std::stop_token& stop = {});

}  // namespace autodidact::launch
