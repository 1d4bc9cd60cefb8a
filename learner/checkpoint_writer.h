// Checkpoints that are written to the disk while the training goes on.
#pragma once

#include <future>

#include "base/deadline.h"
#include "learner/checkpoint.h"

namespace autodidact::learner {

// One checkpoint at a time, on a thread of its own. The calls are of one thread. What the disk refused is thrown by the
// next call, as WriteCheckpoint throws it, once.
class CheckpointWriter {
 public:
  // The parameters must outlive it; their layout alone is read.
  explicit CheckpointWriter(const FlatParameters& parameters) : parameters_(parameters) {}
  // Waits for the checkpoint that is being written: it is whole, or as if it had not been begun.
  ~CheckpointWriter() = default;
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  // None may be on its way: Wait comes first.
  void Begin(CheckpointPlace place, CheckpointCopy copy);

  // Never blocks.
  void Check();
  // Blocks until none is on its way. Error(kRetryLater) at the deadline, naming the checkpoint.
  void Wait(base::Deadline deadline);

 private:
  const FlatParameters& parameters_;
  std::int64_t step_ = 0;
  std::future<void> written_;
};

}  // namespace autodidact::learner
