#include "launch/train/lesson_watch.h"

#include <vector>

#include "answers/extract.h"
#include "base/format.h"
#include "base/log.h"
#include "launch/train/advice.h"
#include "launch/wiring/wiring.h"

namespace autodidact::launch {
namespace {

std::int64_t CountAnswers(answers::Extractor extractor, const std::vector<data::GroupRecord>& groups) {
  std::int64_t count = 0;
  for (const data::GroupRecord& record : groups) {
    for (const schema::Rollout& rollout : record.scored.group.rollouts) {
      count += answers::Extract(extractor, rollout.text).has_value();
    }
  }
  return count;
}

}  // namespace

learner::LearnerHooks::Findings LessonWatch::Look(const learner::LearnerHooks::FinishedStep& step) {
  const auto gradient = step.metrics.find("grad_norm");
  const bool updated = gradient != step.metrics.end() && gradient->second > 0;
  const learner::Lessons lessons(step.groups, step.dropped, updated);
  learner::LearnerHooks::Findings findings;
  findings.metrics = lessons.ToMetrics();
  const auto found = steps_.Look(lessons);
  if (lessons.teaches()) {
    answered_ = 0;
    return findings;
  }
  answered_ += CountAnswers(config_.answer.rule().extractor, step.groups);
  if (found.first) {
    const auto level = found.ever_taught ? base::LogLevel::kWarning : base::LogLevel::kError;
    base::LogLine(
        level, base::Format("step {} teaches nothing: {}", step.step, WhyNothingIsTaught(config_, lessons, answered_)));
  }
  if (found.end) findings.end = EndWith(*found.end);
  return findings;
}

learner::RunEnd LessonWatch::Conclude() {
  const learner::RunEnd end = steps_.AtLastStep();
  return end == learner::RunEnd::kFinished ? end : EndWith(end);
}

learner::RunEnd LessonWatch::EndWith(learner::RunEnd end) {
  const bool nothing_left = end == learner::RunEnd::kNothingLeft;
  diagnosis_ =
      base::Format("{} in the last {} steps: {}", nothing_left ? "nothing is left to learn" : "nothing was taught",
                   steps_.in_a_row(), WhyNothingIsTaught(config_, steps_.lessons(), answered_));
  base::LogLine(
      nothing_left ? base::LogLevel::kWarning : base::LogLevel::kError,
      base::Format("the run ends: {} (train.max_empty_steps: {})", diagnosis_, config_.train.max_empty_steps));
  return end;
}

}  // namespace autodidact::launch
