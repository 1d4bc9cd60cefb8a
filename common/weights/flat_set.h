// A weight set as one row of bytes: its tensors' bytes one after another, in the order of their names.
#pragma once

#include <cstdint>
#include <vector>

#include "model/weight_set.h"
#include "schema/types.h"

namespace autodidact::weights {

// Reads and writes ranges of the row without ever copying it whole. Holds its tensors. A value type; reading is safe
// from several threads, writing from one.
class FlatSet {
 public:
  // Over a set's own memory where it lies contiguous on the CPU, over copies where it does not. Read only.
  // Throws Error(kBug) for a tensor that is neither fp32, bf16 nor fp16.
  explicit FlatSet(const model::Parameters& parameters);
  // Over new memory. Throws Error(kBadInput) unless the tensors are exactly those of a model of this config, in the
  // order of their names.
  FlatSet(const std::vector<schema::TensorInfo>& tensors, const model::ModelConfig& config);

  const std::vector<schema::TensorInfo>& infos() const { return infos_; }
  std::uint64_t size() const { return size_; }

  // Bytes [offset, offset + size), which must lie inside.
  void Read(std::uint64_t offset, std::uint64_t size, char* to) const;
  void Write(std::uint64_t offset, std::uint64_t size, const char* from);
  // XXH3-64 of all bytes.
  std::uint64_t Checksum() const;

  // The tensors by name; they share this set's memory.
  model::Parameters parameters() const;

 private:
  void Add(schema::TensorInfo info, at::Tensor tensor);
  // Calls fn(pointer to the tensors' memory, how many bytes) for each stretch of the range.
  template <class Fn>
  void ForStretches(std::uint64_t offset, std::uint64_t size, Fn fn) const;

  std::vector<schema::TensorInfo> infos_;
  std::vector<at::Tensor> tensors_;
  std::vector<std::uint64_t> offsets_;
  std::uint64_t size_ = 0;
};

}  // namespace autodidact::weights
