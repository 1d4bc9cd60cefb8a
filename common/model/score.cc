#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "model/kernels.h"
#include "model/memory.h"
#include "model/ops.h"
#include "model/parallel.h"
#include "model/transformer.h"

namespace autodidact::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Sums {
  at::Tensor logsumexps;
  at::Tensor entropies;
};

// logits [rows, V] are not divided by the temperature yet.
Sums SumsOf(const at::Tensor& logits, double temperature) {
  if (!UsesCpuKernels(logits)) {
    const at::Tensor scaled = logits.to(at::kFloat, false, /*copy=*/true).div_(temperature);
    const at::Tensor logsumexps = scaled.logsumexp(1);
    const at::Tensor means = (scaled - logsumexps.unsqueeze(1)).exp_().mul_(scaled).sum(1);
    return {logsumexps, logsumexps - means};
  }
  const std::int64_t width = logits.size(1);
  Sums sums{at::empty({logits.size(0)}, logits.options()), at::empty({logits.size(0)}, logits.options())};
  const float* in = logits.const_data_ptr<float>();
  float* logsumexps = sums.logsumexps.mutable_data_ptr<float>();
  float* entropies = sums.entropies.mutable_data_ptr<float>();
  const auto inverse = static_cast<float>(1.0 / temperature);
  ParallelFor(logits.size(0), std::max<std::int64_t>(1, 16384 / width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const kernels::RowSums found = kernels::LogSumExp(in + row * width, inverse, width);
      logsumexps[row] = found.logsumexp;
      entropies[row] = found.logsumexp - found.mean;
    }
  });
  return sums;
}

// d/dlogits of Σ gradient · logprob: gradient / temperature · (onehot(target) - softmax). May overwrite the logits.
at::Tensor LogitGradients(at::Tensor logits, const at::Tensor& targets, const at::Tensor& logsumexps,
                          const at::Tensor& gradients, double temperature) {
  if (!UsesCpuKernels(logits)) {
    const at::Tensor scaled = gradients / temperature;
    at::Tensor result = logits.to(at::kFloat).div_(temperature);
    result.sub_(logsumexps.unsqueeze(1)).exp_().mul_(-scaled.unsqueeze(1));
    result.scatter_add_(1, targets.unsqueeze(1), scaled.unsqueeze(1));
    return result.to(logits.scalar_type());
  }
  const std::int64_t width = logits.size(1);
  float* values = logits.mutable_data_ptr<float>();
  const float* sums = logsumexps.const_data_ptr<float>();
  const float* g = gradients.const_data_ptr<float>();
  const auto* target = targets.const_data_ptr<std::int64_t>();
  const auto inverse = static_cast<float>(1.0 / temperature);
  ParallelFor(logits.size(0), std::max<std::int64_t>(1, 16384 / width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      kernels::SoftmaxRow(values + row * width, inverse, sums[row], -g[row] * inverse, width);
      values[row * width + target[row]] += g[row] * inverse;
    }
  });
  return logits;
}

class ScoreFunction : public torch::autograd::Function<ScoreFunction> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& hidden, const at::Tensor& head,
                               const at::Tensor& targets, double temperature) {
    const std::int64_t num_rows = hidden.size(0);
    const std::int64_t step = LogitRows(head.size(0), head.device().type());
    const auto fp32 = hidden.options().dtype(at::kFloat);
    at::Tensor logprobs = at::empty({num_rows}, fp32);
    at::Tensor entropies = at::empty({num_rows}, fp32);
    at::Tensor logsumexps = at::empty({num_rows}, fp32);
    at::Tensor logits;
    for (std::int64_t row = 0; row < num_rows; row += step) {
      const std::int64_t rows = std::min(step, num_rows - row);
      logits = at::mm(hidden.narrow(0, row, rows), head.t());
      const Sums sums = SumsOf(logits, temperature);
      logsumexps.narrow(0, row, rows).copy_(sums.logsumexps);
      entropies.narrow(0, row, rows).copy_(sums.entropies);
      const at::Tensor chosen = logits.gather(1, targets.narrow(0, row, rows).unsqueeze(1)).squeeze(1);
      logprobs.narrow(0, row, rows).copy_(chosen.to(at::kFloat) / temperature - sums.logsumexps);
    }
    // A batch that fits keeps its logits for the backward pass.
    const bool keep = num_rows <= step && num_rows > 0;
    context->save_for_backward({hidden, head, targets, logsumexps, keep ? logits : at::Tensor()});
    context->saved_data["temperature"] = temperature;
    context->mark_non_differentiable({entropies});
    return {logprobs, entropies};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& hidden = saved[0];
    const at::Tensor& head = saved[1];
    const at::Tensor& targets = saved[2];
    const double temperature = context->saved_data["temperature"].toDouble();
    const at::Tensor gradient = gradients[0].contiguous();
    const std::int64_t num_rows = hidden.size(0);
    const std::int64_t step = LogitRows(head.size(0), head.device().type());
    at::Tensor d_hidden = context->needs_input_grad(0) ? at::empty_like(hidden) : at::Tensor();
    at::Tensor d_head;
    for (std::int64_t row = 0; row < num_rows; row += step) {
      const std::int64_t rows = std::min(step, num_rows - row);
      const at::Tensor part = hidden.narrow(0, row, rows);
      // Kept logits are copied: a graph that is retained may come here again.
      const at::Tensor logits = saved[4].defined() ? saved[4].clone() : at::mm(part, head.t());
      const at::Tensor d_logits = LogitGradients(logits, targets.narrow(0, row, rows), saved[3].narrow(0, row, rows),
                                                 gradient.narrow(0, row, rows), temperature);
      if (d_hidden.defined()) {
        at::Tensor d_part = d_hidden.narrow(0, row, rows);
        at::mm_out(d_part, d_logits, head);
      }
      if (context->needs_input_grad(1)) {
        d_head = d_head.defined() ? d_head.addmm_(d_logits.t(), part) : at::mm(d_logits.t(), part);
      }
    }
    return {d_hidden, d_head, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

TokenScores ScoreTokens(const at::Tensor& hidden_ME, const at::Tensor& head_VE, const at::Tensor& targets_M,
                        double temperature) {
  AD_CHECK(hidden_ME.size(0) == targets_M.size(0), "{} rows but {} targets", hidden_ME.size(0), targets_M.size(0));
  AD_CHECK(temperature > 0, "temperature is {}", temperature);
  const variable_list results = ScoreFunction::apply(hidden_ME.contiguous(), head_VE.contiguous(),
                                                     targets_M.to(at::kLong).contiguous(), temperature);
  return {results[0], results[1]};
}

}  // namespace autodidact::model
