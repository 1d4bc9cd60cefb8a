#include "learner/checkpoint_writer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/wait_log.h"

namespace autodidact::learner {
namespace {

double GigabytesPerSecond(std::uint64_t bytes, double seconds) {
  return static_cast<double>(bytes) / 1e9 / std::max(seconds, 1e-9);
}

}  // namespace

void CheckpointWriter::Begin(CheckpointPlace place, CheckpointCopy copy) {
  AD_CHECK(!written_.valid(), "the checkpoint of step {} is still on its way", step_);
  step_ = copy.state.step;
  base::FaultPoint("checkpoint.thread");
  written_ = std::async(
      std::launch::async, [this, place = std::move(place), copy = std::move(copy), role = base::LogRole()]() {
        base::SetLogRole(role);
        at::set_num_threads(1);
        const auto start = base::Clock::now();
        WriteCheckpoint(place, copy, parameters_);
        const double seconds = base::SecondsSince(start);
        const std::uint64_t bytes = CheckpointBytes(parameters_.size(), parameters_.type());
        base::LogInfo(
            "checkpoint of step {} written: {:.3f} s to copy it ({:.2f} GB/s), {:.2f} s to write it behind "
            "the training ({:.2f} GB/s)",
            copy.state.step, copy.seconds, GigabytesPerSecond(copy.bytes, copy.seconds), seconds,
            GigabytesPerSecond(bytes, seconds));
      });
}

void CheckpointWriter::Check() {
  if (written_.valid() && written_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) written_.get();
}

void CheckpointWriter::Wait(base::Deadline deadline) {
  if (!written_.valid()) return;
  const auto wait = [&](base::Deadline until) { return written_.wait_until(until.at()) == std::future_status::ready; };
  if (!base::WaitTold(
          deadline, [&] { return base::Format("the disk, in the checkpoint of step {}", step_); }, wait)) {
    throw base::Error(base::ErrorKind::kRetryLater,
                      base::Format("the disk has not taken the checkpoint of step {} in time", step_));
  }
  written_.get();
}

}  // namespace autodidact::learner
