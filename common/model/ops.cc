#include "model/ops.h"

#include <torch/csrc/autograd/custom_function.h>

#include "base/check.h"
#include "model/ops_cpu.h"

namespace autodidact::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// [T, N] buffer = x · [w0ᵀ w1ᵀ …], each product written into its own columns.
class ProjectFunction : public torch::autograd::Function<ProjectFunction> {
 public:
  // inputs: x, the weights, then the biases (none or as many).
  static at::Tensor forward(AutogradContext* context, at::TensorList inputs, std::int64_t num_weights) {
    const at::Tensor& x = inputs[0];
    std::int64_t width = 0;
    for (std::int64_t i = 0; i < num_weights; ++i) width += inputs[1 + i].size(0);
    at::Tensor out = at::empty({x.size(0), width}, x.options());
    const bool biased = static_cast<std::int64_t>(inputs.size()) > 1 + num_weights;
    std::int64_t column = 0;
    for (std::int64_t i = 0; i < num_weights; ++i) {
      const at::Tensor& weight = inputs[1 + i];
      at::Tensor columns = out.narrow(1, column, weight.size(0));
      if (biased) {
        at::addmm_out(columns, inputs[1 + num_weights + i], x, weight.t());
      } else {
        at::mm_out(columns, x, weight.t());
      }
      column += weight.size(0);
    }
    context->save_for_backward(variable_list(inputs.begin(), inputs.begin() + 1 + num_weights));
    context->saved_data["biased"] = biased;
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const std::size_t num_weights = saved.size() - 1;
    const bool biased = context->saved_data["biased"].toBool();
    const at::Tensor& gradient = gradients[0];
    variable_list results(1 + num_weights * (biased ? 2 : 1) + 1);
    std::int64_t column = 0;
    for (std::size_t i = 0; i < num_weights; ++i) {
      const at::Tensor& weight = saved[1 + i];
      const at::Tensor part = gradient.narrow(1, column, weight.size(0));
      if (context->needs_input_grad(0)) {
        results[0] = results[0].defined() ? results[0].addmm_(part, weight) : at::mm(part, weight);
      }
      if (context->needs_input_grad(1 + i)) results[1 + i] = at::mm(part.t(), x);
      if (biased && context->needs_input_grad(1 + num_weights + i)) results[1 + num_weights + i] = part.sum(0);
      column += weight.size(0);
    }
    return results;
  }
};

// In fp32 whatever the dtype, rounded before the weight is applied (or after, with 1 + w), as transformers does it.
at::Tensor GenericNorm(const at::Tensor& x, const at::Tensor& weight, const NormOptions& options) {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor normed = wide * at::rsqrt(wide.square().mean(-1, true) + options.eps);
  if (options.plus_one) return (normed * (1.0 + weight.to(at::kFloat))).to(x.scalar_type());
  return weight * normed.to(x.scalar_type());
}

}  // namespace

bool UsesCpuKernels(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat;
}

at::Tensor RmsNorm(const at::Tensor& x_TE, const at::Tensor& weight_E, const NormOptions& options) {
  return UsesCpuKernels(x_TE) ? cpu::RmsNorm(x_TE, weight_E, options) : GenericNorm(x_TE, weight_E, options);
}

std::pair<at::Tensor, at::Tensor> AddRmsNorm(const at::Tensor& x_TE, const at::Tensor& delta_TE,
                                             const at::Tensor& weight_E, const NormOptions& options) {
  if (!delta_TE.defined()) return {x_TE, RmsNorm(x_TE, weight_E, options)};
  if (UsesCpuKernels(x_TE)) return cpu::AddRmsNorm(x_TE, delta_TE, weight_E, options);
  const at::Tensor sum = x_TE + delta_TE;
  return {sum, GenericNorm(sum, weight_E, options)};
}

at::Tensor HeadNorm(const at::Tensor& qkv, const at::Tensor& query_weight_D, const at::Tensor& key_weight_D,
                    std::int64_t num_heads, std::int64_t num_kv_heads, const NormOptions& options) {
  if (UsesCpuKernels(qkv)) return cpu::HeadNorm(qkv, query_weight_D, key_weight_D, num_heads, num_kv_heads, options);
  const std::int64_t head_dim = query_weight_D.size(0);
  const at::Tensor heads = qkv.view({qkv.size(0), num_heads + 2 * num_kv_heads, head_dim});
  return at::cat({GenericNorm(heads.narrow(1, 0, num_heads), query_weight_D, options),
                  GenericNorm(heads.narrow(1, num_heads, num_kv_heads), key_weight_D, options),
                  heads.narrow(1, num_heads + num_kv_heads, num_kv_heads)},
                 1)
      .view_as(qkv);
}

at::Tensor Project(const at::Tensor& x_TE, const std::vector<at::Tensor>& weights,
                   const std::vector<at::Tensor>& biases) {
  AD_CHECK(biases.empty() || biases.size() == weights.size(), "{} biases for {} weights", biases.size(),
           weights.size());
  variable_list inputs = {x_TE};
  inputs.insert(inputs.end(), weights.begin(), weights.end());
  inputs.insert(inputs.end(), biases.begin(), biases.end());
  return ProjectFunction::apply(at::TensorList(inputs), static_cast<std::int64_t>(weights.size()));
}

at::Tensor GatedActivation(const at::Tensor& gate_up, bool gelu_tanh) {
  if (UsesCpuKernels(gate_up)) return cpu::GatedActivation(gate_up, gelu_tanh);
  const std::int64_t width = gate_up.size(1) / 2;
  const at::Tensor gate = gate_up.narrow(1, 0, width);
  return (gelu_tanh ? at::gelu(gate, "tanh") : at::silu(gate)) * gate_up.narrow(1, width, width);
}

}  // namespace autodidact::model
