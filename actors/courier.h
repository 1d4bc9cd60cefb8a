// The courier: walks finished groups to the anchor, to the judge and to the learner while the actor decodes on.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/deadline.h"
#include "base/guarded.h"
#include "net/net.h"
#include "schema/group_reference.h"
#include "schema/types.h"
#include "schema/validate.h"

namespace autodidact::actors {

// Where the references come from. The courier gives the group and the lease that it was made for; what reaches an
// anchor service is a SynthesisRequest, which has no field for the prompt. `done` may run on any thread, at once or
// later, exactly once.
using ReferenceSource =
    std::function<void(const schema::Lease& lease, const schema::RolloutGroup& group, base::Deadline deadline,
                       std::function<void(base::Outcome<schema::GroupReference>)> done)>;

// Counts the replies to one actor that were not as they should be. Each of them is a failure of its call that may be
// tried again.
using RefusedReplies = std::atomic<std::uint64_t>;

// The anchor service over the network. Client and count must outlive it.
ReferenceSource RemoteAnchor(net::Client& anchor, RefusedReplies& refused);

struct CourierConfig {
  std::string actor = "actor-0";
  std::uint32_t attempts = 3;                  // per call, before the group fails for good
  base::Milliseconds anchor_timeout{120'000};  // per attempt
  base::Milliseconds judge_timeout{120'000};
  base::Milliseconds learner_timeout{60'000};
  schema::RewardRange rewards;  // that a judge can give
};

// Thread-safe. Each group is a chain of asynchronous calls; the callbacks run on the clients' threads. A failure of the
// anchor or the judge is retried, then becomes part of the group (no reference, no rewards), never a zero.
class Courier {
 public:
  // The clients, the source and the count must outlive the courier.
  Courier(CourierConfig config, ReferenceSource reference, net::Client& judge, net::Client& learner,
          RefusedReplies& refused);
  ~Courier();  // waits for the callbacks of the calls under way
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  // Never blocks. `rollout_seconds` from lease to last token.
  void Send(schema::Lease lease, schema::RolloutGroup group, double rollout_seconds);
  // A group that could not be sampled: the learner drops it with this reason.
  void SendFailure(schema::Ticket ticket, base::Failure failure);

  std::int64_t under_way() const {
    return under_way_.With([](std::int64_t n) { return n; });
  }
  // Blocks until fewer than `count` groups are under way or the deadline passes.
  bool WaitUntilBelow(std::int64_t count, base::Deadline deadline) const;
  // Set once the learner has said that the run is over.
  bool finished() const { return finished_; }

 private:
  struct Errand;
  using SharedErrand = std::shared_ptr<Errand>;

  void AskAnchor(const SharedErrand& errand);
  void AskJudge(const SharedErrand& errand);
  void Deliver(const SharedErrand& errand);
  void Done();

  CourierConfig config_;
  ReferenceSource reference_;
  net::Client& judge_;
  net::Client& learner_;
  RefusedReplies& refused_;
  base::Guarded<std::int64_t> under_way_{0};
  std::atomic<bool> finished_{false};
};

}  // namespace autodidact::actors
