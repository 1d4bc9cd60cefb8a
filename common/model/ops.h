// The differentiable operators of a layer. Each has two implementations that agree within rounding: loops written for
// the CPU in fp32 (ops_cpu.cc), chosen by the tensors' device and dtype, and libtorch's own operators for all else.
//
// Shape letters: T tokens, E width of a row, H query heads, K key heads, D head_dim, I intermediate size.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace autodidact::model {

// True for fp32 tensors on the CPU.
bool UsesCpuKernels(const at::Tensor& tensor);

struct NormOptions {
  double eps = 1e-5;
  bool plus_one = false;  // multiply by 1 + w instead of w
};

// x_TE / rms(x_TE) times the weight.
at::Tensor RmsNorm(const at::Tensor& x_TE, const at::Tensor& weight_E, const NormOptions& options);

// {x + delta, RmsNorm(x + delta)}: the end of one block and the start of the next. delta may be undefined (zero).
std::pair<at::Tensor, at::Tensor> AddRmsNorm(const at::Tensor& x_TE, const at::Tensor& delta_TE,
                                             const at::Tensor& weight_E, const NormOptions& options);

// RmsNorm over each head's vector of queries and keys in [T, (H + 2K)·D]; the values pass unchanged.
at::Tensor HeadNorm(const at::Tensor& qkv, const at::Tensor& query_weight_D, const at::Tensor& key_weight_D,
                    std::int64_t num_heads, std::int64_t num_kv_heads, const NormOptions& options);

// x · wᵀ (+ bias) for several matrices, side by side in one [T, ΣN]: the matrices are never copied together. biases is
// empty or one for each weight.
at::Tensor Project(const at::Tensor& x_TE, const std::vector<at::Tensor>& weights,
                   const std::vector<at::Tensor>& biases);

// act(gate) · up of [T, 2I] (gate, then up) → [T, I]; SiLU or the tanh form of GELU.
at::Tensor GatedActivation(const at::Tensor& gate_up, bool gelu_tanh);

}  // namespace autodidact::model
