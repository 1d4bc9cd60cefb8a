// The arithmetic that every backend shares, so that the same ranks give the same bits over threads, MPI and NCCL.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace autodidact::collective {

// The part of `count` elements that rank `rank` of `size` sums for everyone: [begin, end).
struct Slice {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t count() const { return end - begin; }
};
inline Slice SliceOf(std::int64_t count, int rank, int size) {
  return {count * rank / size, count * (rank + 1) / size};
}

// The elements of a rank's share of a tensor's rows (its first dimension).
inline Slice ElementsOf(const at::Tensor& tensor, int rank, int size) {
  if (tensor.numel() == 0) return {};
  const Slice rows = SliceOf(tensor.size(0), rank, size);
  const std::int64_t width = tensor.numel() / tensor.size(0);
  return {rows.begin * width, rows.end * width};
}

// The part of a slice that a transfer in pieces of `piece` elements has reached at `begin`; empty beyond its end.
inline Slice PieceOf(Slice slice, std::int64_t begin, std::int64_t piece) {
  return {std::min(slice.begin + begin, slice.end), std::min(slice.begin + begin + piece, slice.end)};
}

// into[i] += from[i], in the type's own precision.
template <class T>
void AddInto(T* into, const T* from, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) into[i] += from[i];
}

// Throws Error(kBug) unless the tensor is contiguous and on the device.
void RequireContiguous(const at::Tensor& tensor, std::string_view operation, at::Device device = at::kCPU);
// The same, and of fp32 or fp64.
void RequireSummable(const at::Tensor& tensor, std::string_view operation, at::Device device = at::kCPU);
// Throws Error(kBug) unless 0 <= root < size.
void RequireRank(int root, int size, std::string_view operation);

}  // namespace autodidact::collective
