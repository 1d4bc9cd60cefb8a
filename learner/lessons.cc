#include "learner/lessons.h"

#include <algorithm>
#include <utility>

namespace autodidact::learner {
namespace {

constexpr double kSameReward = 1e-9;

struct NamedLesson {
  Lesson lesson;
  const char* metric;
};
constexpr NamedLesson kLessons[] = {
    {Lesson::kSpread, "groups/with_spread"},     {Lesson::kNoGradient, "groups/no_gradient"},
    {Lesson::kNotSampled, "groups/not_sampled"}, {Lesson::kNoReference, "groups/no_reference"},
    {Lesson::kNoReward, "groups/no_reward"},     {Lesson::kAllRight, "groups/all_right"},
    {Lesson::kSameText, "groups/same_text"},     {Lesson::kAllWrong, "groups/all_wrong"},
    {Lesson::kAllEqual, "groups/all_equal"},
};

bool IsOneText(const std::vector<schema::Rollout>& rollouts) {
  return std::all_of(rollouts.begin(), rollouts.end(),
                     [&](const schema::Rollout& rollout) { return rollout.text == rollouts.front().text; });
}

}  // namespace

const char* Name(RunEnd end) {
  switch (end) {
    case RunEnd::kFinished:
      return "finished";
    case RunEnd::kNothingLeft:
      return "nothing_left";
    case RunEnd::kStopped:
      return "stopped";
    case RunEnd::kAlarm:
      return "alarm";
    case RunEnd::kEmpty:
      return "empty";
    case RunEnd::kRefused:
      return "refused";
  }
  return "unknown";
}

Lesson LessonOf(const schema::ScoredGroup& group) {
  const auto& rollouts = group.group.rollouts;
  if (rollouts.empty()) return Lesson::kNotSampled;
  if (!group.reference.ok()) return Lesson::kNoReference;
  std::vector<double> rewards;
  bool same_text = true;
  const std::string* text = nullptr;
  for (std::size_t r = 0; r < group.rewards.size(); ++r) {
    if (!group.rewards[r].ok() || rollouts[r].ids.empty()) continue;
    rewards.push_back(*group.rewards[r]);
    same_text = same_text && (!text || *text == rollouts[r].text);
    text = &rollouts[r].text;
  }
  if (rewards.size() < 2) return Lesson::kNoReward;
  const auto [least, most] = std::minmax_element(rewards.begin(), rewards.end());
  if (*most - *least > kSameReward) return Lesson::kSpread;
  if (*least >= 1) return Lesson::kAllRight;
  if (same_text) return Lesson::kSameText;
  return *most <= 0 ? Lesson::kAllWrong : Lesson::kAllEqual;
}

Lessons::Lessons(const std::vector<data::GroupRecord>& groups, const std::vector<std::string>& dropped, bool updated) {
  for (const data::GroupRecord& record : groups) {
    const schema::ScoredGroup& group = record.scored;
    Lesson lesson = LessonOf(group);
    if (lesson == Lesson::kSpread && !updated) lesson = Lesson::kNoGradient;
    ++counts_[lesson];
    one_text_ += lesson == Lesson::kAllRight && IsOneText(group.group.rollouts);
    const bool unmeasured = lesson == Lesson::kNotSampled || lesson == Lesson::kNoReference;
    if (unmeasured && !group.reference.ok()) reasons_[lesson].Add(group.reference.failure().reason);
    if (lesson == Lesson::kNoReward) {
      for (const schema::Reward& reward : group.rewards) {
        if (!reward.ok()) reasons_[lesson].Add(reward.failure().reason);
      }
    }
    for (const schema::Rollout& rollout : group.group.rollouts) {
      ++rollouts_;
      cut_rollouts_ += rollout.stop == schema::StopReason::kMaxLength;
    }
  }
  for (const std::string& why : dropped) {
    ++counts_[Lesson::kNotSampled];
    reasons_[Lesson::kNotSampled].Add(why);
  }
}

void Lessons::Add(const Lessons& other) {
  for (const auto& [lesson, count] : other.counts_) counts_[lesson] += count;
  for (const auto& [lesson, reasons] : other.reasons_) reasons_[lesson].Add(reasons);
  one_text_ += other.one_text_;
  rollouts_ += other.rollouts_;
  cut_rollouts_ += other.cut_rollouts_;
}

std::int64_t Lessons::Count(Lesson lesson) const {
  const auto found = counts_.find(lesson);
  return found == counts_.end() ? 0 : found->second;
}

std::int64_t Lessons::groups() const {
  std::int64_t sum = 0;
  for (const auto& [lesson, count] : counts_) sum += count;
  return sum;
}

bool Lessons::all_right() const {
  const std::int64_t right = Count(Lesson::kAllRight);
  const std::int64_t failed = Count(Lesson::kNotSampled) + Count(Lesson::kNoReference) + Count(Lesson::kNoReward);
  return right > 0 && right + failed == groups() && failed <= right;
}

Lesson Lessons::CommonestLack() const {
  Lesson commonest = Lesson::kNotSampled;
  std::int64_t most = 0;
  for (const auto& [lesson, count] : counts_) {
    if (lesson != Lesson::kSpread && count > most) {
      commonest = lesson;
      most = count;
    }
  }
  return commonest;
}

std::string Lessons::CommonestReason(Lesson lesson) const {
  const auto found = reasons_.find(lesson);
  return found == reasons_.end() ? "" : found->second.Commonest();
}

base::Metrics Lessons::ToMetrics() const {
  base::Metrics metrics;
  for (const auto& [lesson, metric] : kLessons) metrics[metric] = static_cast<double>(Count(lesson));
  return metrics;
}

EmptySteps::Findings EmptySteps::Look(const Lessons& step) {
  if (step.teaches()) {
    taught_ = true;
    in_a_row_ = 0;
    all_right_ = true;
    lessons_ = {};
    return {};
  }
  Findings findings;
  findings.first = in_a_row_ == 0;
  findings.ever_taught = taught_;
  ++in_a_row_;
  all_right_ = all_right_ && step.all_right();
  lessons_.Add(step);
  if (max_in_a_row_ > 0 && in_a_row_ >= max_in_a_row_) {
    findings.end = EndOfEmpty();
  }
  return findings;
}

RunEnd EmptySteps::AtLastStep() const {
  if (taught_ || in_a_row_ == 0) return RunEnd::kFinished;
  return EndOfEmpty();
}

}  // namespace autodidact::learner
