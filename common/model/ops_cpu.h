// The CPU fp32 implementations of ops.h. Inputs are contiguous; see there for the meaning.
#pragma once

#include "model/ops.h"

namespace autodidact::model::cpu {

at::Tensor RmsNorm(const at::Tensor& x_TE, const at::Tensor& weight_E, const NormOptions& options);
std::pair<at::Tensor, at::Tensor> AddRmsNorm(const at::Tensor& x_TE, const at::Tensor& delta_TE,
                                             const at::Tensor& weight_E, const NormOptions& options);
at::Tensor HeadNorm(const at::Tensor& qkv, const at::Tensor& query_weight_D, const at::Tensor& key_weight_D,
                    std::int64_t num_heads, std::int64_t num_kv_heads, const NormOptions& options);
at::Tensor GatedActivation(const at::Tensor& gate_up, bool gelu_tanh);

}  // namespace autodidact::model::cpu
