#include "data/run_folder.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/format.h"
#include "base/log.h"
#include "data/durable.h"
#include "data/rows.h"
#include "json/json.h"

namespace autodidact::data {
namespace {

using json::Json;

constexpr const char* kMetricsFile = "metrics.jsonl";
constexpr const char* kRolloutsFolder = "rollouts";

// The step of "step_000012.jsonl", or nothing for another name.
std::optional<std::int64_t> StepOfRollouts(const std::string& name) {
  constexpr std::string_view kPrefix = "step_";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::int64_t step = 0;
  const char* begin = name.data() + kPrefix.size();
  const auto [end, error] = std::from_chars(begin, name.data() + name.size(), step);
  if (error != std::errc() || end == begin || !std::string_view(end).starts_with(".jsonl")) return std::nullopt;
  return step;
}

// Keeps the lines up to and including `last_step`. A last line that a killed process left incomplete goes too, and so
// does, with a warning, what a machine that lost its power made of a line.
void CutMetrics(const std::filesystem::path& file, std::int64_t last_step) {
  if (!std::filesystem::exists(file)) return;
  const std::string bytes = json::ReadFile(file);
  std::string kept;
  std::string_view rest = bytes;
  for (std::int64_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const std::string where = base::Format("{}:{}", file.string(), number);
    try {
      if (json::GetInteger(json::Parse(line, where), "step", where) <= last_step) kept.append(line).push_back('\n');
    } catch (const base::Error& error) {
      base::LogWarning("a line of metrics is left out: {}", error.message());
    }
  }
  if (kept != bytes) json::WriteFile(file, kept);
}

Json PromptValue(const schema::Prompt& prompt) {
  if (prompt.messages.empty()) return prompt.text;
  Json messages = Json::array();
  for (const auto& message : prompt.messages) messages.push_back(ToJson(message));
  return messages;
}

void AddRollouts(const schema::RolloutGroup& group, Json& line) {
  Json completions = Json::array(), stops = Json::array(), lengths = Json::array();
  Json first_versions = Json::array(), last_versions = Json::array();
  for (const schema::Rollout& rollout : group.rollouts) {
    completions.push_back(rollout.text);
    stops.push_back(schema::Name(rollout.stop));
    lengths.push_back(rollout.ids.size());
    first_versions.push_back(rollout.first_version);
    last_versions.push_back(rollout.last_version);
  }
  line["prompt_tokens"] = group.prompt_ids.size();
  line["first_versions"] = std::move(first_versions);
  line["last_versions"] = std::move(last_versions);
  line["completions"] = std::move(completions);
  line["stop_reasons"] = std::move(stops);
  line["num_tokens"] = std::move(lengths);
}

void AddReference(const base::Outcome<schema::Reference>& reference, Json& line) {
  line["reference"] = reference.ok() ? Json(reference->text) : Json();
  line["reference_generation"] = reference.ok() ? Json(reference->generation) : Json();
  line["reference_stages"] = reference.ok() ? Json(reference->stages) : Json();
  line["rubric"] = Json::array();
  line["rubric_points"] = Json::array();
  if (reference.ok()) {
    for (const schema::Criterion& criterion : reference->rubric) {
      line["rubric"].push_back(criterion.text);
      line["rubric_points"].push_back(criterion.points);
    }
  }
  line["failure"] = reference.ok() ? Json() : Json(reference.failure().reason);
}

void AddJudgement(const schema::ScoredGroup& scored, Json& line) {
  Json rewards = Json::array(), reasons = Json::array(), verdicts = Json::array();
  for (const schema::Reward& reward : scored.rewards) {
    rewards.push_back(reward.ok() ? Json(*reward) : Json());
    reasons.push_back(reward.ok() ? Json() : Json(reward.failure().reason));
  }
  const std::vector<schema::Criterion> none;
  const auto& rubric = scored.reference.ok() ? scored.reference->rubric : none;
  for (const schema::Verdict& verdict : scored.verdicts) {
    // Without a rubric the one question is whether the response agrees with the reference.
    const std::string text = verdict.criterion < rubric.size() ? rubric[verdict.criterion].text : "";
    verdicts.push_back({{"rollout", verdict.rollout},
                        {"criterion", verdict.criterion},
                        {"text", text},
                        {"verdict", schema::Name(verdict.kind)},
                        {"reason", verdict.reason}});
  }
  line["rewards"] = std::move(rewards);
  line["reward_failures"] = std::move(reasons);
  line["verdicts"] = std::move(verdicts);
}

Json RecordLine(std::int64_t step, const GroupRecord& record) {
  const schema::ScoredGroup& scored = record.scored;
  Json line = {{"step", step},
               {"ticket", scored.group.ticket},
               {"id", record.prompt.id},
               {"prompt", PromptValue(record.prompt)},
               {"actor", scored.actor}};
  AddRollouts(scored.group, line);
  AddReference(scored.reference, line);
  AddJudgement(scored, line);
  line["advantages"] = record.advantages;
  line["rollout_seconds"] = scored.rollout_seconds;
  line["anchor_seconds"] = scored.anchor_seconds;
  line["judge_seconds"] = scored.judge_seconds;
  return line;
}

}  // namespace

std::vector<std::filesystem::path> RolloutsAfter(const std::filesystem::path& folder, std::int64_t last_step) {
  std::vector<std::filesystem::path> late;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder / kRolloutsFolder, none)) {
    const auto step = StepOfRollouts(entry.path().filename().string());
    if (step && *step > last_step) late.push_back(entry.path());
  }
  return late;
}

RunFolder::RunFolder(std::filesystem::path folder, bool resume, std::int64_t first_step) : folder_(std::move(folder)) {
  const auto metrics = folder_ / kMetricsFile;
  const auto rollouts = folder_ / kRolloutsFolder;
  try {
    if (resume && !std::filesystem::is_directory(folder_)) {
      base::ThrowBadInput(folder_.string() + ": there is no run here to resume");
    }
    if (!resume && (HoldsAnything(metrics) || HoldsAnything(rollouts) || HoldsAnything(folder_ / "checkpoints"))) {
      base::ThrowBadInput(folder_.string() + ": already holds the records of a run");
    }
    std::filesystem::create_directories(rollouts);
    if (resume) {
      CutMetrics(metrics, first_step);
      for (const auto& file : RolloutsAfter(folder_, first_step)) std::filesystem::remove(file);
      CutEventFiles(folder_, first_step);
    }
  } catch (const std::filesystem::filesystem_error& error) {
    base::ThrowBadInput(
        base::Format("{}: the run folder cannot be prepared: {}", folder_.string(), error.code().message()));
  }
  metrics_.open(metrics, std::ios::binary | std::ios::app);
  if (!metrics_) base::ThrowBadInput(metrics.string() + ": cannot be opened for writing");
  events_.emplace(folder_, first_step);
}

void RunFolder::WriteMetrics(std::int64_t step, const base::Metrics& metrics) {
  const std::string clash = base::PrefixClash(metrics);
  AD_CHECK(clash.empty(), "the metric '{}' is also a folder of others", clash);
  Json line = {{"step", step}};
  for (const auto& [name, value] : metrics) line[name] = value;
  // In one piece, for who reads along.
  if (base::FaultFails("data.metrics")) metrics_.setstate(std::ios::badbit);
  metrics_ << json::Dump(line) + '\n' << std::flush;
  if (!metrics_)
    throw base::Error(base::ErrorKind::kRetryLater,
                      (folder_ / kMetricsFile).string() + ": cannot be written; is the disk full?");
  events_->Write(step, metrics);
}

void RunFolder::WriteRollouts(std::int64_t step, const std::vector<GroupRecord>& groups) {
  std::string lines;
  for (const GroupRecord& record : groups) lines += json::Dump(RecordLine(step, record)) + '\n';
  json::WriteFile(folder_ / kRolloutsFolder / base::Format("step_{:06}.jsonl", step), lines);
}

}  // namespace autodidact::data
