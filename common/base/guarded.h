// A value that can be reached only under its mutex, with a condition to wait on.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/deadline.h"

namespace autodidact::base {

// Thread-safe. The function given to With runs under the lock: keep it short, never call out of it.
template <class T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : value_(std::move(value)) {}
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  // Returns what fn returns; wakes every waiter, whose condition may have changed. A waiter may destroy this object as
  // soon as its condition holds: it is woken under the lock, without which it cannot return.
  template <class Fn>
  decltype(auto) With(Fn&& fn) {
    const std::lock_guard lock(mutex_);
    struct Waker {
      std::condition_variable& changed;
      ~Waker() { changed.notify_all(); }
    } waker{changed_};
    return std::forward<Fn>(fn)(value_);
  }

  template <class Fn>
  decltype(auto) With(Fn&& fn) const {
    std::lock_guard lock(mutex_);
    return std::forward<Fn>(fn)(std::as_const(value_));
  }

  // Blocks until condition(value) holds or the deadline passes; returns whether it held.
  template <class Condition>
  bool WaitUntil(Deadline deadline, Condition&& condition) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, deadline.at(), [&] { return condition(value_); });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  T value_{};
};

}  // namespace autodidact::base
