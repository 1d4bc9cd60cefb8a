#include "model/ops_cpu.h"

#include <algorithm>

#include "model/kernels.h"
#include "model/parallel.h"

namespace autodidact::model::cpu {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Numbers that one thread should have to do for its start to pay.
constexpr std::int64_t kGrainElements = 16384;

std::int64_t GrainRows(std::int64_t width) {
  return std::max<std::int64_t>(1, kGrainElements / width);
}

// Adds the rows of partial sums in their order.
at::Tensor SumRows(const at::Tensor& partial) {
  return partial.size(0) == 1 ? partial[0] : partial.sum(0);
}

// inputs: x, w or x, w, delta. Outputs: {normed} or {sum, normed}.
class RmsNormFunction : public torch::autograd::Function<RmsNormFunction> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                               const std::optional<at::Tensor>& delta, double eps, bool plus_one) {
    const std::int64_t width = weight.size(0);
    const std::int64_t rows = x.numel() / width;
    const bool adds = delta.has_value();
    at::Tensor sum = adds ? at::empty_like(x) : at::Tensor();
    at::Tensor normed = at::empty_like(x);
    at::Tensor rstd = at::empty({rows}, x.options());
    const float* in = x.const_data_ptr<float>();
    const float* add = adds ? delta->const_data_ptr<float>() : nullptr;
    const float* w = weight.const_data_ptr<float>();
    float* total = adds ? sum.mutable_data_ptr<float>() : nullptr;
    float* out = normed.mutable_data_ptr<float>();
    float* r = rstd.mutable_data_ptr<float>();
    ParallelFor(rows, GrainRows(width), [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t offset = begin * width;
      kernels::RmsNorm(in + offset, adds ? add + offset : nullptr, w, end - begin, width, static_cast<float>(eps),
                       plus_one ? 1.0f : 0.0f, adds ? total + offset : nullptr, out + offset, r + begin);
    });
    context->save_for_backward({adds ? sum : x, weight, rstd});
    context->saved_data["plus_one"] = plus_one;
    context->saved_data["adds"] = adds;
    context->set_materialize_grads(false);
    if (adds) return {sum, normed};
    return {normed};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const bool adds = context->saved_data["adds"].toBool();
    const float offset = context->saved_data["plus_one"].toBool() ? 1.0f : 0.0f;
    const at::Tensor d_sum = adds && gradients[0].defined() ? gradients[0].contiguous() : at::Tensor();
    if (!gradients.back().defined()) return {d_sum, at::Tensor(), d_sum, at::Tensor(), at::Tensor()};
    const at::Tensor d_normed = gradients.back().contiguous();

    const std::int64_t width = weight.size(0);
    const std::int64_t rows = x.numel() / width;
    const std::int64_t chunks = NumChunks(rows, GrainRows(width));
    at::Tensor dx = at::empty_like(x);
    at::Tensor dw = at::zeros({chunks, width}, x.options());
    const float* g = d_normed.const_data_ptr<float>();
    const float* s = d_sum.defined() ? d_sum.const_data_ptr<float>() : nullptr;
    const float* in = x.const_data_ptr<float>();
    const float* w = weight.const_data_ptr<float>();
    const float* r = saved[2].const_data_ptr<float>();
    float* out = dx.mutable_data_ptr<float>();
    float* partial = dw.mutable_data_ptr<float>();
    ParallelChunks(rows, chunks, [&](std::int64_t chunk, std::int64_t begin, std::int64_t end) {
      const std::int64_t at = begin * width;
      kernels::RmsNormBackward(g + at, s ? s + at : nullptr, in + at, w, r + begin, end - begin, width, offset,
                               out + at, partial + chunk * width);
    });
    return {dx, SumRows(dw), adds ? dx : at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

// Normalises each head of the queries and keys of [T, (H + 2K)·D].
class HeadNormFunction : public torch::autograd::Function<HeadNormFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv, const at::Tensor& query_weight,
                            const at::Tensor& key_weight, std::int64_t num_heads, std::int64_t num_kv_heads, double eps,
                            bool plus_one) {
    const std::int64_t dim = query_weight.size(0);
    const std::int64_t normed_heads = num_heads + num_kv_heads;
    const std::int64_t width = qkv.size(1);
    at::Tensor out = at::empty_like(qkv);
    at::Tensor rstd = at::empty({qkv.size(0), normed_heads}, qkv.options());
    const float* in = qkv.const_data_ptr<float>();
    const float* wq = query_weight.const_data_ptr<float>();
    const float* wk = key_weight.const_data_ptr<float>();
    float* y = out.mutable_data_ptr<float>();
    float* r = rstd.mutable_data_ptr<float>();
    const auto e = static_cast<float>(eps);
    const float offset = plus_one ? 1.0f : 0.0f;
    ParallelFor(qkv.size(0), GrainRows(width), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t t = begin; t < end; ++t) {
        const float* row = in + t * width;
        float* to = y + t * width;
        float* rs = r + t * normed_heads;
        const std::int64_t keys = num_heads * dim;
        const std::int64_t values = normed_heads * dim;
        kernels::RmsNorm(row, nullptr, wq, num_heads, dim, e, offset, nullptr, to, rs);
        kernels::RmsNorm(row + keys, nullptr, wk, num_kv_heads, dim, e, offset, nullptr, to + keys, rs + num_heads);
        std::copy(row + values, row + width, to + values);
      }
    });
    context->save_for_backward({qkv, query_weight, key_weight, rstd});
    context->saved_data["num_heads"] = num_heads;
    context->saved_data["num_kv_heads"] = num_kv_heads;
    context->saved_data["plus_one"] = plus_one;
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& qkv = saved[0];
    const std::int64_t num_heads = context->saved_data["num_heads"].toInt();
    const std::int64_t num_kv_heads = context->saved_data["num_kv_heads"].toInt();
    const float offset = context->saved_data["plus_one"].toBool() ? 1.0f : 0.0f;
    const at::Tensor gradient = gradients[0].contiguous();
    const std::int64_t dim = saved[1].size(0);
    const std::int64_t normed_heads = num_heads + num_kv_heads;
    const std::int64_t width = qkv.size(1);
    const std::int64_t chunks = NumChunks(qkv.size(0), GrainRows(width));
    at::Tensor dx = at::empty_like(qkv);
    at::Tensor dw = at::zeros({chunks, 2, dim}, qkv.options());
    const float* g = gradient.const_data_ptr<float>();
    const float* in = qkv.const_data_ptr<float>();
    const float* wq = saved[1].const_data_ptr<float>();
    const float* wk = saved[2].const_data_ptr<float>();
    const float* r = saved[3].const_data_ptr<float>();
    float* out = dx.mutable_data_ptr<float>();
    float* partial = dw.mutable_data_ptr<float>();
    ParallelChunks(qkv.size(0), chunks, [&](std::int64_t chunk, std::int64_t begin, std::int64_t end) {
      float* dq = partial + chunk * 2 * dim;
      for (std::int64_t t = begin; t < end; ++t) {
        const std::int64_t row = t * width;
        const std::int64_t keys = row + num_heads * dim;
        const std::int64_t values = row + normed_heads * dim;
        const float* rs = r + t * normed_heads;
        kernels::RmsNormBackward(g + row, nullptr, in + row, wq, rs, num_heads, dim, offset, out + row, dq);
        kernels::RmsNormBackward(g + keys, nullptr, in + keys, wk, rs + num_heads, num_kv_heads, dim, offset,
                                 out + keys, dq + dim);
        std::copy(g + values, g + row + width, out + values);
      }
    });
    const at::Tensor sums = SumRows(dw);
    return {dx, sums[0], sums[1], at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

class GatedActivationFunction : public torch::autograd::Function<GatedActivationFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gate_up, bool gelu_tanh) {
    const std::int64_t width = gate_up.size(1) / 2;
    at::Tensor out = at::empty({gate_up.size(0), width}, gate_up.options());
    const float* in = gate_up.const_data_ptr<float>();
    float* y = out.mutable_data_ptr<float>();
    const auto kernel = gelu_tanh ? kernels::GeluGate : kernels::SiluGate;
    ParallelFor(gate_up.size(0), GrainRows(width), [&](std::int64_t begin, std::int64_t end) {
      kernel(in + begin * 2 * width, end - begin, width, y + begin * width);
    });
    context->save_for_backward({gate_up});
    context->saved_data["gelu_tanh"] = gelu_tanh;
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor gate_up = context->get_saved_variables()[0];
    const at::Tensor gradient = gradients[0].contiguous();
    const std::int64_t width = gradient.size(1);
    at::Tensor d_gate_up = at::empty_like(gate_up);
    const float* g = gradient.const_data_ptr<float>();
    const float* in = gate_up.const_data_ptr<float>();
    float* d = d_gate_up.mutable_data_ptr<float>();
    const auto kernel =
        context->saved_data["gelu_tanh"].toBool() ? kernels::GeluGateBackward : kernels::SiluGateBackward;
    ParallelFor(gradient.size(0), GrainRows(width), [&](std::int64_t begin, std::int64_t end) {
      kernel(g + begin * width, in + begin * 2 * width, end - begin, width, d + begin * 2 * width);
    });
    return {d_gate_up, at::Tensor()};
  }
};

}  // namespace

at::Tensor RmsNorm(const at::Tensor& x_TE, const at::Tensor& weight_E, const NormOptions& options) {
  return RmsNormFunction::apply(x_TE.contiguous(), weight_E.contiguous(), std::optional<at::Tensor>(), options.eps,
                                options.plus_one)[0];
}

std::pair<at::Tensor, at::Tensor> AddRmsNorm(const at::Tensor& x_TE, const at::Tensor& delta_TE,
                                             const at::Tensor& weight_E, const NormOptions& options) {
  const variable_list results =
      RmsNormFunction::apply(x_TE.contiguous(), weight_E.contiguous(), std::optional<at::Tensor>(delta_TE.contiguous()),
                             options.eps, options.plus_one);
  return {results[0], results[1]};
}

at::Tensor HeadNorm(const at::Tensor& qkv, const at::Tensor& query_weight_D, const at::Tensor& key_weight_D,
                    std::int64_t num_heads, std::int64_t num_kv_heads, const NormOptions& options) {
  return HeadNormFunction::apply(qkv.contiguous(), query_weight_D.contiguous(), key_weight_D.contiguous(), num_heads,
                                 num_kv_heads, options.eps, options.plus_one);
}

at::Tensor GatedActivation(const at::Tensor& gate_up, bool gelu_tanh) {
  return GatedActivationFunction::apply(gate_up.contiguous(), gelu_tanh);
}

}  // namespace autodidact::model::cpu
