#include <filesystem>
#include <iostream>

#include "json/json.h"
#include "launch/commands/commands.h"
#include "process/output.h"
#include "report/page.h"
#include "report/run.h"

namespace autodidact::launch {

void RunReport(const ReportCommand& command) {
  const std::filesystem::path folder = command.run;
  const std::filesystem::path file = command.out.empty() ? folder / "report.html" : std::filesystem::path(command.out);
  process::NamedPaths read;
  for (const std::string& evaluation : command.evaluations) read.emplace_back("--eval", evaluation);
  // Of the run's own files its page may replace the page.
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
    if (entry.path().filename() != "report.html") read.emplace_back("the run", entry.path());
  }
  process::RequireOutputs({{"--out", file}}, read);
  const auto run = report::ReadRun(folder, {command.evaluations.begin(), command.evaluations.end()});
  json::WriteFile(file, report::Page(run));
  for (const std::string& notice : run.notices) std::cerr << notice << "\n";
  process::Output().Write(file.string() + "\n");
}

}  // namespace autodidact::launch
