// The estimators that read the question and need a model, beside the actor.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "actors/courier.h"
#include "base/bounded_queue.h"
#include "estimators/selection.h"

namespace autodidact::launch {

// A thread of its own that selects among the rollouts of finished groups by the weights of version 0, so that decoding
// never waits for it. It takes the groups as they come; what one gives depends on the group alone. Lifecycle: open ->
// closed.
class SelectionThread {
 public:
  struct Config {
    std::string name;  // in the log
    estimators::EstimatorKind kind = estimators::EstimatorKind::kMinPerplexity;
    estimators::SelectionConfig selection;
    std::int64_t threads = 0;  // libtorch's intra-op threads; 0: all cores
    std::size_t capacity = 1;  // groups that may wait
  };

  // The tokenizer must outlive it.
  SelectionThread(Config config, model::SharedWeights weights, const text::Tokenizer& tokenizer);
  ~SelectionThread();  // Close, and waits for the group that is being looked at
  SelectionThread(const SelectionThread&) = delete;
  SelectionThread& operator=(const SelectionThread&) = delete;

  // For a courier; must not be called once this is gone. A group that waits beyond its deadline or finds the queue full
  // fails as one to try again.
  actors::ReferenceSource source();

  // Groups that wait, and those that come, fail at once. Thread-safe; never blocks.
  void Close();

 private:
  struct Job {
    schema::Prompt prompt;
    schema::RolloutGroup group;
    base::Deadline deadline;
    std::function<void(base::Outcome<schema::GroupReference>)> done;
  };

  base::Outcome<schema::GroupReference> Answer(const estimators::Selector& selector, const Job& job) const;
  void Run(const model::SharedWeights& weights, const text::Tokenizer& tokenizer);

  const Config config_;
  base::BoundedQueue<Job> jobs_;
  std::jthread thread_;
};

}  // namespace autodidact::launch
