#include "launch/wiring/memory_plan.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "engine/memory.h"
#include "launch/wiring/wiring.h"
#include "learner/checkpoint.h"
#include "learner/memory.h"
#include "model/device.h"

namespace autodidact::launch {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
// libtorch's code and what it allocates for itself; on a GPU its context, the libraries' kernels and NCCL's buffers.
constexpr std::int64_t kProgram = std::int64_t{400} << 20;
constexpr std::int64_t kGpuProgram = std::int64_t{1536} << 20;

// Of moments and master, while they are written behind the training.
std::int64_t CopyBytes(const RunConfig& config, std::int64_t num_weights) {
  if (config.train.save_steps == 0 || !config.train.save_behind) return 0;
  return static_cast<std::int64_t>(learner::VectorBytes(num_weights, ScalarTypeOf(config.dtype)));
}

// From the configs to the items of each role.
class Planner {
 public:
  Planner(const RunConfig& config, const model::ModelConfig& model, const std::vector<std::string>& roles,
          std::int64_t prompt_tokens)
      : config_(config),
        model_(model),
        roles_(roles),
        prompt_tokens_(prompt_tokens),
        gpu_(config.device != "cpu"),
        type_(ScalarTypeOf(config.dtype)),
        weights_(model::WeightBytes(model, type_)) {}

  MemoryPlan Plan() const {
    MemoryPlan plan{model::ParameterCount(model_), prompt_tokens_, {}};
    if (roles_.empty()) {
      plan.places.push_back(OneProcess());
      return plan;
    }
    for (const char* role : {"learner", "actor", "anchor", "judge"}) {
      const std::int64_t count = Count(role);
      if (count == 0 || (std::string(role) == "judge" && !config_.judge.has_model())) continue;
      MemoryPlace place = Place(role, count);
      if (place.who == "learner") AddLearnerRank(place);
      if (place.who == "actor") AddActor(place);
      if (place.who == "anchor") AddAnchor(place);
      if (place.who == "judge") AddJudge(place);
      plan.places.push_back(std::move(place));
    }
    return plan;
  }

 private:
  using Items = std::vector<MemoryPlace::Item>;

  std::int64_t Count(const std::string& role) const {
    if (!roles_.empty()) return std::count(roles_.begin(), roles_.end(), role);
    if (role == "learner") return 1;
    return role == "actor" ? config_.placement.actors : config_.placement.anchors;
  }

  MemoryPlace Place(std::string who, std::int64_t count) const {
    MemoryPlace place{.who = std::move(who), .count = count, .gpu = gpu_, .items = {}, .limit = 0};
    place.limit = gpu_ ? static_cast<std::int64_t>(config_.device_memory_gib * kGiB)
                       : static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
    place.items.push_back({"program", gpu_ ? kGpuProgram : kProgram});
    return place;
  }

  at::DeviceType device() const { return gpu_ ? at::kCUDA : at::kCPU; }

  learner::LearnerMemory LearnerRank() const {
    learner::LearnerShape shape;
    shape.ranks = Count("learner");
    shape.groups_per_step = config_.train.groups_per_step;
    shape.group = {.completions = config_.train.num_generations,
                   .prompt_tokens = prompt_tokens_,
                   .completion_tokens = config_.rollout.max_new_tokens,
                   .type = type_,
                   .device = device()};
    return PlanLearner(model_, TrainerOf(config_), shape);
  }

  // `items` of the pass are the peak's only where nothing else is larger at another time: `instead` is what another
  // time holds.
  static void AddLearner(const learner::LearnerMemory& memory, std::int64_t instead, Items& items) {
    items.push_back({"trained weights", memory.weights});
    if (memory.master > 0) items.push_back({"fp32 master", memory.master});
    items.push_back({"moments", memory.moments});
    items.push_back({"gradients", memory.gradients});
    if (memory.pass.total() >= instead) {
      items.push_back({"activations", memory.pass.activations});
      items.push_back({"backward pass", memory.pass.working()});
    } else {
      items.push_back({"weights being published", instead});
    }
  }

  // Groups that all actors work on at once.
  std::int64_t GroupsInFlight() const { return config_.train.groups_per_step * (1 + config_.train.max_staleness); }

  engine::EngineMemory ActorEngine() const {
    const std::int64_t actors = Count("actor");
    return PlanEngine(model_, config_.engine,
                      {.groups = std::min(config_.max_groups, (GroupsInFlight() + actors - 1) / actors),
                       .rollouts = config_.train.num_generations,
                       .prompt_tokens = prompt_tokens_,
                       .completion_tokens = config_.rollout.max_new_tokens,
                       .type = type_,
                       .device = device()});
  }

  engine::EngineMemory AnchorEngine() const {
    // Its prompt is the group; the words around the candidates count as a prompt's.
    return PlanEngine(model_, config_.engine,
                      {.groups = GroupsInFlight(),
                       .rollouts = 1,
                       .prompt_tokens = prompt_tokens_ + config_.train.num_generations * config_.rollout.max_new_tokens,
                       .completion_tokens = config_.anchor.sampling.max_new_tokens,
                       .type = type_,
                       .device = device()});
  }

  static void AddEngine(const std::string& whose, const engine::EngineMemory& memory, std::int64_t count,
                        Items& items) {
    if (memory.packed_weights > 0) items.push_back({whose + "packed weights", count * memory.packed_weights});
    items.push_back({whose + "cache", count * memory.cache});
    items.push_back({whose + "working memory", count * memory.working});
  }

  void AddCopy(const std::string& whose, Items& items) const {
    const std::int64_t bytes = CopyBytes(config_, model::ParameterCount(model_));
    if (bytes > 0) items.push_back({whose + "checkpoint on its way", bytes});
  }

  MemoryPlace OneProcess() const {
    MemoryPlace place = Place("one process", 1);
    place.items.push_back({"initial weights (anchor, KL reference)", weights_});
    // Once a step is done, the actors' weights are not the initial ones any more.
    place.items.push_back({"published weights", weights_});
    learner::LearnerMemory memory = LearnerRank();
    AddLearner(memory, weights_, place.items);
    if (!gpu_) AddCopy("", place.items);
    AddEngine("actor's ", ActorEngine(), Count("actor"), place.items);
    if (config_.judge.has_model()) AddJudge(place);
    if (config_.estimator == estimators::EstimatorKind::kSynthesis)
      AddEngine("anchor's ", AnchorEngine(), Count("anchor"), place.items);
    return place;
  }

  void AddLearnerRank(MemoryPlace& place) const {
    const learner::LearnerMemory memory = LearnerRank();
    if (gpu_) {
      // Published weights, and a reference that is offloaded, lie in host memory.
      AddLearner(memory, 0, place.items);
      if (memory.reference > 0) place.items.push_back({"KL reference", memory.reference});
    } else {
      if (config_.train.trainer.loss.beta != 0) place.items.push_back({"KL reference", weights_});
      place.items.push_back({"rank 0's published weights", 2 * weights_});
      AddLearner(memory, weights_, place.items);
      AddCopy("rank 0's ", place.items);
    }
    if (!config_.eval.data.empty() && config_.eval.steps > 0) {
      const engine::EngineMemory engine = ActorEngine();
      place.items.push_back({"rank 0's evaluation", engine.total() + (gpu_ ? weights_ : 0)});
    }
  }

  void AddActor(MemoryPlace& place) const {
    place.items.push_back({"weights", weights_});
    place.items.push_back({"next weights", weights_});
    if (SelectionInTraining(config_)) place.items.push_back({"initial weights (selecting)", weights_});
    AddEngine("", ActorEngine(), 1, place.items);
  }

  void AddAnchor(MemoryPlace& place) const {
    place.items.push_back({"weights", weights_});
    AddEngine("", AnchorEngine(), 1, place.items);
  }

  void AddJudge(MemoryPlace& place) const {
    const model::ModelConfig judge = model::ReadModelConfig(config_.judge.model.folder);
    place.items.push_back({"judge's weights", model::WeightBytes(judge, type_)});
  }

  const RunConfig& config_;
  const model::ModelConfig& model_;
  const std::vector<std::string>& roles_;
  const std::int64_t prompt_tokens_;
  const bool gpu_;
  const at::ScalarType type_;
  const std::int64_t weights_;
};

std::string GiB(std::int64_t bytes) {
  return base::Format("{:.1f}", static_cast<double>(bytes) / kGiB);
}

}  // namespace

std::int64_t MemoryPlace::total() const {
  std::int64_t sum = 0;
  for (const Item& item : items) sum += item.bytes;
  return sum;
}

bool MemoryPlan::fits() const {
  return WhatDoesNotFit(*this, /*one_machine=*/true).empty();
}

MemoryPlan PlanMemory(const RunConfig& config, const model::ModelConfig& model, const std::vector<std::string>& roles,
                      std::int64_t prompt_tokens) {
  return Planner(config, model, roles, prompt_tokens).Plan();
}

namespace {

// In host memory, of a process that works on a GPU: the libraries' code and what is pinned.
constexpr std::int64_t kBesideAGpu = std::int64_t{4} << 30;
// Of a role's process besides what is planned: those that start and watch it, and judges that are no models.
constexpr std::int64_t kBesideARole = std::int64_t{256} << 20;

// What the run holds in the memory of its hosts, not of their GPUs.
std::int64_t HostBytes(const MemoryPlace& place, const RunConfig& config, std::int64_t num_weights) {
  if (!place.gpu) return place.total();
  const std::int64_t weights = num_weights * (config.dtype == Dtype::kBFloat16 ? 2 : 4);
  if (place.who == "actor" || place.who == "anchor" || place.who == "judge") return kBesideAGpu + weights;
  // The first learner publishes: the weights, those before, and what it saves, of which one vector at least.
  const std::int64_t vector = num_weights * static_cast<std::int64_t>(sizeof(float));
  return kBesideAGpu + 2 * weights + std::max(CopyBytes(config, num_weights), vector);
}

}  // namespace

std::vector<std::int64_t> HostMemory(const MemoryPlan& plan, const RunConfig& config,
                                     const std::vector<RolePlace>& roles) {
  std::size_t hosts = 1;
  for (const RolePlace& role : roles) hosts = std::max(hosts, role.host + 1);
  std::vector<std::int64_t> held(hosts, 0);
  for (const MemoryPlace& place : plan.places) {
    const std::int64_t each = HostBytes(place, config, plan.num_weights);
    if (roles.empty()) held[0] += each;
    for (const RolePlace& role : roles) held[role.host] += role.kind == place.who ? each : 0;
  }
  for (const RolePlace& role : roles) held[role.host] += kBesideARole;
  return held;
}

std::string ToText(const MemoryPlan& plan, const RunConfig& config, const std::vector<RolePlace>& roles) {
  if (roles.empty()) return "";
  std::string text = "# placement\n";
  const std::vector<std::int64_t> memory = HostMemory(plan, config, roles);
  for (std::size_t host = 0; host < memory.size(); ++host) {
    text += base::Format("#   host {}, {} GiB of its memory:", host, GiB(memory[host]));
    for (const RolePlace& role : roles) {
      if (role.host != host) continue;
      text += " " + role.name() + (role.device == "cpu" ? "" : " (" + role.device + ")");
    }
    text += "\n";
  }
  return text;
}

std::string ToText(const MemoryPlace& place) {
  std::string text = GiB(place.total()) + " GiB:";
  for (const auto& item : place.items) text += " " + item.what + " " + GiB(item.bytes) + ",";
  text.back() = '.';
  return text;
}

std::string ToText(const MemoryPlan& plan, const RunConfig& config) {
  std::string text =
      base::Format("# memory plan: {:.2f} B weights in {}, prompts of up to {} tokens, completions of {}\n",
                   static_cast<double>(plan.num_weights) / 1e9, base::NameIn(config.dtype), plan.prompt_tokens,
                   config.rollout.max_new_tokens);
  std::int64_t together = 0;
  for (const MemoryPlace& place : plan.places) {
    const std::string where = place.gpu ? "GPU" : "machine";
    text += base::Format("#   {}{} ({}): {} of {} GiB: {}\n", place.who,
                         place.count > 1 ? base::Format(" x {}", place.count) : "", place.gpu ? "one GPU each" : "cpu",
                         GiB(place.total()), GiB(place.limit), place.fits() ? "fits" : "DOES NOT FIT");
    for (const auto& item : place.items) text += base::Format("#     {:>7}  {}\n", GiB(item.bytes), item.what);
    if (!place.gpu) together += place.count * place.total();
  }
  if (plan.places.size() > 1 && together > 0) {
    text += base::Format("#   all on this machine: {} of {} GiB\n", GiB(together), GiB(plan.places[0].limit));
  }
  return text + base::Format("# the run {}\n", plan.fits() ? "fits" : "DOES NOT FIT");
}

namespace {

// What makes a part smaller, by a word of its name. The first that fits counts.
const char* KeysThatShrink(const std::string& part) {
  static constexpr std::pair<const char*, const char*> kKeys[] = {
      {"cache", "engine.cache_tokens, rollout.max_completion_length, train.groups_per_step"},
      {"working memory", "train.groups_per_step, train.num_generations, rollout.max_completion_length"},
      {"activations", "train.micro_batch_tokens, train.gradient_checkpointing: true"},
      {"backward", "train.micro_batch_tokens, train.gradient_checkpointing: true"},
      {"evaluation", "eval.steps: 0, rollout.max_completion_length"},
      {"KL reference", "train.offload_reference: true, train.beta: 0"},
      {"checkpoint", "train.save_behind: false"},
      {"judge", "judge.backend: endpoint, or a smaller judge"},
  };
  for (const auto& [word, keys] : kKeys) {
    if (part.find(word) != std::string::npos) return keys;
  }
  return "dtype: bfloat16, more learner ranks (placement.ranks), or a smaller model";
}

std::string Shortage(const MemoryPlace& place) {
  std::vector<MemoryPlace::Item> items = place.items;
  std::stable_sort(items.begin(), items.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  constexpr std::size_t kNamed = 3;
  std::string parts;
  for (std::size_t i = 0; i < std::min(items.size(), kNamed); ++i) {
    parts += base::Format("{}{} {}", i == 0 ? "" : ", ", items[i].what, GiB(items[i].bytes));
  }
  return base::Format("memory: {} needs {} GiB, and the {} has {} ({}…): what makes it smaller is {}", place.who,
                      GiB(place.total()), place.gpu ? "GPU (device_memory_gib)" : "machine", GiB(place.limit), parts,
                      KeysThatShrink(items.front().what));
}

}  // namespace

std::vector<std::string> WhatDoesNotFit(const MemoryPlan& plan, bool one_machine) {
  std::vector<std::string> short_of;
  std::int64_t together = 0, limit = 0;
  for (const MemoryPlace& place : plan.places) {
    if (!place.fits()) short_of.push_back(Shortage(place));
    if (place.gpu) continue;
    together += place.count * place.total();
    limit = place.limit;
  }
  if (short_of.empty() && one_machine && together > limit) {
    short_of.push_back(
        base::Format("memory: the processes of this machine need {} GiB together, and it has {}: start fewer of them "
                     "(placement.ranks), or on more machines",
                     GiB(together), GiB(limit)));
  }
  return short_of;
}

MemoryWatch::MemoryWatch(const MemoryPlace& place, std::string device)
    : predicted_(place.total()), device_(std::move(device)) {
  base::LogInfo("memory: predicted peak of {}: {}", place.who, ToText(place));
}

base::Metrics MemoryWatch::AfterStep() {
  const std::int64_t on_gpu = model::PeakDeviceBytes(at::Device(device_));
  // What the driver takes for itself is in the prediction and not in the allocator's count.
  const std::int64_t measured = on_gpu > 0 ? on_gpu + kGpuProgram : PeakResidentBytes();
  if (++steps_ <= 2) {
    base::LogInfo("memory: peak after {}: {} GiB measured, {} predicted ({:+.0f} %)",
                  steps_ == 1 ? "one step" : "two steps", GiB(measured), GiB(predicted_),
                  100.0 * (static_cast<double>(predicted_) / static_cast<double>(measured) - 1.0));
  }
  return {{"memory/peak_gib", static_cast<double>(measured) / kGiB},
          {"memory/predicted_gib", static_cast<double>(predicted_) / kGiB}};
}

std::int64_t PeakResidentBytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) return std::atoll(line.c_str() + 6) * 1024;
  }
  return 0;
}

}  // namespace autodidact::launch
