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
  const auto run = report::ReadRun(folder, {command.evaluations.begin(), command.evaluations.end()});
  json::WriteFile(file, report::Page(run));
  for (const std::string& notice : run.notices) std::cerr << notice << "\n";
  process::Output().Write(file.string() + "\n");
}

}  // namespace autodidact::launch
