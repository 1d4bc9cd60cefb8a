// The run's sequence of prompts: which ticket is which prompt, who works on it, and what came back.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "schema/types.h"

namespace autodidact::learner {

struct QueueConfig {
  std::int64_t groups_per_step = 32;  // slots in a step
  std::int64_t max_staleness = 0;     // steps by which rollouts may be older than the weights that learn from them
  std::int64_t first_step = 0;        // where a resumed run goes on
  std::int64_t max_steps = 1000;
  std::uint64_t seed = 0;
  bool shuffle = true;                // a new order in every pass over the prompts
  base::Milliseconds lease{120'000};  // after that a ticket is given out again
  std::uint32_t max_attempts = 3;     // then its group is dropped
};

// What a step has to learn from, in ticket order.
struct StepBatch {
  std::vector<schema::ScoredGroup> groups;
  std::vector<std::string> dropped;  // why a group was dropped, one line each
  std::int64_t expired_leases = 0;   // since the last step
  std::int64_t duplicates = 0;
  std::int64_t stale = 0;
};

// Ticket t belongs to step t / groups_per_step. A slot's lifecycle: pending -> leased -> done, back to pending when
// the lease expires or the group was stale, or dropped after max_attempts. Not thread-safe: its owner guards it.
class PromptQueue {
 public:
  // `supervision`: what each prompt is handed out with, or empty.
  PromptQueue(QueueConfig config, std::vector<schema::Prompt> prompts,
              std::vector<schema::Supervision> supervision = {});

  // The weights that exist once the current step's predecessors are done: opens the steps that may use them, those
  // within max_staleness of the weights.
  void Announce(schema::WeightVersion version);
  // The oldest weights that may make rollouts for this step; nothing while they do not exist yet.
  std::optional<schema::WeightVersion> MinVersion(std::int64_t step) const;
  const schema::Prompt& PromptOf(schema::Ticket ticket) const { return prompts_[IndexOf(ticket)]; }

  // Up to max_groups leases in ticket order, of steps whose weights exist; none when all of those are given out.
  std::vector<schema::Lease> Take(const std::string& actor, std::uint32_t max_groups, base::Clock::time_point now);
  // Takes a group that was lent to its sender, also one whose lease has run out since. The group must have passed
  // schema::Check.
  schema::Receipt Submit(schema::ScoredGroup group);
  // Gives expired leases out again.
  void Expire(base::Clock::time_point now);

  // Gives the actor's leases out again though their time has not run out: it is not there any more. `why` follows its
  // name in messages.
  void ReturnAll(const std::string& actor, const std::string& why);

  // Whether every slot of the current step is done or dropped.
  bool StepReady() const;
  // Moves the current step's groups out and opens the next one. Only when StepReady.
  StepBatch TakeStep();
  bool finished() const { return step_ >= config_.max_steps; }
  // "step 3: 2 of 48 slots leased (actor-0 since 12 s), 0 pending", for messages.
  std::string Describe(base::Clock::time_point now) const;

 private:
  enum class SlotState { kPending, kLeased, kDone, kDropped };
  struct Slot {
    SlotState state = SlotState::kPending;
    std::string actor;              // who has it
    std::set<std::string> lent_to;  // and who had it before
    base::Clock::time_point leased_at;
    std::uint32_t attempts = 0;
    std::optional<schema::ScoredGroup> group;
    std::string why_dropped;
  };

  std::int64_t StepOf(schema::Ticket ticket) const {
    return static_cast<std::int64_t>(ticket) / config_.groups_per_step;
  }
  schema::Ticket FirstTicket() const { return static_cast<schema::Ticket>(step_ * config_.groups_per_step); }
  std::size_t IndexOf(schema::Ticket ticket) const;
  void OpenSteps();
  void GiveBack(Slot& slot, const std::string& why);

  QueueConfig config_;
  std::vector<schema::Prompt> prompts_;
  std::vector<schema::Supervision> supervision_;  // one per prompt, or empty
  std::int64_t step_;
  std::map<std::int64_t, schema::WeightVersion> versions_;  // by the number of steps that were done
  std::deque<Slot> slots_;                                  // from the current step's first ticket on
  mutable std::int64_t pass_ = -1;                          // the pass over the prompts that order_ belongs to
  mutable std::vector<std::uint32_t> order_;
  std::int64_t expired_ = 0;
  std::int64_t duplicates_ = 0;
  std::int64_t stale_ = 0;
};

}  // namespace autodidact::learner
