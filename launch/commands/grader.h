// The graders of `grade`: each takes the lines that have its keys, and scores them as evaluations do.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "evaluation/score.h"
#include "json/json.h"
#include "launch/commands/commands.h"
#include "launch/config/run_config.h"
#include "schema/types.h"

namespace autodidact::launch {

// A text, and what it is held against.
struct GradeTask {
  std::string text;
  schema::Target target;
};

struct Grader {
  std::vector<std::string> keys;  // of a line for this grader, all of them
  std::shared_ptr<const evaluation::Scorer> scorer;
  // Error(kBadInput) for a line whose members are not what they should be.
  std::function<GradeTask(const json::Json& row, const std::string& where)> read;
};

// {"gold", "answer"}: the answer in a text, compared by the command's extractor and comparator with the labels in
// "gold" (text, a number or a list of those, any one of which is right; also named as `eval` has them: "label",
// "solution", "ground_truth", "answers"). Error(kBadInput) for a gold without an answer.
Grader AnswerGrader(const GradeCommand& command);

// {"program", "tests"}, perhaps with "entry_point" and "prompt": the program (or a text with the
// program in it) is run on the tests in a sandbox. `tests` is a text, a list of texts, or pairs of input and output
// (common/programs/README.md). Invalid where the tests test nothing, and where there is no sandbox.
Grader ProgramGrader(const GradeCommand& command);

// {"response", "rubric"}, a rubric being a list of texts or of {"criterion", "points"}, judged by the config's judge;
// where that judges against a reference as a whole, {"response", "reference"}. Right when the reward is 1; invalid
// without a valid verdict. Error(kBadInput) for a judge that is not there.
Grader JudgeGrader(const RunConfig& config);

// The line of verdict, reward and reason; also "equal" by labels, "outcome" of programs, "verdicts" of a judge. Invalid
// (no reward): nothing can be said about the answer, which is not a wrong one.
json::Json ToVerdict(const evaluation::Score& score, const schema::Target& target);

}  // namespace autodidact::launch
