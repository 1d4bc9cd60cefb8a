#include <algorithm>
#include <cstring>
#include <exception>
#include <optional>
#include <thread>

#include "base/check.h"
#include "base/deadline.h"
#include "base/fault.h"
#include "base/guarded.h"
#include "base/wait_log.h"
#include "collective/collective.h"
#include "collective/rank_order.h"

namespace autodidact::collective {
namespace {

// Numbers that are added up at once.
constexpr std::int64_t kBlock = 4096;

// What a rank brings to a meeting. It holds its share of the memory, so that a rank that gives up takes nothing away
// from those who still read.
struct Offer {
  std::string operation;
  at::Tensor tensor;
  std::shared_ptr<const std::vector<std::string>> strings;

  std::int64_t bytes() const { return tensor.defined() ? static_cast<std::int64_t>(tensor.nbytes()) : 0; }
  char* data() const { return static_cast<char*>(tensor.data_ptr()); }
};

// The place where the ranks of one group meet. Thread-safe.
class Meeting {
 public:
  Meeting(int size, base::Milliseconds timeout) : size_(size), timeout_(timeout), offers_(size) {
    state_.With([&](State& state) { state.rounds.resize(size); });
  }

  int size() const { return size_; }

  // Blocks until every rank has come as often as this one. What all wrote before it is visible after it.
  void Meet(int rank, const std::string& operation) {
    const auto since = base::Clock::now();
    const std::int64_t round = state_.With([&](State& state) { return ++state.rounds[rank]; });
    const auto all_here = [&](const State& state) {
      return std::all_of(state.rounds.begin(), state.rounds.end(), [&](auto r) { return r >= round; });
    };
    base::WaitTold(
        base::Deadline(since + timeout_), [&] { return "the other ranks in " + operation; },
        [&](base::Deadline until) {
          return state_.WaitUntil(until, [&](const State& state) { return state.broken || all_here(state); });
        });
    const std::string trouble = state_.With([&](State& state) -> std::string {
      if (all_here(state)) return {};
      if (state.broken) return *state.broken;
      std::string missing;
      for (int r = 0; r < size_; ++r) {
        if (state.rounds[r] < round) missing += (missing.empty() ? "" : ", ") + std::to_string(r);
      }
      state.broken = base::Format("rank {} waited {:.1f} s in {} for rank {}", rank, base::SecondsSince(since),
                                  operation, missing);
      return *state.broken;
    });
    if (trouble.empty()) return;
    throw base::Error(base::ErrorKind::kRetryLater,
                      base::Format("collective: {} failed on rank {} of {}: {}", operation, rank, size_, trouble));
  }

  // Leaves the group for good: whoever waits, or will wait, for this rank is told so.
  void Leave(int rank) { Break(base::Format("rank {} has left the group", rank)); }

  // Lays out this rank's offer and meets; then every offer can be read until the next Meet.
  const std::vector<Offer>& Exchange(int rank, Offer offer) {
    const std::string operation = offer.operation;
    const std::int64_t bytes = offer.bytes();
    // In a broken group others may still read the last offer.
    if (!IsBroken()) offers_[rank] = std::move(offer);
    Meet(rank, operation);
    for (int r = 0; r < size_; ++r) {
      if (offers_[r].operation == operation && offers_[r].bytes() == bytes) continue;
      const std::string clash = base::Format("rank {} is in {} of {} bytes while rank {} is in {} of {} bytes", rank,
                                             operation, bytes, r, offers_[r].operation, offers_[r].bytes());
      Break(clash);
      base::ThrowBug("collective: " + clash);
    }
    return offers_;
  }

 private:
  struct State {
    std::vector<std::int64_t> rounds;   // how often each rank has come
    std::optional<std::string> broken;  // why; set once
  };

  bool IsBroken() const {
    return state_.With([](const State& state) { return state.broken.has_value(); });
  }
  void Break(std::string why) {
    state_.With([&](State& state) {
      if (!state.broken) state.broken = std::move(why);
    });
  }

  const int size_;
  const base::Milliseconds timeout_;
  base::Guarded<State> state_;
  std::vector<Offer> offers_;  // each entry written by its rank between meetings, read by all after one
};

class ThreadRank final : public Communicator {
 public:
  ThreadRank(std::shared_ptr<Meeting> meeting, int rank) : meeting_(std::move(meeting)), rank_(rank) {}
  ~ThreadRank() override { meeting_->Leave(rank_); }

  int rank() const override { return rank_; }
  int size() const override { return meeting_->size(); }
  std::string name() const override { return "threads"; }

  void AllReduceSum(at::Tensor& tensor) override {
    RequireSummable(tensor, "all-reduce");
    if (tensor.scalar_type() == at::kFloat) {
      Sum<float>(tensor);
    } else {
      Sum<double>(tensor);
    }
  }

  void ReduceScatterSum(at::Tensor& tensor) override {
    RequireSummable(tensor, "reduce-scatter");
    const auto& offers = meeting_->Exchange(rank_, {"reduce-scatter", tensor, nullptr});
    if (tensor.scalar_type() == at::kFloat) {
      SumOwnRows<float>(offers, tensor);
    } else {
      SumOwnRows<double>(offers, tensor);
    }
    meeting_->Meet(rank_, "reduce-scatter");
  }

  void AllGatherRows(at::Tensor& tensor) override {
    RequireContiguous(tensor, "all-gather of rows");
    const auto& offers = meeting_->Exchange(rank_, {"all-gather of rows", tensor, nullptr});
    const auto width = static_cast<std::int64_t>(tensor.element_size());
    for (int r = 0; r < size(); ++r) {
      const Slice rows = ElementsOf(tensor, r, size());
      if (r == rank_ || rows.count() == 0) continue;
      std::memcpy(static_cast<char*>(tensor.data_ptr()) + rows.begin * width, offers[r].data() + rows.begin * width,
                  static_cast<std::size_t>(rows.count() * width));
    }
    meeting_->Meet(rank_, "all-gather of rows");
  }

  void Broadcast(at::Tensor& tensor, int root) override {
    RequireContiguous(tensor, "broadcast");
    RequireRank(root, size(), "broadcast");
    const auto& offers = meeting_->Exchange(rank_, {"broadcast from " + std::to_string(root), tensor, nullptr});
    if (rank_ != root && tensor.nbytes() > 0) std::memcpy(tensor.data_ptr(), offers[root].data(), tensor.nbytes());
    meeting_->Meet(rank_, "broadcast");
  }

  std::vector<std::string> AllGather(const std::string& bytes) override {
    const auto& offers = meeting_->Exchange(rank_, {"all-gather", {}, Share({bytes})});
    std::vector<std::string> all;
    for (const auto& offer : offers) all.push_back((*offer.strings)[0]);
    meeting_->Meet(rank_, "all-gather");
    return all;
  }

  std::string BroadcastBytes(const std::string& bytes, int root) override {
    RequireRank(root, size(), "broadcast of bytes");
    return Take({"broadcast of bytes from " + std::to_string(root), {}, Share({bytes})}, root, 0);
  }

  std::string Scatter(const std::vector<std::string>& parts, int root) override {
    RequireRank(root, size(), "scatter");
    AD_CHECK(rank_ != root || static_cast<int>(parts.size()) == size(), "scatter: {} parts for {} ranks", parts.size(),
             size());
    return Take({"scatter from " + std::to_string(root), {}, Share(parts)}, root, rank_);
  }

  void Barrier() override {
    meeting_->Exchange(rank_, {"barrier", {}, nullptr});
    meeting_->Meet(rank_, "barrier");
  }

 private:
  static std::shared_ptr<const std::vector<std::string>> Share(std::vector<std::string> strings) {
    return std::make_shared<const std::vector<std::string>>(std::move(strings));
  }

  // Each rank sums one slice over all ranks, in place in rank 0's tensor; then all copy the whole from there.
  template <class T>
  void Sum(at::Tensor& tensor) {
    const auto& offers = meeting_->Exchange(rank_, {"all-reduce", tensor, nullptr});
    T* sum = offers[0].tensor.data_ptr<T>();
    const Slice slice = SliceOf(tensor.numel(), rank_, size());
    for (int r = 1; r < size(); ++r) {
      AddInto(sum + slice.begin, offers[r].tensor.data_ptr<T>() + slice.begin, slice.count());
    }
    meeting_->Meet(rank_, "all-reduce");
    if (rank_ != 0 && tensor.nbytes() > 0) std::memcpy(tensor.data_ptr(), sum, tensor.nbytes());
    meeting_->Meet(rank_, "all-reduce");
  }

  // Nobody else touches this rank's rows of any tensor, so the sum may stand in its own at once.
  template <class T>
  void SumOwnRows(const std::vector<Offer>& offers, at::Tensor& tensor) {
    const Slice mine = ElementsOf(tensor, rank_, size());
    std::vector<T> sum(static_cast<std::size_t>(std::min(mine.count(), kBlock)));
    for (std::int64_t begin = mine.begin; begin < mine.end; begin += kBlock) {
      const std::int64_t count = std::min(kBlock, mine.end - begin);
      std::copy_n(offers[0].tensor.data_ptr<T>() + begin, count, sum.data());
      for (int r = 1; r < size(); ++r) AddInto(sum.data(), offers[r].tensor.data_ptr<T>() + begin, count);
      std::copy_n(sum.data(), count, tensor.data_ptr<T>() + begin);
    }
  }

  std::string Take(Offer offer, int root, int index) {
    const std::string operation = offer.operation;
    std::string taken = (*meeting_->Exchange(rank_, std::move(offer))[root].strings)[index];
    meeting_->Meet(rank_, operation);
    return taken;
  }

  std::shared_ptr<Meeting> meeting_;
  const int rank_;
};

// Longer than any test or in-process run computes between two operations.
constexpr base::Milliseconds kSpawnTimeout{120'000};

}  // namespace

std::vector<std::unique_ptr<Communicator>> MakeThreadGroup(int size, std::chrono::milliseconds timeout) {
  AD_CHECK(size > 0, "a group of {} ranks", size);
  const auto meeting = std::make_shared<Meeting>(size, timeout);
  std::vector<std::unique_ptr<Communicator>> group;
  for (int rank = 0; rank < size; ++rank) group.push_back(std::make_unique<ThreadRank>(meeting, rank));
  return group;
}

void SpawnRanks(int size, const std::function<void(Communicator&)>& fn) {
  auto group = MakeThreadGroup(size, kSpawnTimeout);
  base::Guarded<std::exception_ptr> first;
  std::vector<std::jthread> threads;
  for (auto& communicator : group) {
    threads.push_back(
        base::StartThread("collective.rank.thread", [&first, &fn, communicator = std::move(communicator)]() mutable {
          try {
            fn(*communicator);
          } catch (...) {
            first.With([](std::exception_ptr& slot) {
              if (!slot) slot = std::current_exception();
            });
          }
          communicator.reset();  // a rank that failed leaves, so that the others do not wait for it
        }));
  }
  threads.clear();
  const auto error = first.With([](std::exception_ptr& slot) { return slot; });
  if (error) std::rethrow_exception(error);
}

}  // namespace autodidact::collective
