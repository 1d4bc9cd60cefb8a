// The graders of `grade`: each takes the lines that have its keys.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "json/json.h"
#include "launch/commands/commands.h"
#include "launch/config/run_config.h"

namespace autodidact::launch {

struct Grade {
  enum class Verdict {
    kRight,
    kWrong,
    kInvalid
  };  // invalid: nothing can be said about the answer; it is not a wrong one
  Verdict verdict = Verdict::kInvalid;
  double reward = 0;  // not of an invalid one
  std::string reason;
  json::Json more = json::Json::object();  // further members of the line that is written
};

struct Grader {
  std::vector<std::string> keys;  // of a line for this grader, all of them
  // May run on several threads at once. Error(kBadInput) for a line whose members are not what they should be.
  std::function<Grade(const json::Json& row, const std::string& where)> grade;
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
// where that judges against a reference as a whole, {"response", "reference"}. The reward is the score, the line also
// holds the verdicts. Right when the reward is 1; invalid without a valid verdict. Error(kBadInput) for a judge that is
// not there.
Grader JudgeGrader(const RunConfig& config);

}  // namespace autodidact::launch
