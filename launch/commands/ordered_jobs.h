// Work that is done several pieces at a time and handed on in its order.
#pragma once

#include <cstddef>
#include <functional>
#include <future>
#include <semaphore>
#include <thread>
#include <utility>

#include "base/bounded_queue.h"
#include "base/fault.h"

namespace autodidact::launch {

// Runs jobs beside each other, at most `limit` at a time, and gives their results to `take` in the order of the jobs,
// each as soon as it is there. `take` runs on a thread of this, and what it throws ends the process; a job must not
// throw. Add and Finish are for one thread.
template <class Result>
class OrderedJobs {
 public:
  OrderedJobs(std::size_t limit, std::function<void(Result)> take)
      : slots_(static_cast<std::ptrdiff_t>(limit)),
        results_(limit),
        taker_(base::StartThread<std::thread>("lines.taker.thread", [this, take = std::move(take)] {
          while (auto result = results_.Pop(Forever())) take(result->get());
        })) {}
  ~OrderedJobs() { Finish(); }
  OrderedJobs(const OrderedJobs&) = delete;
  OrderedJobs& operator=(const OrderedJobs&) = delete;

  // Blocks until fewer than `limit` jobs run.
  void Add(std::function<Result()> job) {
    base::FaultPoint("lines.job.thread");
    slots_.acquire();
    results_.Push(std::async(std::launch::async,
                             [this, job = std::move(job)] {
                               const Slot slot{slots_};
                               return job();
                             }),
                  Forever());
  }

  // Blocks until all results are taken; then there can be no more jobs.
  void Finish() {
    results_.Close();
    if (taker_.joinable()) taker_.join();
  }

 private:
  struct Slot {
    std::counting_semaphore<>& slots;
    ~Slot() { slots.release(); }
  };
  static base::Deadline Forever() { return base::Deadline::In(std::chrono::hours(24 * 365)); }

  std::counting_semaphore<> slots_;
  base::BoundedQueue<std::future<Result>> results_;
  std::thread taker_;
};

}  // namespace autodidact::launch
