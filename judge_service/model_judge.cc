#include "judge_service/model_judge.h"

#include <algorithm>
#include <map>
#include <utility>

#include "answers/points_score.h"
#include "base/check.h"
#include "base/format.h"

namespace autodidact::judge_service {
namespace {

std::vector<std::string> ItemsOf(JudgeKind kind, const schema::JudgeRequest& request) {
  if (request.lengths.size() != request.responses.size()) {
    base::ThrowBadInput(base::Format("judge request {}: {} lengths for {} responses", request.ticket,
                                     request.lengths.size(), request.responses.size()));
  }
  if (kind == JudgeKind::kModelAsJudge) {
    std::string reference;
    if (const auto* text = std::get_if<schema::WholeText>(&request.target)) {
      reference = text->text;
    } else if (const auto* labels = std::get_if<schema::Labels>(&request.target)) {
      // Several labels, any of which is right, are told to a judge in words.
      for (const std::string& answer : labels->answers) reference += (reference.empty() ? "" : "\nor\n") + answer;
    }
    if (reference.empty()) {
      base::ThrowBadInput(base::Format("judge request {}: there is no reference", request.ticket));
    }
    return {reference};
  }
  const auto* rubric = std::get_if<schema::Rubric>(&request.target);
  if (!rubric || rubric->criteria.empty()) {
    base::ThrowBadInput(base::Format("judge request {}: there is no rubric", request.ticket));
  }
  std::vector<std::string> items;
  for (const schema::Criterion& criterion : rubric->criteria) items.push_back(criterion.text);
  return items;
}

// For each response the first that equals it: rollouts of one group are often the same.
std::vector<std::size_t> FirstEquals(const std::vector<std::string>& responses) {
  std::map<std::string_view, std::size_t> first;
  std::vector<std::size_t> equals;
  for (std::size_t i = 0; i < responses.size(); ++i) equals.push_back(first.emplace(responses[i], i).first->second);
  return equals;
}

}  // namespace

ModelJudge::ModelJudge(ModelJudgeConfig config, std::unique_ptr<Backend> backend)
    : config_(config),
      backend_(std::move(backend)),
      judge_((config_.kind == JudgeKind::kRubric ? "rubric:" : "reference:") + backend_->identity()),
      cache_(config_.cache) {
  AD_CHECK(config_.kind != JudgeKind::kProgram, "a program judges without a model");
}

void ModelJudge::Add(schema::JudgeRequest request, Done done) {
  std::vector<std::string> items = ItemsOf(config_.kind, request);
  const std::uint64_t id = next_id_++;
  Job& job = jobs_[id];
  num_under_way_ = jobs_.size();
  job.request = std::move(request);
  job.done = std::move(done);
  job.items = std::move(items);
  job.response_of = FirstEquals(job.request.responses);
  job.verdicts.resize(job.request.responses.size());
  std::vector<std::pair<std::size_t, std::vector<std::size_t>>> open;
  for (std::size_t r = 0; r < job.verdicts.size(); ++r) {
    if (job.response_of[r] != r) continue;
    std::vector<std::size_t> unknown;
    for (std::size_t k = 0; k < job.items.size(); ++k) {
      job.verdicts[r].push_back(cache_.Find(judge_, job.items[k], job.request.responses[r]));
      const bool hit = job.verdicts[r].back().has_value();
      metrics_.With([hit](base::MetricAccumulator& metrics) { metrics.Add("judge/cache_hit", hit ? 1 : 0); });
      if (!hit) unknown.push_back(k);
    }
    job.missing += unknown.size();
    if (!unknown.empty()) open.emplace_back(r, std::move(unknown));
  }
  if (job.missing == 0) complete_.push_back(id);
  for (auto& [response, unknown] : open) Ask(id, response, std::move(unknown), 1);
}

void ModelJudge::Ask(std::uint64_t job_id, std::size_t response, std::vector<std::size_t> items,
                     std::uint32_t attempt) {
  const Job& job = jobs_.at(job_id);
  Task task{.id = next_id_++, .response = job.request.responses[response], .items = {}, .attempt = attempt};
  for (const std::size_t item : items) task.items.push_back(job.items[item]);
  asked_[task.id] = {job_id, response, std::move(items), attempt, base::Clock::now()};
  backend_->Start(std::move(task));
}

void ModelJudge::Step(base::Deadline until) {
  if (complete_.empty()) {
    for (TaskResult& result : backend_->Step(until)) Take(std::move(result));
  }
  for (const std::uint64_t id : std::exchange(complete_, {})) {
    const Job job = std::move(jobs_.at(id));
    jobs_.erase(id);
    num_under_way_ = jobs_.size();
    job.done(Conclude(job));
  }
}

void ModelJudge::Take(TaskResult result) {
  const auto at = asked_.find(result.id);
  AD_CHECK(at != asked_.end(), "the judge answered task {}, which nobody asked", result.id);
  const Asked asked = std::move(at->second);
  asked_.erase(at);
  AD_CHECK(result.verdicts.size() == asked.items.size(), "{} verdicts on {} items", result.verdicts.size(),
           asked.items.size());
  Job& job = jobs_.at(asked.job);
  std::vector<std::size_t> again;
  for (std::size_t i = 0; i < asked.items.size(); ++i) {
    ItemVerdict& verdict = result.verdicts[i];
    const bool invalid = verdict.kind == schema::VerdictKind::kInvalid;
    metrics_.With([&](base::MetricAccumulator& metrics) { metrics.Add("judge/invalid_attempts", invalid ? 1 : 0); });
    if (invalid && verdict.may_retry && asked.attempt < config_.attempts) {
      again.push_back(asked.items[i]);
      continue;
    }
    cache_.Put(judge_, job.items[asked.items[i]], job.request.responses[asked.response], verdict);
    job.verdicts[asked.response][asked.items[i]] = std::move(verdict);
    --job.missing;
  }
  metrics_.With(
      [&](base::MetricAccumulator& metrics) { metrics.Add("judge/call_seconds", base::SecondsSince(asked.since)); });
  if (!again.empty()) Ask(asked.job, asked.response, std::move(again), asked.attempt + 1);
  if (job.missing == 0) complete_.push_back(asked.job);
}

schema::JudgeReply ModelJudge::Conclude(const Job& job) const {
  schema::JudgeReply reply{.ticket = job.request.ticket, .verdicts = {}, .rewards = {}};
  for (std::size_t r = 0; r < job.request.responses.size(); ++r) {
    const auto& verdicts = job.verdicts[job.response_of[r]];
    for (std::size_t k = 0; k < verdicts.size(); ++k) {
      reply.verdicts.push_back(
          {static_cast<std::uint32_t>(r), static_cast<std::uint32_t>(k), verdicts[k]->kind, verdicts[k]->reason});
    }
    reply.rewards.push_back(RewardOf(job, r, verdicts));
  }
  return reply;
}

schema::Reward ModelJudge::RewardOf(const Job& job, std::size_t rollout,
                                    const std::vector<std::optional<ItemVerdict>>& verdicts) const {
  std::vector<double> points;
  std::vector<std::optional<bool>> met;
  const std::string* invalid = nullptr;
  for (std::size_t k = 0; k < verdicts.size(); ++k) {
    points.push_back(
        config_.kind == JudgeKind::kRubric ? std::get<schema::Rubric>(job.request.target).criteria[k].points : 1.0);
    if (verdicts[k]->kind == schema::VerdictKind::kInvalid) {
      met.emplace_back(std::nullopt);
      invalid = &verdicts[k]->reason;
    } else {
      met.emplace_back(verdicts[k]->kind == schema::VerdictKind::kMet);
    }
  }
  const auto score = answers::PointsScore(points, met);
  if (!score) {
    return base::Failure{base::ErrorKind::kBadInput,
                         invalid ? "no valid verdict on a criterion with points to gain; the last: " + *invalid
                                 : "the rubric has no criterion with points to gain"};
  }
  double reward = std::clamp(*score, 0.0, 1.0);
  if (config_.length_penalty_above > 0 && job.request.lengths[rollout] > config_.length_penalty_above) {
    reward -= config_.length_penalty;
  }
  return reward;
}

base::Metrics ModelJudge::TakeMetrics() {
  return metrics_.With([](base::MetricAccumulator& metrics) { return std::exchange(metrics, {}).Means(); });
}

}  // namespace autodidact::judge_service
