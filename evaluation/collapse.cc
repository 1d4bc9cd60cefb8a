#include "evaluation/collapse.h"

#include <algorithm>
#include <sstream>

#include "base/format.h"

namespace autodidact::evaluation {
namespace {

constexpr std::int64_t kBaselineSteps = 5;
constexpr double kNewest = 0.3;

using Words = std::optional<std::vector<std::string>>;

Words SortedWords(const std::optional<std::string>& answer) {
  if (!answer) return std::nullopt;
  std::vector<std::string> words;
  std::istringstream stream(*answer);
  for (std::string word; stream >> word;) words.push_back(word);
  std::sort(words.begin(), words.end());
  return words;
}

double Dice(const Words& left, const Words& right) {
  if (!left || !right) return 0;
  if (left->empty() && right->empty()) return 1;
  std::vector<std::string> common;
  std::set_intersection(left->begin(), left->end(), right->begin(), right->end(), std::back_inserter(common));
  return 2.0 * static_cast<double>(common.size()) / static_cast<double>(left->size() + right->size());
}

}  // namespace

std::optional<Similarity> MeasureSimilarity(const std::vector<std::vector<std::optional<std::string>>>& answers) {
  std::vector<std::vector<Words>> words;
  for (const auto& group : answers) {
    auto& sorted = words.emplace_back();
    for (const auto& answer : group) sorted.push_back(SortedWords(answer));
  }
  Similarity sums;
  std::int64_t within = 0, cross = 0;
  for (std::size_t g = 0; g < words.size(); ++g) {
    const auto& next = words[(g + 1) % words.size()];
    for (std::size_t r = 0; r < words[g].size(); ++r) {
      if (r > 0) {
        sums.within += Dice(words[g][r - 1], words[g][r]);
        ++within;
      }
      if (words.size() > 1 && r < next.size()) {
        sums.cross += Dice(words[g][r], next[r]);
        ++cross;
      }
    }
  }
  if (within == 0 || cross == 0) return std::nullopt;
  return Similarity{sums.within / static_cast<double>(within), sums.cross / static_cast<double>(cross)};
}

CollapseMonitor::Signs CollapseMonitor::Look(const Similarity& similarity, std::optional<double> reward,
                                             double group_size) {
  const double weight = steps_ == 0 ? 1.0 : kNewest;
  smoothed_.within += weight * (similarity.within - smoothed_.within);
  smoothed_.cross += weight * (similarity.cross - smoothed_.cross);
  ++steps_;
  if (steps_ <= kBaselineSteps) baseline_ += (similarity.cross - baseline_) / static_cast<double>(steps_);

  Signs signs{smoothed_, {}, {}};
  const bool risen = smoothed_.cross >= baseline_ + rule_.rise && smoothed_.kappa() < rule_.kappa;
  suspicious_ = steps_ >= kBaselineSteps && (risen || smoothed_.cross >= rule_.certain) ? suspicious_ + 1 : 0;
  if (suspicious_ >= rule_.patience && !alarmed_) {
    alarmed_ = true;
    signs.alarm = base::Format(
        "the run collapses: answers to different prompts are {:.0f} % alike ({:.0f} % at the start), those to the same "
        "prompt {:.0f} %, so the reward no longer depends on the question; start from a better base, lower the "
        "learning rate, raise beta, or stop earlier",
        100 * smoothed_.cross, 100 * baseline_, 100 * smoothed_.within);
  }
  if (!reward) return signs;
  stalled_ = *reward < rule_.stall_reward / group_size ? stalled_ + 1 : 0;
  if (stalled_ == rule_.stall_steps) {
    signs.warning = base::Format(
        "for {} steps the reward has been {:.3f}, hardly more than one rollout of {} agreeing with the reference: "
        "nothing is learned from it",
        stalled_, *reward, group_size);
  }
  return signs;
}

json::Json CollapseMonitor::Save() const {
  return {{"steps", steps_},          {"baseline", baseline_},     {"within", smoothed_.within},
          {"cross", smoothed_.cross}, {"suspicious", suspicious_}, {"stalled", stalled_},
          {"alarmed", alarmed_}};
}

void CollapseMonitor::Restore(const json::Json& saved, const std::string& where) {
  steps_ = json::GetInteger(saved, "steps", where);
  baseline_ = json::GetNumber(saved, "baseline", where);
  smoothed_ = {json::GetNumber(saved, "within", where), json::GetNumber(saved, "cross", where)};
  suspicious_ = json::GetInteger(saved, "suspicious", where);
  stalled_ = json::GetInteger(saved, "stalled", where);
  alarmed_ = saved.value("alarmed", false);
}

}  // namespace autodidact::evaluation
