#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "data/row_format.h"
#include "data/rows.h"
#include "launch/commands/commands.h"
#include "launch/commands/grader.h"
#include "launch/commands/line_reader.h"
#include "launch/commands/ordered_jobs.h"
#include "process/child.h"
#include "process/ending.h"
#include "process/output.h"

namespace autodidact::launch {
namespace {

std::string KeysTaken(const std::vector<Grader>& graders) {
  std::string keys;
  for (const Grader& grader : graders) {
    if (!keys.empty()) keys += " or ";
    for (std::size_t i = 0; i < grader.keys.size(); ++i) keys += (i == 0 ? "{\"" : ", \"") + grader.keys[i] + "\"";
    keys += "}";
  }
  return keys;
}

// A line that was read, graded, and is to be written.
struct Graded {
  std::string text;
  bool readable = true;
};

// The labels that `eval` reads under other names stand as "gold".
void NameGold(json::Json& row) {
  if (row.contains("gold") || !row.contains("answer")) return;
  for (const char* key : {"label", "solution", "ground_truth", "answers"}) {
    if (!row.contains(key)) continue;
    json::Json label = row[key];  // the row may move when it grows
    row["gold"] = std::move(label);
    return;
  }
}

Graded GradeLine(const std::vector<Grader>& graders, const std::string& line, const std::string& where) {
  json::Json written = json::Json::object();
  try {
    json::Json row = data::ParseRow(line, where);
    NameGold(row);
    if (row.contains("id")) written["id"] = row["id"];
    const auto takes = [&](const Grader& grader) {
      return std::all_of(grader.keys.begin(), grader.keys.end(),
                         [&](const std::string& key) { return row.contains(key); });
    };
    const auto grader = std::find_if(graders.begin(), graders.end(), takes);
    if (grader == graders.end()) {
      base::ThrowBadInput(where + ": got " + json::Describe(row) + ", expected an object with " + KeysTaken(graders));
    }
    GradeTask task = grader->read(row, where);
    const auto scores =
        grader->scorer->ScoreAll({evaluation::MakeJudgeRequest(0, task.target, {std::move(task.text)})});
    written.update(ToVerdict(scores.front().front(), task.target));
    return {json::Dump(written), true};
  } catch (const base::Error& error) {
    written.update(json::Json{{"verdict", "invalid"}, {"reward", nullptr}, {"reason", error.message()}});
    return {json::Dump(written), false};
  }
}

}  // namespace

bool RunGrade(const GradeCommand& command) {
  process::RequireInputApart();
  std::vector<Grader> graders = {AnswerGrader(command), ProgramGrader(command)};
  if (!command.config.empty()) graders.push_back(JudgeGrader(ReadJudgeConfig(command.config, command.overrides)));

  // Lines are graded several at a time and written in their order, each as soon as it is there: a caller may wait for
  // the answer to one line before it writes the next.
  bool all_readable = true;
  OrderedJobs<Graded> jobs(static_cast<std::size_t>(std::max<std::int64_t>(command.jobs, 1)), [&](const Graded& line) {
    try {
      all_readable = all_readable && line.readable;
      process::Output().Write(line.text + "\n");
    } catch (const std::exception& error) {
      // The caller may wait for this verdict before it writes or ends its input, on which the main thread waits.
      base::LogError("{}", error.what());
      process::EndNow(process::kExitFailed);
    }
  });
  LineReader lines(STDIN_FILENO);
  while (const auto line = lines.Next(/*wait=*/true)) {
    const std::string where = base::Format("standard input:{}", lines.number());
    jobs.Add([&graders, line = *line, where] { return GradeLine(graders, line, where); });
  }
  jobs.Finish();
  return all_readable;
}

}  // namespace autodidact::launch
