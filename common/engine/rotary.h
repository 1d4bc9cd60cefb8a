// Rotary embedding angles, in the single precision that the models were trained with.
#pragma once

#include <cstdint>
#include <vector>

#include "model/config.h"

namespace autodidact::engine {

// Cosines and sines by position, grown on demand; the frequencies are the model room's. Owned by the engine's thread;
// reading rows below size() is safe from several threads while nobody grows it.
class RotaryTable {
 public:
  RotaryTable(const model::RopeConfig& rope, std::int64_t head_dim);

  std::int64_t size() const { return size_; }
  void GrowTo(std::int64_t positions);
  // half floats each.
  const float* Cosines(std::int64_t position) const { return &table_[2 * half_ * position]; }
  const float* Sines(std::int64_t position) const { return &table_[2 * half_ * position + half_]; }

 private:
  std::vector<float> frequencies_;
  std::int64_t half_;
  std::int64_t size_ = 0;
  std::vector<float> table_;
};

}  // namespace autodidact::engine
