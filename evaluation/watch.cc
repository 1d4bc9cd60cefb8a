#include "evaluation/watch.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "answers/compare.h"
#include "answers/extract.h"
#include "base/format.h"
#include "json/json.h"

namespace autodidact::evaluation {
namespace {

using Answer = std::optional<std::string>;

// Counts equal answers over different prompts; "no answer" is one of them, since a run can collapse into it.
class Census {
 public:
  void Add(const Answer& answer) {
    ++counts_[answer];
    ++total_;
  }
  double TopShare() const {
    std::int64_t top = 0;
    for (const auto& [answer, count] : counts_) top = std::max(top, count);
    return total_ == 0 ? 0 : static_cast<double>(top) / static_cast<double>(total_);
  }
  double DistinctShare() const {
    return total_ == 0 ? 0 : static_cast<double>(counts_.size()) / static_cast<double>(total_);
  }
  std::int64_t total() const { return total_; }

 private:
  std::map<Answer, std::int64_t> counts_;
  std::int64_t total_ = 0;
};

bool IsAnyOf(answers::Comparator comparator, const Answer& answer, const std::vector<std::string>& labels) {
  return answer && answers::EqualAny(comparator, *answer, labels);
}

// One group's part of the metrics; returns its answers.
std::vector<Answer> LookAtGroup(const estimators::AnswerRule& rule, const data::GroupRecord& record,
                                const std::vector<std::string>* labels, base::MetricAccumulator& means,
                                Census& rollouts, Census& references) {
  const schema::ScoredGroup& scored = record.scored;
  std::vector<std::string> texts;
  std::vector<Answer> found;
  for (const schema::Rollout& rollout : scored.group.rollouts) {
    texts.push_back(rollout.text);
    found.push_back(answers::Extract(rule.extractor, rollout.text));
    rollouts.Add(found.back());
    means.Add("completions/no_answer", found.back() ? 0 : 1);
  }
  Answer reference;
  if (scored.reference.ok()) {
    const auto admitted = answers::ReferenceAnswers(rule.extractor, scored.reference->text);
    if (!admitted.empty()) reference = admitted.front();
  }
  references.Add(reference);
  const auto majority_reference = estimators::MajorityReference(rule, texts);
  Answer majority;
  if (majority_reference.ok()) majority = answers::Extract(rule.extractor, majority_reference->text);
  const bool both = reference && majority;
  const bool agree = both && answers::Equal(rule.comparator, *reference, *majority);
  if (both) means.Add("anchor/agreement", agree ? 1 : 0);
  if (!labels || texts.empty()) return found;

  double right = 0;
  for (const Answer& answer : found) right += IsAnyOf(rule.comparator, answer, *labels);
  const bool reference_right = IsAnyOf(rule.comparator, reference, *labels);
  means.Add("accuracy/rollouts", right / static_cast<double>(found.size()));
  means.Add("accuracy/reference", reference_right ? 1 : 0);
  means.Add("accuracy/majority", IsAnyOf(rule.comparator, majority, *labels) ? 1 : 0);
  means.Add("accuracy/right_when_all_wrong", reference_right && right == 0 ? 1 : 0);
  if (both && !agree) means.Add("accuracy/reference_where_disagree", reference_right ? 1 : 0);
  return found;
}

}  // namespace

RunWatch::RunWatch(WatchConfig config, std::map<std::string, std::vector<std::string>> labels)
    : config_(config), labels_(std::move(labels)), monitor_(config_.collapse) {
  const answers::Extractor extractor = config_.rule.extractor;
  for (auto& [id, of_row] : labels_)
    of_row = answers::ReferenceAnswers(extractor, answers::LabelText(extractor, of_row));
  std::erase_if(labels_, [](const auto& labels) { return labels.second.empty(); });
}

RunWatch::Findings RunWatch::Look(const std::vector<data::GroupRecord>& groups) {
  base::MetricAccumulator means;
  Census rollouts, references;
  std::vector<std::vector<Answer>> answers;
  double rewards = 0, num_rewards = 0;
  for (const data::GroupRecord& record : groups) {
    const auto labels = labels_.find(record.prompt.id);
    answers.push_back(LookAtGroup(config_.rule, record, labels == labels_.end() ? nullptr : &labels->second, means,
                                  rollouts, references));
    for (const schema::Reward& value : record.scored.rewards) {
      if (value.ok()) rewards += *value, ++num_rewards;
    }
  }
  Findings findings{means.Means(), {}, {}};
  const auto similarity = MeasureSimilarity(answers);
  if (!similarity) return findings;
  const double group_size = static_cast<double>(rollouts.total()) / static_cast<double>(groups.size());
  const auto reward = num_rewards > 0 ? std::optional(rewards / num_rewards) : std::nullopt;
  auto signs = monitor_.Look(*similarity, reward, group_size);
  findings.metrics["diversity/top_answer"] = rollouts.TopShare();
  findings.metrics["diversity/top_reference"] = references.TopShare();
  findings.metrics["diversity/distinct_references"] = references.DistinctShare();
  findings.metrics["diversity/similarity_within"] = similarity->within;
  findings.metrics["diversity/similarity_across"] = similarity->cross;
  findings.metrics["diversity/kappa"] = signs.smoothed.kappa();
  findings.metrics["collapse_alarm"] = monitor_.alarmed() ? 1 : 0;
  findings.alarm = std::move(signs.alarm);
  findings.warning = std::move(signs.warning);
  return findings;
}

std::string RunWatch::Save() const {
  return json::Dump(monitor_.Save());
}

void RunWatch::Restore(const std::string& saved) {
  const std::string where = "the watch's state in the checkpoint";
  monitor_.Restore(json::Parse(saved, where), where);
}

}  // namespace autodidact::evaluation
