// Collective operations among the learner's ranks: over threads, MPI or NCCL.
#pragma once

#include <ATen/ATen.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace autodidact::collective {

// One rank's end of a group. Not thread-safe: each rank uses its own from one thread. All ranks call the same
// operations in the same order. Every wait ends at `timeout` of the group with Error(kRetryLater) that names the
// operation, the rank, and since when it waited; the group cannot be used after that.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual std::string name() const = 0;  // "single", "threads", "mpi", "nccl"

  // In place, over contiguous fp32 or fp64 tensors of the same shape on all ranks. The sum is formed in rank order, so
  // it has the same bits on every rank and in every run.
  virtual void AllReduceSum(at::Tensor& tensor) = 0;
  // The two halves of it, for ranks that each own a share of the rows (the first dimension; rank_order.h says which).
  // Afterwards a rank's own rows hold the sum, with the bits of AllReduceSum; its other rows hold anything.
  virtual void ReduceScatterSum(at::Tensor& tensor) = 0;
  // In place, any dtype: every rank's own rows on all ranks.
  virtual void AllGatherRows(at::Tensor& tensor) = 0;
  // In place: rank `root`'s values on all ranks.
  virtual void Broadcast(at::Tensor& tensor, int root) = 0;
  // Every rank's bytes, in rank order; sizes may differ.
  virtual std::vector<std::string> AllGather(const std::string& bytes) = 0;
  // Rank `root`'s bytes on all ranks.
  virtual std::string BroadcastBytes(const std::string& bytes, int root) = 0;
  // Root gives one string per rank; each rank gets its own.
  virtual std::string Scatter(const std::vector<std::string>& parts, int root) = 0;
  virtual void Barrier() = 0;
};

// The group of one.
std::unique_ptr<Communicator> MakeSingle();

// `size` ends of one group in this process, one per thread.
std::vector<std::unique_ptr<Communicator>> MakeThreadGroup(int size, std::chrono::milliseconds timeout);

// Runs fn(rank's communicator) on `size` threads and joins them; the first exception is thrown again.
void SpawnRanks(int size, const std::function<void(Communicator&)>& fn);

// MPI. InitMpi calls MPI_Init_thread once; FinalizeMpi ends it. The group is made of the ranks that name the same color
// (>= 0); a rank with a negative color gets null.
bool LaunchedByMpi();  // by the environment of mpirun or srun, before any initialisation
void InitMpi();
void FinalizeMpi();
void AbortMpi(int exit_code);  // ends the whole job
int MpiRank();
int MpiSize();
std::unique_ptr<Communicator> MakeMpiGroup(int color, std::chrono::milliseconds timeout);

// NCCL over the ranks of `bootstrap`, one GPU each (`device`), for tensors there; bytes, and tensors on the CPU, still
// go over `bootstrap`, which must outlive it. Error(kBadInput) for another device, and in a
// build without CUDA.
std::unique_ptr<Communicator> MakeNcclGroup(Communicator& bootstrap, at::Device device,
                                            std::chrono::milliseconds timeout);

}  // namespace autodidact::collective
