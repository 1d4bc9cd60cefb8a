#include "engine/cpu/thread_team.h"

#include <algorithm>

#include "base/fault.h"

namespace autodidact::engine::cpu {
namespace {

constexpr int kSpins = 2000;

// Until `value` differs from `old`.
template <class T>
void WaitWhile(const std::atomic<T>& value, T old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadTeam::ThreadTeam(int size) {
  try {
    for (int worker = 1; worker < size; ++worker) {
      workers_.push_back(base::StartThread<std::thread>("engine.team.thread", [this, worker] { Work(worker); }));
    }
  } catch (...) {
    Join();
    throw;
  }
}

ThreadTeam::~ThreadTeam() {
  Join();
}

void ThreadTeam::Join() {
  stopping_.store(true, std::memory_order_release);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadTeam::For(std::int64_t n, std::int64_t grain, const Body& body) {
  const std::int64_t parts =
      std::min<std::int64_t>(size(), std::max<std::int64_t>(1, n / std::max<std::int64_t>(1, grain)));
  if (parts <= 1) {
    if (n > 0) body(0, n, 0);
    return;
  }
  body_ = &body;
  n_ = n;
  parts_ = parts;
  failure_ = nullptr;
  running_.store(static_cast<std::int32_t>(workers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  RunPart(0);
  for (std::int32_t left = running_.load(std::memory_order_acquire); left != 0;
       left = running_.load(std::memory_order_acquire)) {
    WaitWhile(running_, left);
  }
  if (failure_) std::rethrow_exception(failure_);
}

void ThreadTeam::RunPart(int worker) {
  if (worker >= parts_) return;
  try {
    (*body_)(n_ * worker / parts_, n_ * (worker + 1) / parts_, worker);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
  }
}

void ThreadTeam::Work(int worker) {
  std::uint32_t seen = 0;
  for (;;) {
    WaitWhile(round_, seen);
    ++seen;
    if (stopping_.load(std::memory_order_acquire)) return;
    RunPart(worker);
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_all();
  }
}

}  // namespace autodidact::engine::cpu
