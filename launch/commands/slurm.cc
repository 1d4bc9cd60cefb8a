// `slurm`: a run as a job of Slurm.
#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "base/strings.h"
#include "launch/commands/commands.h"
#include "launch/commands/job_script.h"
#include "launch/config/placement.h"
#include "launch/wiring/memory_plan.h"
#include "process/child.h"
#include "process/output.h"
#include "process/program.h"

namespace autodidact::launch {
namespace {

constexpr auto kSubmitting = std::chrono::seconds(60);
constexpr double kMargin = 1.25;
constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

// What one node has to give: the most that the roles on one of them hold, as far as the config places them.
std::string MemoryOfANode(const RunConfig& config, const std::vector<RolePlace>& roles, std::int64_t nodes) {
  const model::ModelConfig model = model::ReadModelConfig(config.model);
  std::vector<std::string> kinds;
  for (const RolePlace& role : roles) kinds.push_back(role.kind);
  const MemoryPlan plan = PlanMemory(config, model, kinds, kAssumedPromptTokens);
  std::vector<std::int64_t> held = HostMemory(plan, config, roles);
  held.resize(static_cast<std::size_t>(nodes));
  const auto most = static_cast<double>(*std::max_element(held.begin(), held.end()));
  return base::Format("{}G", static_cast<std::int64_t>(std::ceil(most * kMargin / kGiB)) + 1);
}

// The roles of the job's one place a node; none where everything is in one process.
std::vector<RolePlace> RolesOnNodes(const RunConfig& config, const JobScript& job) {
  const bool placed = !config.placement.hosts.empty() || config.placement.learners > 0;
  if (job.nodes == 1 && !placed) return {};
  if (!placed) {
    base::ThrowBadInput(
        "slurm: a job has one place a node, and the config does not say what is on the nodes: give placement.learners "
        "(and actors, anchors, judges), or placement.hosts");
  }
  JobHosts hosts;
  for (std::int64_t node = 0; node < job.nodes; ++node) {
    hosts.host_of_place.push_back(static_cast<std::size_t>(node));
    hosts.gpus.push_back(job.gpus_per_node);
  }
  return PlaceRoles(config, hosts);
}

std::int64_t GpusOfANode(const RunConfig& config, std::int64_t nodes) {
  if (!config.device.starts_with("cuda")) return 0;
  const std::vector<std::string> roles = RolesOf(config);
  const auto on_gpus = std::count_if(
      roles.begin(), roles.end(), [&](const std::string& role) { return role != "judge" || config.judge.has_model(); });
  return std::max<std::int64_t>(1, (on_gpus + nodes - 1) / nodes);
}

std::string JobName(const std::string& name) {
  std::string plain = "autodidact-" + name;
  std::replace_if(
      plain.begin(), plain.end(),
      [](char c) { return !base::IsLetter(c) && !base::IsDigit(c) && c != '-' && c != '_' && c != '.'; }, '_');
  return plain;
}

void Submit(const std::string& script) {
  process::ChildOptions options;
  options.what = "sbatch";
  options.argv = {"sbatch", "--parsable"};
  // A job inside a job would take itself for a part of it.
  options.environment = process::EnvironmentWithoutMpi();
  options.output = process::ChildOptions::Output::kCapture;
  options.feed = true;
  process::Child child(std::move(options));
  child.Write(script);
  child.CloseInput();
  const auto status = child.Wait(base::Deadline::In(kSubmitting));
  if (!status) {
    throw base::Error(base::ErrorKind::kRetryLater,
                      base::Format("slurm: sbatch has not answered within {} s", kSubmitting.count()));
  }
  if (!status->ok()) {
    base::ThrowBadInput(base::Format("slurm: sbatch: {}: {}", status->Describe(), base::Trim(child.errors())));
  }
  // "1234", or "1234;cluster".
  const std::string said = child.output();
  process::Output().Write(std::string(base::Trim(said.substr(0, said.find(';')))) + "\n");
}

}  // namespace

void RunSlurm(const SlurmCommand& command) {
  const RunConfig config = ReadRunConfig(command.config, command.overrides, Files::kAnywhere);
  JobScript script = command.job;
  script.config = command.config;
  script.overrides = command.overrides;
  script.name = JobName(config.name);
  if (script.program.empty()) script.program = process::ProgramFile(command.called);
  if (!command.gpus_given) script.gpus_per_node = GpusOfANode(config, script.nodes);
  const std::vector<RolePlace> roles = RolesOnNodes(config, script);
  if (script.memory.empty()) script.memory = MemoryOfANode(config, roles, script.nodes);
  const std::string text = ToText(script);
  if (command.submit) {
    Submit(text);
  } else {
    process::Output().Write(text);
  }
}

}  // namespace autodidact::launch
