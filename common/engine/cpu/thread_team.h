// A few threads that share loops with the thread that owns them.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace autodidact::engine::cpu {

// Splits ranges evenly over size() threads, the caller being one of them. Own threads rather than libtorch's, whose
// OpenMP pool exists per calling thread anyway and would bind this library to one OpenMP runtime. The owner's thread
// alone calls For; the others sleep between calls after spinning briefly.
class ThreadTeam {
 public:
  using Body = std::function<void(std::int64_t begin, std::int64_t end, int worker)>;

  explicit ThreadTeam(int size);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // body(begin, end, worker) over [0, n) in at most size() parts of at least `grain`. Returns when all are done;
  // rethrows the first exception of a body.
  void For(std::int64_t n, std::int64_t grain, const Body& body);

 private:
  void Join();
  void Work(int worker);
  void RunPart(int worker);

  std::vector<std::thread> workers_;
  std::atomic<std::uint32_t> round_{0};   // grows with every For; the workers wait for it
  std::atomic<std::int32_t> running_{0};  // workers that have not finished this round
  std::atomic<bool> stopping_{false};
  // Written by For before the round begins, read by the workers in it.
  const Body* body_ = nullptr;
  std::int64_t n_ = 0;
  std::int64_t parts_ = 0;
  std::mutex mutex_;
  std::exception_ptr failure_;  // under mutex_
};

}  // namespace autodidact::engine::cpu
