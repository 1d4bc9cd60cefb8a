// MPI's removed C++ interface would drag in its own library.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <thread>

#include "base/check.h"
#include "base/deadline.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/wait_log.h"
#include "collective/collective.h"
#include "collective/rank_order.h"

namespace autodidact::collective {
namespace {

// Counts are ints in MPI, and a piece should not be larger than what a rank can hold twice.
constexpr std::int64_t kChunkBytes = std::int64_t{1} << 26;
constexpr base::Milliseconds kFinalizeTimeout{60'000};
constexpr int kHeaderTag = 1;
constexpr int kPartTag = 2;
constexpr int kMeetingTag = 100;
constexpr int kMeetingTags = 10'000;

void Check(int result, const std::string& operation) {
  if (result == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(result, text, &length);
  throw base::Error(base::ErrorKind::kDisconnected, base::Format("collective: {}: MPI says: {}", operation, text));
}

// Sleeps a little longer each time, from a mere yield up to a millisecond: ranks may share cores.
class Patience {
 public:
  void Pause() {
    if (rounds_++ < 20) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(pause_);
      pause_ = std::min(pause_ * 2, std::chrono::microseconds(1000));
    }
  }

 private:
  int rounds_ = 0;
  std::chrono::microseconds pause_{20};
};

// Polls the requests until all are done (true) or the deadline passes. Those that are done become MPI_REQUEST_NULL.
bool WaitAll(std::vector<MPI_Request>& requests, base::Deadline deadline, const std::string& operation) {
  const auto wait = [&](base::Deadline until) {
    for (Patience patience;; patience.Pause()) {
      bool all = true;
      for (auto& request : requests) {
        int done = 1;
        if (request != MPI_REQUEST_NULL) Check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), operation);
        all = all && done != 0;
      }
      if (all || until.Passed()) return all;
    }
  };
  return base::WaitTold(
      deadline, [&] { return "the other ranks in " + operation; }, wait);
}

bool IsRunning() {
  int initialized = 0;
  int finalized = 0;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  return initialized != 0 && finalized == 0;
}

// What ranks tell each other before an operation.
struct Header {
  std::int64_t kind = 0;   // which operation
  std::int64_t bytes = 0;  // of the tensor: the same on all
  std::int64_t own = 0;    // bytes that come from the sender: may differ
};

enum Kind : std::int64_t {
  kAllReduce = 1,
  kReduceScatter,
  kAllGatherRows,
  kBroadcast,
  kAllGather,
  kBroadcastBytes,
  kScatter,
  kBarrier
};

// An operation under way, and all the memory that MPI may touch until it is done.
struct Flight {
  std::string operation;
  base::Clock::time_point since = base::Clock::now();
  std::vector<MPI_Request> requests;
  std::vector<Header> sent;
  std::vector<Header> received;
  std::vector<std::string> bytes;
  std::vector<at::Tensor> tensors;

  MPI_Request* NewRequest() { return &requests.emplace_back(MPI_REQUEST_NULL); }
};

class MpiRanks final : public Communicator {
 public:
  MpiRanks(MPI_Comm comm, base::Milliseconds timeout) : comm_(comm), timeout_(timeout) {
    Check(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "a new group");
    Check(MPI_Comm_rank(comm_, &rank_), "a new group");
    Check(MPI_Comm_size(comm_, &size_), "a new group");
  }

  ~MpiRanks() override {
    if (broken_.empty() && IsRunning()) MPI_Comm_free(&comm_);
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string name() const override { return "mpi"; }

  void AllReduceSum(at::Tensor& tensor) override {
    RequireSummable(tensor, "all-reduce");
    auto flight = Meet(kAllReduce, "all-reduce", tensor.nbytes(), std::vector<std::int64_t>(size_, 0));
    const at::Tensor flat = tensor.view({-1});
    SumOwnRows(flight, flat);
    GatherRows(flight, flat);
  }

  void ReduceScatterSum(at::Tensor& tensor) override {
    RequireSummable(tensor, "reduce-scatter");
    auto flight = Meet(kReduceScatter, "reduce-scatter", tensor.nbytes(), std::vector<std::int64_t>(size_, 0));
    SumOwnRows(flight, tensor);
  }

  void AllGatherRows(at::Tensor& tensor) override {
    RequireContiguous(tensor, "all-gather of rows");
    auto flight = Meet(kAllGatherRows, "all-gather of rows", tensor.nbytes(), std::vector<std::int64_t>(size_, 0));
    GatherRows(flight, tensor);
  }

  void Broadcast(at::Tensor& tensor, int root) override {
    RequireContiguous(tensor, "broadcast");
    RequireRank(root, size_, "broadcast");
    auto flight =
        Meet(kBroadcast, base::Format("broadcast from {}", root), tensor.nbytes(), std::vector<std::int64_t>(size_, 0));
    flight->tensors = {tensor};
    SendOut(flight, static_cast<char*>(tensor.data_ptr()), tensor.nbytes(), root);
  }

  std::vector<std::string> AllGather(const std::string& bytes) override {
    auto flight = Meet(kAllGather, "all-gather", 0, std::vector<std::int64_t>(size_, bytes.size()));
    for (int r = 0; r < size_; ++r) {
      flight->bytes.push_back(r == rank_ ? bytes : std::string(flight->received[r].own, '\0'));
    }
    for (int r = 0; r < size_; ++r) SendOut(flight, flight->bytes[r].data(), flight->bytes[r].size(), r);
    return std::move(flight->bytes);
  }

  std::string BroadcastBytes(const std::string& bytes, int root) override {
    RequireRank(root, size_, "broadcast of bytes");
    auto flight = Meet(kBroadcastBytes, base::Format("broadcast of bytes from {}", root), 0,
                       std::vector<std::int64_t>(size_, bytes.size()));
    flight->bytes = {rank_ == root ? bytes : std::string(flight->received[root].own, '\0')};
    SendOut(flight, flight->bytes[0].data(), flight->bytes[0].size(), root);
    return std::move(flight->bytes[0]);
  }

  std::string Scatter(const std::vector<std::string>& parts, int root) override {
    RequireRank(root, size_, "scatter");
    AD_CHECK(rank_ != root || static_cast<int>(parts.size()) == size_, "scatter: {} parts for {} ranks", parts.size(),
             size_);
    std::vector<std::int64_t> own(size_, 0);
    for (int r = 0; rank_ == root && r < size_; ++r) own[r] = static_cast<std::int64_t>(parts[r].size());
    auto flight = Meet(kScatter, base::Format("scatter from {}", root), 0, own);
    if (rank_ == root) {
      flight->bytes = parts;
      for (int r = 0; r < size_; ++r) {
        if (r == rank_) continue;
        ForChunks(flight->bytes[r].data(), flight->bytes[r].size(), [&](char* data, int count) {
          Check(base::FaultFails("collective.scatter.send")
                    ? MPI_ERR_OTHER
                    : MPI_Isend(data, count, MPI_BYTE, r, kPartTag, comm_, flight->NewRequest()),
                flight->operation);
        });
      }
      Finish(flight);
      return std::move(flight->bytes[root]);
    }
    flight->bytes = {std::string(flight->received[root].own, '\0')};
    ForChunks(flight->bytes[0].data(), flight->bytes[0].size(), [&](char* data, int count) {
      Check(base::FaultFails("collective.scatter.receive")
                ? MPI_ERR_OTHER
                : MPI_Irecv(data, count, MPI_BYTE, root, kPartTag, comm_, flight->NewRequest()),
            flight->operation);
    });
    Finish(flight);
    return std::move(flight->bytes[0]);
  }

  void Barrier() override { Meet(kBarrier, "barrier", 0, std::vector<std::int64_t>(size_, 0)); }

 private:
  using FlightPtr = std::unique_ptr<Flight>;

  template <class Fn>
  static void ForChunks(char* data, std::size_t size, Fn fn) {
    for (std::size_t begin = 0; begin < size; begin += kChunkBytes) {
      fn(data + begin, static_cast<int>(std::min<std::size_t>(kChunkBytes, size - begin)));
    }
  }

  // Every rank sends every other its header and waits for theirs: a barrier that knows who is missing, and finds out
  // when two ranks are in different operations. own[r] is what rank r is told as Header::own.
  FlightPtr Meet(Kind kind, const std::string& operation, std::int64_t bytes, const std::vector<std::int64_t>& own) {
    if (!broken_.empty()) Throw(base::ErrorKind::kRetryLater, operation, "the group is broken: " + broken_);
    if (base::FaultFails("collective.meet")) Throw(base::ErrorKind::kDisconnected, operation, std::strerror(errno));
    auto flight = std::make_unique<Flight>();
    flight->operation = operation;
    flight->sent.resize(size_);
    flight->received.resize(size_);
    flight->requests.reserve(2 * size_);
    for (int r = 0; r < size_; ++r) {
      flight->sent[r] = {kind, bytes, own[r]};
      if (r == rank_) flight->received[r] = flight->sent[r];
      MPI_Request* receiving = flight->NewRequest();
      MPI_Request* sending = flight->NewRequest();
      if (r == rank_) continue;
      Check(MPI_Irecv(&flight->received[r], sizeof(Header), MPI_BYTE, r, kHeaderTag, comm_, receiving), operation);
      Check(MPI_Isend(&flight->sent[r], sizeof(Header), MPI_BYTE, r, kHeaderTag, comm_, sending), operation);
    }
    if (!WaitAll(flight->requests, Deadline(*flight), operation)) {
      std::string missing;
      for (int r = 0; r < size_; ++r) {
        if (flight->requests[2 * r] != MPI_REQUEST_NULL) missing += (missing.empty() ? "" : ", ") + std::to_string(r);
      }
      GiveUp(flight, "for rank " + missing);
    }
    for (int r = 0; r < size_; ++r) {
      const Header& header = flight->received[r];
      if (header.kind == kind && header.bytes == bytes) continue;
      broken_ = base::Format("rank {} is in operation {} of {} bytes while rank {} is in {} of {}", rank_,
                             static_cast<int>(kind), bytes, r, header.kind, header.bytes);
      Throw(base::ErrorKind::kBug, operation, broken_);
    }
    flight->requests.clear();
    return flight;
  }

  base::Deadline Deadline(const Flight& flight) const { return base::Deadline(flight.since + timeout_); }

  // Waits for what was started. The time of a long transfer counts from its last sign of progress.
  void Finish(FlightPtr& flight) {
    if (!WaitAll(flight->requests, Deadline(*flight), flight->operation)) GiveUp(flight, "for the others' data");
    flight->requests.clear();
    flight->since = base::Clock::now();
  }

  [[noreturn]] void GiveUp(FlightPtr& flight, const std::string& for_whom) {
    broken_ = base::Format("rank {} waited {:.1f} s in {} {}", rank_, base::SecondsSince(flight->since),
                           flight->operation, for_whom);
    const std::string operation = flight->operation;
    // MPI may touch this memory until the end of the process, so it is never given back.
    static_cast<void>(flight.release());
    Throw(base::ErrorKind::kRetryLater, operation, broken_);
  }

  [[noreturn]] void Throw(base::ErrorKind kind, const std::string& operation, const std::string& why) const {
    throw base::Error(kind, base::Format("collective: {} failed on rank {} of {}: {}", operation, rank_, size_, why));
  }

  void SendOut(FlightPtr& flight, char* data, std::size_t size, int root) {
    ForChunks(data, size, [&](char* piece, int count) {
      Check(base::FaultFails("collective.broadcast")
                ? MPI_ERR_OTHER
                : MPI_Ibcast(piece, count, MPI_BYTE, root, comm_, flight->NewRequest()),
            flight->operation);
      Finish(flight);
    });
  }

  void SumOwnRows(FlightPtr& flight, const at::Tensor& tensor) {
    if (tensor.scalar_type() == at::kFloat) {
      SumOwnRowsOf<float>(flight, tensor);
    } else {
      SumOwnRowsOf<double>(flight, tensor);
    }
  }

  std::int64_t MostElements(const at::Tensor& tensor) const {
    std::int64_t most = 0;
    for (int r = 0; r < size_; ++r) most = std::max(most, ElementsOf(tensor, r, size_).count());
    return most;
  }

  // Every rank gets everyone's piece of its own rows and adds them up in rank order.
  template <class T>
  void SumOwnRowsOf(FlightPtr& flight, const at::Tensor& tensor) {
    const std::int64_t most = MostElements(tensor);
    const std::int64_t piece = std::min<std::int64_t>(most, kChunkBytes / static_cast<std::int64_t>(sizeof(T)));
    at::Tensor gathered = at::empty({size_, piece}, tensor.options());
    flight->tensors = {tensor, gathered};
    T* data = tensor.data_ptr<T>();
    T* rows = gathered.data_ptr<T>();
    for (std::int64_t begin = 0; begin < most; begin += piece) {
      const Slice own = PieceOf(ElementsOf(tensor, rank_, size_), begin, piece);
      for (int r = 0; r < size_; ++r) {
        if (r == rank_) continue;
        const Slice theirs = PieceOf(ElementsOf(tensor, r, size_), begin, piece);
        Receive(flight, rows + r * piece, own.count(), r);
        Send(flight, data + theirs.begin, theirs.count(), r);
      }
      Finish(flight);
      std::copy_n(data + own.begin, own.count(), rows + rank_ * piece);
      for (int r = 1; r < size_; ++r) AddInto(rows, rows + r * piece, own.count());
      std::copy_n(rows, own.count(), data + own.begin);
    }
  }

  void GatherRows(FlightPtr& flight, const at::Tensor& tensor) {
    flight->tensors = {tensor};
    const auto width = static_cast<std::int64_t>(tensor.element_size());
    const std::int64_t most = MostElements(tensor);
    const std::int64_t piece = kChunkBytes / width;
    char* data = static_cast<char*>(tensor.data_ptr());
    for (std::int64_t begin = 0; begin < most; begin += piece) {
      const Slice own = PieceOf(ElementsOf(tensor, rank_, size_), begin, piece);
      for (int r = 0; r < size_; ++r) {
        if (r == rank_) continue;
        const Slice theirs = PieceOf(ElementsOf(tensor, r, size_), begin, piece);
        Receive(flight, data + theirs.begin * width, theirs.count() * width, r);
        Send(flight, data + own.begin * width, own.count() * width, r);
      }
      Finish(flight);
    }
  }

  // At most kChunkBytes; nothing for nothing.
  template <class T>
  void Send(FlightPtr& flight, const T* data, std::int64_t count, int to) {
    if (count == 0) return;
    Check(base::FaultFails("collective.send") ? MPI_ERR_OTHER
                                              : MPI_Isend(data, static_cast<int>(count * sizeof(T)), MPI_BYTE, to,
                                                          kPartTag, comm_, flight->NewRequest()),
          flight->operation);
  }
  template <class T>
  void Receive(FlightPtr& flight, T* data, std::int64_t count, int from) {
    if (count == 0) return;
    Check(base::FaultFails("collective.receive") ? MPI_ERR_OTHER
                                                 : MPI_Irecv(data, static_cast<int>(count * sizeof(T)), MPI_BYTE, from,
                                                             kPartTag, comm_, flight->NewRequest()),
          flight->operation);
  }

  MPI_Comm comm_;
  const base::Milliseconds timeout_;
  int rank_ = 0;
  int size_ = 1;
  std::string broken_;  // why the group cannot be used any more
};

// Waits until every rank of the job is here. The ranks that did not come by then; each rank hears from each, so that
// where two of them cannot reach each other these two are named.
std::vector<int> MissingFromWorld(base::Milliseconds timeout) {
  static int meetings = 0;
  const int tag = kMeetingTag + meetings++ % kMeetingTags;  // what came too late for one meeting is not of the next
  const int size = MpiSize();
  struct Meeting {
    std::vector<MPI_Request> requests;
    std::vector<char> greetings;
  };
  base::FaultPoint("collective.world");
  auto meeting = std::make_unique<Meeting>();
  meeting->requests.assign(2 * size, MPI_REQUEST_NULL);
  meeting->greetings.assign(size + 1, 0);
  const std::string operation = "a meeting of all ranks";
  for (int r = 0; r < size; ++r) {
    if (r == MpiRank()) continue;
    Check(MPI_Irecv(&meeting->greetings[r], 1, MPI_BYTE, r, tag, MPI_COMM_WORLD, &meeting->requests[2 * r]), operation);
    Check(MPI_Isend(&meeting->greetings[size], 1, MPI_BYTE, r, tag, MPI_COMM_WORLD, &meeting->requests[2 * r + 1]),
          operation);
  }
  std::vector<int> missing;
  if (WaitAll(meeting->requests, base::Deadline::In(timeout), operation)) return missing;
  for (int r = 0; r < size; ++r) {
    if (meeting->requests[2 * r] != MPI_REQUEST_NULL) missing.push_back(r);
  }
  // MPI may touch the memory of what is under way until the process ends.
  [[maybe_unused]] const auto* kept = meeting.release();
  return missing;
}

std::string Listed(const std::vector<int>& ranks) {
  std::string all;
  for (const int rank : ranks) all += (all.empty() ? "" : ", ") + std::to_string(rank);
  return all;
}

}  // namespace

bool LaunchedByMpi() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"}) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

void InitMpi() {
  int initialized = 0;
  MPI_Initialized(&initialized);
  if (initialized != 0) return;
  int provided = MPI_THREAD_SINGLE;
  base::FaultPoint("collective.start");
  Check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_SERIALIZED) {
    base::ThrowBadInput("collective: this MPI cannot be called from other threads than the main one");
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
}

void FinalizeMpi() {
  if (!IsRunning()) return;
  const std::vector<int> missing = MissingFromWorld(kFinalizeTimeout);
  if (missing.empty()) {
    MPI_Finalize();
  } else {
    // MPI_Finalize would wait for ever; without it the launcher reports the job as failed, which it is.
    base::LogError("collective: rank {} waited {} s for rank {} to finish", MpiRank(), kFinalizeTimeout.count() / 1000,
                   Listed(missing));
  }
}

void AbortMpi(int exit_code) {
  if (IsRunning()) MPI_Abort(MPI_COMM_WORLD, exit_code);
}

int MpiRank() {
  int rank = 0;
  if (IsRunning()) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

int MpiSize() {
  int size = 1;
  if (IsRunning()) MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

std::unique_ptr<Communicator> MakeMpiGroup(int color, std::chrono::milliseconds timeout) {
  AD_CHECK(IsRunning(), "MakeMpiGroup outside InitMpi and FinalizeMpi");
  const std::vector<int> missing = MissingFromWorld(timeout);
  if (!missing.empty()) {
    throw base::Error(
        base::ErrorKind::kRetryLater,
        base::Format(
            "collective: rank {} waited {:.1f} s for rank {} to form groups: it did not start, or a firewall is "
            "between its host and this one",
            MpiRank(), std::chrono::duration<double>(timeout).count(), Listed(missing)));
  }
  MPI_Comm comm = MPI_COMM_NULL;
  base::FaultPoint("collective.split");
  Check(MPI_Comm_split(MPI_COMM_WORLD, color < 0 ? MPI_UNDEFINED : color, MpiRank(), &comm), "a new group");
  if (comm == MPI_COMM_NULL) return nullptr;
  return std::make_unique<MpiRanks>(comm, timeout);
}

}  // namespace autodidact::collective
