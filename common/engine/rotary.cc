#include "engine/rotary.h"

#include <algorithm>
#include <cmath>

#include "model/rope.h"

namespace autodidact::engine {

RotaryTable::RotaryTable(const model::RopeConfig& rope, std::int64_t head_dim) : half_(head_dim / 2) {
  const at::Tensor frequencies = model::InverseFrequencies(rope, head_dim).to(at::kFloat).contiguous();
  const float* values = frequencies.const_data_ptr<float>();
  frequencies_.assign(values, values + half_);
}

void RotaryTable::GrowTo(std::int64_t positions) {
  if (positions <= size_) return;
  const std::int64_t size = std::max(positions, 2 * size_);
  table_.resize(static_cast<std::size_t>(size * 2 * half_));
  for (std::int64_t position = size_; position < size; ++position) {
    float* row = &table_[2 * half_ * position];
    for (std::int64_t i = 0; i < half_; ++i) {
      const float angle = static_cast<float>(position) * frequencies_[i];
      row[i] = std::cos(angle);
      row[half_ + i] = std::sin(angle);
    }
  }
  size_ = size;
}

}  // namespace autodidact::engine
