// `slurm`: a run as a job of Slurm.
#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "base/strings.h"
#include "launch/commands/commands.h"
#include "launch/commands/job_script.h"
#include "launch/wiring/memory_plan.h"
#include "process/child.h"
#include "process/output.h"
#include "process/program.h"

namespace autodidact::launch {
namespace {

constexpr auto kSubmitting = std::chrono::seconds(60);
constexpr double kMargin = 1.25;
constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
// In host memory, of a process that works on a GPU: the libraries' code and what is pinned.
constexpr std::int64_t kBesideAGpu = std::int64_t{4} << 30;

// What the run holds in the memory of its hosts, not of their GPUs.
std::int64_t HostBytes(const MemoryPlace& place, const RunConfig& config, std::int64_t num_weights) {
  if (!place.gpu) return place.total();
  const std::int64_t weights = num_weights * (config.dtype == Dtype::kBFloat16 ? 2 : 4);
  // The first learner publishes: the weights, those before, and one vector of fp32 while it saves.
  return kBesideAGpu + (place.who == "learner" ? 2 * weights + 4 * num_weights : weights);
}

// Of one node: its share, and the largest process as well, since shares are not equal.
std::string MemoryOfANode(const RunConfig& config, std::int64_t nodes) {
  const model::ModelConfig model = model::ReadModelConfig(config.model);
  const MemoryPlan plan = PlanMemory(config, model, config.placement.ranks, kAssumedPromptTokens);
  std::int64_t all = 0;
  std::int64_t largest = 0;
  for (const MemoryPlace& place : plan.places) {
    const std::int64_t each = HostBytes(place, config, plan.num_weights);
    all += each * place.count;
    largest = std::max(largest, each);
  }
  const double bytes = nodes == 1 ? static_cast<double>(all) : static_cast<double>(all / nodes + largest);
  return base::Format("{}G", static_cast<std::int64_t>(std::ceil(bytes * kMargin / kGiB)) + 1);
}

std::int64_t GpusOfANode(const RunConfig& config, std::int64_t nodes) {
  if (!config.device.starts_with("cuda")) return 0;
  const auto& roles = config.placement.ranks;
  const auto on_gpus =
      std::count_if(roles.begin(), roles.end(), [](const std::string& role) { return role != "judge"; });
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
  if (script.memory.empty()) script.memory = MemoryOfANode(config, script.nodes);
  if (!command.gpus_given) script.gpus_per_node = GpusOfANode(config, script.nodes);
  const std::string text = ToText(script);
  if (command.submit) {
    Submit(text);
  } else {
    process::Output().Write(text);
  }
}

}  // namespace autodidact::launch
