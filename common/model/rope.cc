#include "model/rope.h"

#include <numbers>

namespace autodidact::model {

at::Tensor InverseFrequencies(const RopeConfig& rope, std::int64_t head_dim) {
  const at::Tensor exponents = at::arange(0, head_dim, 2, at::kLong).to(at::kFloat) / static_cast<double>(head_dim);
  at::Tensor frequencies = at::pow(rope.theta, exponents).reciprocal();
  if (rope.linear_factor != 1.0) frequencies = frequencies / rope.linear_factor;
  if (!rope.llama3) return frequencies;

  // Llama 3.1: long wavelengths are divided by the factor, short ones are kept, those between are blended.
  const auto original = static_cast<double>(rope.original_max_position_embeddings);
  const double low_wavelength = original / rope.low_freq_factor;
  const double high_wavelength = original / rope.high_freq_factor;
  const at::Tensor wavelengths = 2 * std::numbers::pi / frequencies;
  const at::Tensor scaled = at::where(wavelengths > low_wavelength, frequencies / rope.factor, frequencies);
  const at::Tensor smooth =
      (original / wavelengths - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor);
  const at::Tensor blended = (1 - smooth) * scaled / rope.factor + smooth * scaled;
  const at::Tensor between = (wavelengths >= high_wavelength).logical_and(wavelengths <= low_wavelength);
  return at::where(between, blended, scaled);
}

RopeTable MakeRopeTable(const RopeConfig& rope, std::int64_t head_dim, std::int64_t num_positions, at::Device device) {
  const at::Tensor positions = at::arange(num_positions, at::kFloat);
  const at::Tensor angles = at::outer(positions, InverseFrequencies(rope, head_dim));
  return {angles.cos().to(device), angles.sin().to(device)};
}

}  // namespace autodidact::model
