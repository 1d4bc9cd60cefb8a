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
  const auto place = static_cast<std::int64_t>(ticket) % count;
  if (!config_.shuffle) return static_cast<std::size_t>(place);
  if (pass != pass_) {
    order_.resize(prompts_.size());
    std::iota(order_.begin(), order_.end(), 0u);
    base::RandomWalk walk(
        {.seed = config_.seed, .stream = base::RandomStream::kShuffle, .item = static_cast<std::uint64_t>(pass)});
    base::Shuffle(order_, walk);
    pass_ = pass;
  }
  return order_[static_cast<std::size_t>(place)];
}

void PromptQueue::OpenSteps() {
  const std::int64_t open = std::min(config_.max_staleness + 1, config_.max_steps - step_);
  const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(0, open) * config_.groups_per_step);
  if (places_.size() < wanted) places_.resize(wanted);
}

std::vector<schema::Lease> PromptQueue::Take(const std::string& actor, std::uint32_t max_groups,
                                             base::Clock::time_point now) {
  std::vector<schema::Lease> leases;
  for (std::size_t i = 0; i < places_.size() && leases.size() < max_groups; ++i) {
    const schema::Ticket ticket = FirstTicket() + i;
    const auto min_version = MinVersion(StepOf(ticket));
    if (!min_version) break;
    Place& place = places_[i];
    if (place.state != PlaceState::kPending) continue;
    place.state = PlaceState::kLeased;
    place.actor = actor;
    place.lent_to.insert(actor);
    place.leased_at = now;
    ++place.attempts;
    leases.push_back({.ticket = ticket,
                      .prompt = PromptOf(ticket),
                      .supervision = supervision_.empty() ? schema::Supervision() : supervision_[IndexOf(ticket)],
                      .attempt = place.attempts,
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
  if (ticket - FirstTicket() >= places_.size()) return schema::Receipt::kUnknown;
  Place& place = places_[ticket - FirstTicket()];
  if (!place.lent_to.contains(group.actor)) return schema::Receipt::kUnknown;
  if (place.state == PlaceState::kDone || place.state == PlaceState::kHole) {
    ++duplicates_;
    return schema::Receipt::kDuplicate;
  }
  const schema::WeightVersion oldest = MinVersion(StepOf(ticket)).value_or(0);
  for (const schema::Rollout& rollout : group.group.rollouts) {
    if (rollout.first_version < oldest) {
      ++stale_;
      if (place.state == PlaceState::kLeased && place.actor == group.actor) {
        GiveBack(place, base::Format("ticket {}: rollouts of version {} where {} is the oldest allowed", ticket,
                                     rollout.first_version, oldest));
      }
      return schema::Receipt::kStale;
    }
  }
  place.state = PlaceState::kDone;
  place.group = std::move(group);
  return schema::Receipt::kAccepted;
}

void PromptQueue::GiveBack(Place& place, const std::string& why) {
  if (place.attempts >= config_.max_attempts) {
    place.state = PlaceState::kHole;
    place.hole = base::Format("{} ({} attempts)", why, place.attempts);
  } else {
    place.state = PlaceState::kPending;
  }
}

void PromptQueue::Expire(base::Clock::time_point now) {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    if (place.state != PlaceState::kLeased || now - place.leased_at < config_.lease) continue;
    ++expired_;
    GiveBack(place, base::Format("ticket {}: {} did not return it within {} s", FirstTicket() + i, place.actor,
                                 config_.lease.count() / 1000));
  }
}

bool PromptQueue::StepReady() const {
  if (finished()) return false;
  return std::all_of(places_.begin(), places_.begin() + config_.groups_per_step, [](const Place& place) {
    return place.state == PlaceState::kDone || place.state == PlaceState::kHole;
  });
}

StepBatch PromptQueue::TakeStep() {
  AD_CHECK(StepReady(), "step {} was taken before it was complete", step_);
  StepBatch batch;
  for (std::int64_t i = 0; i < config_.groups_per_step; ++i) {
    Place& place = places_.front();
    if (place.state == PlaceState::kDone) {
      batch.groups.push_back(std::move(*place.group));
    } else {
      batch.holes.push_back(std::move(place.hole));
    }
    places_.pop_front();
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
  std::map<std::string, std::pair<std::int64_t, double>> leased;  // actor -> places, longest seconds
  for (std::int64_t i = 0; i < std::min<std::int64_t>(config_.groups_per_step, std::ssize(places_)); ++i) {
    const Place& place = places_[static_cast<std::size_t>(i)];
    if (place.state == PlaceState::kPending) {
      ++pending;
    } else if (place.state == PlaceState::kLeased) {
      auto& [count, longest] = leased[place.actor];
      ++count;
      longest = std::max(longest, std::chrono::duration<double>(now - place.leased_at).count());
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
