#include "learner/prompt_queue.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/rng.h"

namespace autodidact::learner {

PromptQueue::PromptQueue(QueueConfig config, std::vector<schema::Prompt> prompts,
                         std::vector<schema::Supervision> supervision)
    : config_(config), prompts_(std::move(prompts)), supervision_(std::move(supervision)), step_(config.first_step) {
  AD_CHECK(supervision_.empty() || supervision_.size() == prompts_.size(), "{} supervisions for {} prompts",
           supervision_.size(), prompts_.size());
  if (prompts_.empty()) base::ThrowBadInput("data: there is no prompt to train on");
  OpenSteps();
}

void PromptQueue::Announce(schema::WeightVersion version) {
  versions_[step_] = version;
  versions_.erase(versions_.begin(), versions_.lower_bound(step_ - config_.max_staleness));
}

std::optional<schema::WeightVersion> PromptQueue::MinVersion(std::int64_t step) const {
  const auto found = versions_.find(std::max(config_.first_step, step - config_.max_staleness));
  if (found == versions_.end()) return std::nullopt;
  return found->second;
}

std::size_t PromptQueue::IndexOf(schema::Ticket ticket) const {
  const auto count = static_cast<std::int64_t>(prompts_.size());
  const auto pass = static_cast<std::int64_t>(ticket) / count;
  const auto index = static_cast<std::int64_t>(ticket) % count;
  if (!config_.shuffle) return static_cast<std::size_t>(index);
  if (pass != pass_) {
    order_.resize(prompts_.size());
    std::iota(order_.begin(), order_.end(), 0u);
    base::RandomWalk walk(
        {.seed = config_.seed, .stream = base::RandomStream::kShuffle, .item = static_cast<std::uint64_t>(pass)});
    base::Shuffle(order_, walk);
    pass_ = pass;
  }
  return order_[static_cast<std::size_t>(index)];
}

void PromptQueue::OpenSteps() {
  const std::int64_t open = std::min(config_.max_staleness + 1, config_.max_steps - step_);
  const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(0, open) * config_.groups_per_step);
  if (slots_.size() < wanted) slots_.resize(wanted);
}

std::vector<schema::Lease> PromptQueue::Take(const std::string& actor, std::uint32_t max_groups,
                                             base::Clock::time_point now) {
  std::vector<schema::Lease> leases;
  for (std::size_t i = 0; i < slots_.size() && leases.size() < max_groups; ++i) {
    const schema::Ticket ticket = FirstTicket() + i;
    const auto min_version = MinVersion(StepOf(ticket));
    if (!min_version) break;
    Slot& slot = slots_[i];
    if (slot.state != SlotState::kPending) continue;
    slot.state = SlotState::kLeased;
    slot.actor = actor;
    slot.lent_to.insert(actor);
    slot.leased_at = now;
    ++slot.attempts;
    leases.push_back({.ticket = ticket,
                      .prompt = PromptOf(ticket),
                      .supervision = supervision_.empty() ? schema::Supervision() : supervision_[IndexOf(ticket)],
                      .attempt = slot.attempts,
                      .milliseconds = static_cast<std::uint32_t>(config_.lease.count()),
                      .min_version = *min_version});
  }
  return leases;
}

schema::Receipt PromptQueue::Submit(schema::ScoredGroup group) {
  const schema::Ticket ticket = group.group.ticket;
  if (ticket < FirstTicket()) {
    ++duplicates_;
    return schema::Receipt::kDuplicate;
  }
  if (ticket - FirstTicket() >= slots_.size()) return schema::Receipt::kUnknown;
  Slot& slot = slots_[ticket - FirstTicket()];
  if (!slot.lent_to.contains(group.actor)) return schema::Receipt::kUnknown;
  if (slot.state == SlotState::kDone || slot.state == SlotState::kDropped) {
    ++duplicates_;
    return schema::Receipt::kDuplicate;
  }
  const schema::WeightVersion oldest = MinVersion(StepOf(ticket)).value_or(0);
  for (const schema::Rollout& rollout : group.group.rollouts) {
    if (rollout.first_version < oldest) {
      ++stale_;
      if (slot.state == SlotState::kLeased && slot.actor == group.actor) {
        GiveBack(slot, base::Format("ticket {}: rollouts of version {} where {} is the oldest allowed", ticket,
                                    rollout.first_version, oldest));
      }
      return schema::Receipt::kStale;
    }
  }
  slot.state = SlotState::kDone;
  slot.group = std::move(group);
  return schema::Receipt::kAccepted;
}

void PromptQueue::GiveBack(Slot& slot, const std::string& why) {
  if (slot.attempts >= config_.max_attempts) {
    slot.state = SlotState::kDropped;
    slot.why_dropped = base::Format("{} ({} attempts)", why, slot.attempts);
  } else {
    slot.state = SlotState::kPending;
  }
}

void PromptQueue::Expire(base::Clock::time_point now) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (slot.state != SlotState::kLeased || now - slot.leased_at < config_.lease) continue;
    ++expired_;
    GiveBack(slot, base::Format("ticket {}: {} did not return it within {} s", FirstTicket() + i, slot.actor,
                                config_.lease.count() / 1000));
  }
}

void PromptQueue::ReturnAll(const std::string& actor, const std::string& why) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (slot.state != SlotState::kLeased || slot.actor != actor) continue;
    ++expired_;
    GiveBack(slot, base::Format("ticket {}: {} {}", FirstTicket() + i, actor, why));
  }
}

bool PromptQueue::StepReady() const {
  if (finished()) return false;
  return std::all_of(slots_.begin(), slots_.begin() + config_.groups_per_step, [](const Slot& slot) {
    return slot.state == SlotState::kDone || slot.state == SlotState::kDropped;
  });
}

StepBatch PromptQueue::TakeStep() {
  AD_CHECK(StepReady(), "step {} was taken before it was complete", step_);
  StepBatch batch;
  for (std::int64_t i = 0; i < config_.groups_per_step; ++i) {
    Slot& slot = slots_.front();
    if (slot.state == SlotState::kDone) {
      batch.groups.push_back(std::move(*slot.group));
    } else {
      batch.dropped.push_back(std::move(slot.why_dropped));
    }
    slots_.pop_front();
  }
  batch.expired_leases = std::exchange(expired_, 0);
  batch.duplicates = std::exchange(duplicates_, 0);
  batch.stale = std::exchange(stale_, 0);
  ++step_;
  OpenSteps();
  return batch;
}

std::string PromptQueue::Describe(base::Clock::time_point now) const {
  std::int64_t done = 0, pending = 0;
  std::map<std::string, std::pair<std::int64_t, double>> leased;  // actor -> slots, longest seconds
  for (std::int64_t i = 0; i < std::min<std::int64_t>(config_.groups_per_step, std::ssize(slots_)); ++i) {
    const Slot& slot = slots_[static_cast<std::size_t>(i)];
    if (slot.state == SlotState::kPending) {
      ++pending;
    } else if (slot.state == SlotState::kLeased) {
      auto& [count, longest] = leased[slot.actor];
      ++count;
      longest = std::max(longest, std::chrono::duration<double>(now - slot.leased_at).count());
    } else {
      ++done;
    }
  }
  std::string text =
      base::Format("step {}: {} of {} groups are in, {} not given out", step_, done, config_.groups_per_step, pending);
  for (const auto& [actor, lease] : leased) {
    text += base::Format(", {} with {} for {:.0f} s", lease.first, actor, lease.second);
  }
  return text;
}

}  // namespace autodidact::learner
