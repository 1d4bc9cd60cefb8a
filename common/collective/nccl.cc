#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>
#include <nccl.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "base/check.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/log.h"
#include "collective/collective.h"
#include "collective/facts.h"
#include "collective/rank_order.h"

namespace autodidact::collective {
namespace {

constexpr std::chrono::microseconds kPause{50};
// Of the rows that a rank sums at once, from each of the ranks.
constexpr std::int64_t kPieceBytes = std::int64_t{1} << 26;

ncclDataType_t TypeOf(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kFloat ? ncclFloat32 : ncclFloat64;
}

// Tensors on the GPU go over NCCL; bytes, and tensors on the CPU, over the group that introduced the ranks. The
// communicator is non-blocking: every step is started, then polled until it is done or the timeout passes.
class NcclRanks final : public Communicator {
 public:
  NcclRanks(Communicator& bootstrap, at::Device device, base::Milliseconds timeout)
      : bootstrap_(bootstrap), device_(device), timeout_(timeout) {
    AD_CHECK(device.is_cuda() && device.has_index(), "NCCL needs a GPU with its number, got {}", device.str());
    const c10::cuda::CUDAGuard guard(device_);
    ncclUniqueId id;
    base::FaultPoint("collective.nccl.start");
    if (rank() == 0) CheckNow(ncclGetUniqueId(&id), "a new group");
    const std::string bytes = bootstrap_.BroadcastBytes(std::string(id.internal, sizeof id.internal), 0);
    AD_CHECK(bytes.size() == sizeof id.internal, "a group id of {} bytes", bytes.size());
    std::memcpy(id.internal, bytes.data(), bytes.size());
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    const auto since = base::Clock::now();
    Settle(ncclCommInitRankConfig(&comm_, size(), id, rank(), &config), "a new group", since);
    C10_CUDA_CHECK(cudaEventCreateWithFlags(&done_, cudaEventDisableTiming));
  }

  ~NcclRanks() override {
    if (done_ != nullptr) cudaEventDestroy(done_);
    if (comm_ == nullptr) return;
    try {
      Settle(ncclCommFinalize(comm_), "the end of the group", base::Clock::now());
      ncclCommDestroy(comm_);
    } catch (const base::Error& error) {
      base::LogWarning("{}", error.what());
    }
  }

  int rank() const override { return bootstrap_.rank(); }
  int size() const override { return bootstrap_.size(); }
  std::string name() const override { return "nccl"; }

  void AllReduceSum(at::Tensor& tensor) override {
    if (tensor.is_cpu()) return bootstrap_.AllReduceSum(tensor);
    RequireSummable(tensor, "all-reduce", device_);
    const at::Tensor flat = tensor.view({-1});
    SumOwnRows(flat, "all-reduce");
    GatherRows(flat, "all-reduce");
  }

  void ReduceScatterSum(at::Tensor& tensor) override {
    if (tensor.is_cpu()) return bootstrap_.ReduceScatterSum(tensor);
    RequireSummable(tensor, "reduce-scatter", device_);
    SumOwnRows(tensor, "reduce-scatter");
  }

  void AllGatherRows(at::Tensor& tensor) override {
    if (tensor.is_cpu()) return bootstrap_.AllGatherRows(tensor);
    RequireContiguous(tensor, "all-gather of rows", device_);
    GatherRows(tensor, "all-gather of rows");
  }

  void Broadcast(at::Tensor& tensor, int root) override {
    if (tensor.is_cpu()) return bootstrap_.Broadcast(tensor, root);
    RequireContiguous(tensor, "broadcast", device_);
    RequireRank(root, size(), "broadcast");
    base::FaultPoint("collective.nccl.broadcast");
    const auto since = Begin("broadcast");
    const c10::cuda::CUDAGuard guard(device_);
    Settle(ncclBroadcast(tensor.data_ptr(), tensor.data_ptr(), tensor.nbytes(), ncclUint8, root, comm_, Stream()),
           "broadcast", since);
    WaitForGpu("broadcast", since);
  }

  std::vector<std::string> AllGather(const std::string& bytes) override { return bootstrap_.AllGather(bytes); }
  std::string BroadcastBytes(const std::string& bytes, int root) override {
    return bootstrap_.BroadcastBytes(bytes, root);
  }
  std::string Scatter(const std::vector<std::string>& parts, int root) override {
    return bootstrap_.Scatter(parts, root);
  }
  void Barrier() override { bootstrap_.Barrier(); }

 private:
  cudaStream_t Stream() const { return c10::cuda::getCurrentCUDAStream(device_.index()).stream(); }

  std::int64_t MostElements(const at::Tensor& tensor) const {
    std::int64_t most = 0;
    for (int r = 0; r < size(); ++r) most = std::max(most, ElementsOf(tensor, r, size()).count());
    return most;
  }

  // Every rank gets everyone's piece of its own rows and adds them up in rank order.
  void SumOwnRows(const at::Tensor& tensor, const std::string& operation) {
    base::FaultPoint("collective.nccl.sum");
    const auto since = Begin(operation);
    const c10::cuda::CUDAGuard guard(device_);
    const at::Tensor flat = tensor.view({-1});
    const std::int64_t most = MostElements(tensor);
    const std::int64_t piece = std::min(most, kPieceBytes / static_cast<std::int64_t>(flat.element_size()));
    const at::Tensor gathered = at::empty({size(), piece}, flat.options());
    for (std::int64_t begin = 0; begin < most; begin += piece) {
      const Slice own = PieceOf(ElementsOf(tensor, rank(), size()), begin, piece);
      CheckNow(ncclGroupStart(), operation);
      for (int r = 0; r < size(); ++r) {
        const Slice theirs = PieceOf(ElementsOf(tensor, r, size()), begin, piece);
        Post(ncclSend(At(flat, theirs.begin), theirs.count(), TypeOf(flat), r, comm_, Stream()), operation);
        Post(ncclRecv(At(gathered, r * piece), own.count(), TypeOf(flat), r, comm_, Stream()), operation);
      }
      Settle(ncclGroupEnd(), operation, since);
      at::Tensor sum = gathered[0].narrow(0, 0, own.count());
      for (int r = 1; r < size(); ++r) sum.add_(gathered[r].narrow(0, 0, own.count()));
      flat.narrow(0, own.begin, own.count()).copy_(sum);
    }
    WaitForGpu(operation, since);
  }

  void GatherRows(const at::Tensor& tensor, const std::string& operation) {
    base::FaultPoint("collective.nccl.gather");
    const auto since = Begin(operation);
    const c10::cuda::CUDAGuard guard(device_);
    const auto width = static_cast<std::int64_t>(tensor.element_size());
    const Slice own = ElementsOf(tensor, rank(), size());
    CheckNow(ncclGroupStart(), operation);
    for (int r = 0; r < size(); ++r) {
      const Slice theirs = ElementsOf(tensor, r, size());
      if (r == rank()) continue;
      Post(ncclSend(At(tensor, own.begin), own.count() * width, ncclUint8, r, comm_, Stream()), operation);
      Post(ncclRecv(At(tensor, theirs.begin), theirs.count() * width, ncclUint8, r, comm_, Stream()), operation);
    }
    Settle(ncclGroupEnd(), operation, since);
    WaitForGpu(operation, since);
  }

  static void* At(const at::Tensor& flat, std::int64_t element) {
    return static_cast<char*>(flat.data_ptr()) + element * flat.element_size();
  }

  base::Clock::time_point Begin(const std::string& operation) const {
    if (comm_ == nullptr) Throw(base::ErrorKind::kRetryLater, operation, "the group is broken");
    return base::Clock::now();
  }

  [[noreturn]] void Throw(base::ErrorKind kind, const std::string& operation, const std::string& why) const {
    throw base::Error(
        kind, base::Format("collective: {} (NCCL) failed on rank {} of {}: {}", operation, rank(), size(), why));
  }

  // For calls that never stay in progress.
  void CheckNow(ncclResult_t result, const std::string& operation) const {
    if (result != ncclSuccess) Throw(base::ErrorKind::kDisconnected, operation, ncclGetErrorString(result));
  }

  // For calls inside a group: what fails there is aborted with the group.
  void Post(ncclResult_t result, const std::string& operation) {
    if (result != ncclSuccess && result != ncclInProgress) Abort(operation, ncclGetErrorString(result));
  }

  [[noreturn]] void Abort(const std::string& operation, const std::string& why,
                          base::ErrorKind kind = base::ErrorKind::kDisconnected) {
    if (comm_ != nullptr) ncclCommAbort(comm_);
    comm_ = nullptr;
    Throw(kind, operation, why);
  }

  [[noreturn]] void AbortLate(const std::string& operation, base::Clock::time_point since) {
    Abort(operation, base::Format("waited {:.1f} s for the other ranks", base::SecondsSince(since)),
          base::ErrorKind::kRetryLater);
  }

  // Polls until the communicator has taken what was started.
  void Settle(ncclResult_t result, const std::string& operation, base::Clock::time_point since) {
    while (result == ncclInProgress) {
      if (base::Deadline(since + timeout_).Passed()) AbortLate(operation, since);
      std::this_thread::sleep_for(kPause);
      const ncclResult_t asked = ncclCommGetAsyncError(comm_, &result);
      if (asked != ncclSuccess) result = asked;
    }
    if (result != ncclSuccess) Abort(operation, ncclGetErrorString(result));
  }

  // Polls until the stream has done it, watching for a peer's failure.
  void WaitForGpu(const std::string& operation, base::Clock::time_point since) {
    C10_CUDA_CHECK(cudaEventRecord(done_, Stream()));
    while (true) {
      const cudaError_t state = cudaEventQuery(done_);
      if (state == cudaSuccess) return;
      if (state != cudaErrorNotReady) Abort(operation, cudaGetErrorString(state));
      ncclResult_t peer = ncclSuccess;
      ncclCommGetAsyncError(comm_, &peer);
      if (peer != ncclSuccess && peer != ncclInProgress) Abort(operation, ncclGetErrorString(peer));
      if (base::Deadline(since + timeout_).Passed()) AbortLate(operation, since);
      std::this_thread::sleep_for(kPause);
    }
  }

  Communicator& bootstrap_;
  const at::Device device_;
  const base::Milliseconds timeout_;
  ncclComm_t comm_ = nullptr;  // null once it was aborted
  cudaEvent_t done_ = nullptr;
};

}  // namespace

std::string NcclVersion() {
  int version = 0;
  if (ncclGetVersion(&version) != ncclSuccess) return "";
  return base::Format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

std::unique_ptr<Communicator> MakeNcclGroup(Communicator& bootstrap, at::Device device,
                                            std::chrono::milliseconds timeout) {
  if (!device.is_cuda()) base::ThrowBadInput("collective: NCCL was asked for on " + device.str() + ", expected a GPU");
  return std::make_unique<NcclRanks>(bootstrap, device, timeout);
}

}  // namespace autodidact::collective
