#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "model/attention.h"
#include "model/kernels.h"
#include "model/parallel.h"

// BLAS as libtorch's CPU library carries it.
extern "C" void sgemm_(const char* flag_a, const char* flag_b, const int* m, const int* n, const int* k,
                       const float* alpha, const float* a, const int* ld_a, const float* b, const int* ld_b,
                       const float* beta, float* c, const int* ld_c);

namespace autodidact::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Row-major C[m, n] = alpha · A[m, k] · B[k, n] + beta · C; the flags say that A or B is stored transposed. ld is the
// distance between rows as stored.
struct Matrix {
  const float* data;
  std::int64_t ld;
  bool transposed = false;
};
void Gemm(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, Matrix a, Matrix b, float beta, float* c,
          std::int64_t ldc) {
  // Read as column-major, row-major matrices are their transposes: Cᵀ = Bᵀ Aᵀ.
  const char flag_a = a.transposed ? 'T' : 'N';
  const char flag_b = b.transposed ? 'T' : 'N';
  const int rows = static_cast<int>(n), columns = static_cast<int>(m), inner = static_cast<int>(k);
  const int ld_a = static_cast<int>(a.ld), ld_b = static_cast<int>(b.ld), ld_c = static_cast<int>(ldc);
  sgemm_(&flag_b, &flag_a, &rows, &columns, &inner, &alpha, b.data, &ld_b, a.data, &ld_a, &beta, c, &ld_c);
}

// Pointers into the rotated [T, (H + 2K)·D] of one query head and its key head.
struct HeadView {
  const float* query;
  const float* key;
  const float* value;
  std::int64_t ld;
};

class Geometry {
 public:
  Geometry(const AttentionPlan& plan, const AttentionShape& shape) : plan_(plan), shape_(shape) {}

  std::int64_t width() const { return shape_.qkv_width(); }
  std::int64_t repeats() const { return shape_.num_heads / shape_.num_kv_heads; }
  std::int64_t query_offset(std::int64_t head) const { return head * shape_.head_dim; }
  std::int64_t key_offset(std::int64_t kv_head) const { return (shape_.num_heads + kv_head) * shape_.head_dim; }
  std::int64_t value_offset(std::int64_t kv_head) const {
    return (shape_.num_heads + shape_.num_kv_heads + kv_head) * shape_.head_dim;
  }
  HeadView View(const float* rotated, std::int64_t head) const {
    const std::int64_t kv_head = head / repeats();
    return {rotated + query_offset(head), rotated + key_offset(kv_head), rotated + value_offset(kv_head), width()};
  }

  // scores[rows, columns] = scale · Q Kᵀ: the prefix's columns first, then those of each part's own keys.
  void Scores(const QueryBlock& block, const HeadView& view, float alpha, const float* query, std::int64_t query_ld,
              const float* key, float* scores) const {
    const std::int64_t columns = block.columns();
    const std::int64_t dim = shape_.head_dim;
    if (block.prefix_size() > 0) {
      Gemm(block.rows(), block.prefix_size(), dim, alpha, {query + block.row_begin * query_ld, query_ld},
           {key + block.prefix_begin * view.ld, view.ld, true}, 0.0f, scores, columns);
    }
    for (const OwnPart& part : block.parts) {
      Gemm(part.row_end - part.row_begin, part.key_end - part.key_begin, dim, alpha,
           {query + part.row_begin * query_ld, query_ld}, {key + part.key_begin * view.ld, view.ld, true}, 0.0f,
           scores + (part.row_begin - block.row_begin) * columns + block.prefix_size(), columns);
    }
  }

  // The visible columns of a row: [prefix_first, prefix_size) of the prefix and [own_first, own_end) of the own keys.
  struct Visible {
    std::int64_t prefix_first;
    std::int64_t own_first;
    std::int64_t own_end;
  };
  Visible VisibleOf(const QueryBlock& block, const OwnPart& part, std::int64_t row) const {
    Visible visible{0, 0, row - part.key_begin + 1};
    if (shape_.window > 0) {
      const std::int64_t unseen_own = row - shape_.window + 1 - part.key_begin;
      visible.own_first = std::clamp<std::int64_t>(unseen_own, 0, visible.own_end);
      // The last prefix column stands one position before the segment, whose first token has the prefix's size as its
      // position.
      const std::int64_t position = plan_.positions[static_cast<std::size_t>(row)];
      const std::int64_t oldest = position - shape_.window + 1;
      const std::int64_t first_position =
          block.prefix_size() > 0 ? plan_.positions[static_cast<std::size_t>(block.prefix_begin)] : 0;
      visible.prefix_first = std::clamp<std::int64_t>(oldest - first_position, 0, block.prefix_size());
    }
    return visible;
  }

  const AttentionPlan& plan() const { return plan_; }
  const AttentionShape& shape() const { return shape_; }

 private:
  const AttentionPlan& plan_;
  const AttentionShape& shape_;
};

// in -> out, the queries and keys rotated by sign times their angles, the values copied.
void RotateRows(const at::Tensor& in, const RopeTable& rope, const Geometry& geometry, float sign, at::Tensor& out) {
  const std::int64_t width = geometry.width();
  const std::int64_t dim = geometry.shape().head_dim;
  const std::int64_t rotated = geometry.shape().num_heads + geometry.shape().num_kv_heads;
  const float* x = in.const_data_ptr<float>();
  float* y = out.mutable_data_ptr<float>();
  const float* cos = rope.cos_PD.const_data_ptr<float>();
  const float* sin = rope.sin_PD.const_data_ptr<float>();
  const auto& positions = geometry.plan().positions;
  ParallelFor(in.size(0), std::max<std::int64_t>(1, 16384 / width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t angle = positions[static_cast<std::size_t>(t)] * (dim / 2);
      kernels::Rotate(x + t * width, cos + angle, sin + angle, rotated, dim, sign, y + t * width);
      if (x != y) std::copy(x + t * width + rotated * dim, x + (t + 1) * width, y + t * width + rotated * dim);
    }
  });
}

// One block and head: out rows and their log-sum-exps (lse has one number per token, num_heads apart).
void ForwardBlock(const Geometry& geometry, const QueryBlock& block, const HeadView& view, float* scores, float* out,
                  std::int64_t out_ld, float* lse, std::int64_t lse_ld) {
  const std::int64_t dim = geometry.shape().head_dim;
  const std::int64_t columns = block.columns();
  const std::int64_t prefix = block.prefix_size();
  geometry.Scores(block, view, static_cast<float>(geometry.shape().scale), view.query, view.ld, view.key, scores);
  std::vector<float> inverse(static_cast<std::size_t>(block.rows()));
  for (const OwnPart& part : block.parts) {
    for (std::int64_t row = part.row_begin; row < part.row_end; ++row) {
      float* line = scores + (row - block.row_begin) * columns;
      const auto visible = geometry.VisibleOf(block, part, row);
      const float max = std::max(kernels::MaxOf(line, visible.prefix_first, prefix),
                                 kernels::MaxOf(line + prefix, visible.own_first, visible.own_end));
      const float sum = kernels::ExpRow(line, visible.prefix_first, prefix, prefix, max) +
                        kernels::ExpRow(line + prefix, visible.own_first, visible.own_end, block.max_own, max);
      inverse[static_cast<std::size_t>(row - block.row_begin)] = 1.0f / sum;
      lse[row * lse_ld] = max + std::log(sum);
    }
  }
  if (prefix > 0) {
    Gemm(block.rows(), dim, prefix, 1.0f, {scores, columns}, {view.value + block.prefix_begin * view.ld, view.ld}, 0.0f,
         out + block.row_begin * out_ld, out_ld);
  }
  for (const OwnPart& part : block.parts) {
    Gemm(part.row_end - part.row_begin, dim, part.key_end - part.key_begin, 1.0f,
         {scores + (part.row_begin - block.row_begin) * columns + prefix, columns},
         {view.value + part.key_begin * view.ld, view.ld}, prefix > 0 ? 1.0f : 0.0f, out + part.row_begin * out_ld,
         out_ld);
  }
  for (std::int64_t row = 0; row < block.rows(); ++row) {
    kernels::Scale(out + (block.row_begin + row) * out_ld, inverse[static_cast<std::size_t>(row)], dim);
  }
}

// Pointers of the backward pass for one query head.
struct BackwardView {
  const float* out;    // [T, H·D], at the head
  const float* d_out;  // likewise
  std::int64_t out_ld;
  const float* lse;  // [T, H], at the head
  std::int64_t lse_ld;
  float* d_query;  // [T, (H + 2K)·D], at the head
  float* d_key;
  float* d_value;
};

void BackwardBlock(const Geometry& geometry, const QueryBlock& block, const HeadView& view, const BackwardView& back,
                   float* probs, float* d_scores) {
  const std::int64_t dim = geometry.shape().head_dim;
  const auto scale = static_cast<float>(geometry.shape().scale);
  const std::int64_t columns = block.columns();
  const std::int64_t prefix = block.prefix_size();
  geometry.Scores(block, view, scale, view.query, view.ld, view.key, probs);
  geometry.Scores(block, view, 1.0f, back.d_out, back.out_ld, view.value, d_scores);
  for (const OwnPart& part : block.parts) {
    for (std::int64_t row = part.row_begin; row < part.row_end; ++row) {
      float* p = probs + (row - block.row_begin) * columns;
      float* d = d_scores + (row - block.row_begin) * columns;
      const auto visible = geometry.VisibleOf(block, part, row);
      const float lse = back.lse[row * back.lse_ld];
      const float delta = kernels::Dot(back.d_out + row * back.out_ld, back.out + row * back.out_ld, dim);
      kernels::ExpRow(p, visible.prefix_first, prefix, prefix, lse);
      kernels::ExpRow(p + prefix, visible.own_first, visible.own_end, block.max_own, lse);
      kernels::SoftmaxBackwardRow(p, d, delta, scale, prefix + part.key_end - part.key_begin, d);
    }
  }
  const auto accumulate = [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t key,
                              std::int64_t keys, float beta) {
    const float* p = probs + (row - block.row_begin) * columns + column;
    const float* d = d_scores + (row - block.row_begin) * columns + column;
    Gemm(keys, dim, rows, 1.0f, {p, columns, true}, {back.d_out + row * back.out_ld, back.out_ld}, 1.0f,
         back.d_value + key * view.ld, view.ld);
    Gemm(keys, dim, rows, 1.0f, {d, columns, true}, {view.query + row * view.ld, view.ld}, 1.0f,
         back.d_key + key * view.ld, view.ld);
    Gemm(rows, dim, keys, 1.0f, {d, columns}, {view.key + key * view.ld, view.ld}, beta, back.d_query + row * view.ld,
         view.ld);
  };
  if (prefix > 0) accumulate(block.row_begin, block.rows(), 0, block.prefix_begin, prefix, 0.0f);
  for (const OwnPart& part : block.parts) {
    accumulate(part.row_begin, part.row_end - part.row_begin, prefix, part.key_begin, part.key_end - part.key_begin,
               prefix > 0 ? 1.0f : 0.0f);
  }
}

// Calls body(group, kv_head, scratch) for all pairs; each thread has its own scratch of `floats` numbers.
template <class Body>
void ForEachTask(const Geometry& geometry, std::int64_t floats, const Body& body) {
  const std::int64_t kv_heads = geometry.shape().num_kv_heads;
  const auto num_tasks = static_cast<std::int64_t>(geometry.plan().groups.size()) * kv_heads;
  ParallelFor(num_tasks, 1, [&](std::int64_t begin, std::int64_t end) {
    const std::unique_ptr<float[]> scratch(new float[static_cast<std::size_t>(floats)]);
    for (std::int64_t task = begin; task < end; ++task) {
      body(geometry.plan().groups[static_cast<std::size_t>(task / kv_heads)], task % kv_heads, scratch.get());
    }
  });
}

// What the backward pass needs beside tensors.
struct AttentionState : torch::CustomClassHolder {
  std::shared_ptr<const AttentionPlan> plan;
  AttentionShape shape;
  RopeTable rope;
};

class AttentionFunction : public torch::autograd::Function<AttentionFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv, const RopeTable* rope,
                            const std::shared_ptr<const AttentionPlan>* plan, const AttentionShape* shape) {
    const Geometry geometry(**plan, *shape);
    at::Tensor rotated = at::empty_like(qkv);
    RotateRows(qkv, *rope, geometry, 1.0f, rotated);
    const std::int64_t out_ld = shape->num_heads * shape->head_dim;
    at::Tensor out = at::empty({qkv.size(0), out_ld}, qkv.options());
    at::Tensor lse = at::empty({qkv.size(0), shape->num_heads}, qkv.options());
    const float* x = rotated.const_data_ptr<float>();
    float* y = out.mutable_data_ptr<float>();
    float* l = lse.mutable_data_ptr<float>();
    ForEachTask(geometry, (*plan)->max_scores, [&](const AttentionGroup& group, std::int64_t kv_head, float* scratch) {
      for (std::int64_t head = kv_head * geometry.repeats(); head < (kv_head + 1) * geometry.repeats(); ++head) {
        for (const QueryBlock& block : group.blocks) {
          ForwardBlock(geometry, block, geometry.View(x, head), scratch, y + geometry.query_offset(head), out_ld,
                       l + head, shape->num_heads);
        }
      }
    });
    auto state = c10::make_intrusive<AttentionState>();
    state->plan = *plan;
    state->shape = *shape;
    state->rope = *rope;
    context->saved_data["state"] = at::IValue::make_capsule(std::move(state));
    context->save_for_backward({rotated, out, lse});
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto state = c10::static_intrusive_pointer_cast<AttentionState>(context->saved_data["state"].toCapsule());
    const AttentionShape& shape = state->shape;
    const Geometry geometry(*state->plan, shape);
    const variable_list saved = context->get_saved_variables();
    const at::Tensor d_out = gradients[0].contiguous();
    at::Tensor d_qkv = at::zeros_like(saved[0]);
    const float* x = saved[0].const_data_ptr<float>();
    const float* y = saved[1].const_data_ptr<float>();
    const float* l = saved[2].const_data_ptr<float>();
    const float* g = d_out.const_data_ptr<float>();
    float* dx = d_qkv.mutable_data_ptr<float>();
    const std::int64_t max_scores = state->plan->max_scores;
    ForEachTask(geometry, 2 * max_scores, [&](const AttentionGroup& group, std::int64_t kv_head, float* scratch) {
      for (std::int64_t head = kv_head * geometry.repeats(); head < (kv_head + 1) * geometry.repeats(); ++head) {
        const std::int64_t at = geometry.query_offset(head);
        const BackwardView back{.out = y + at,
                                .d_out = g + at,
                                .out_ld = shape.num_heads * shape.head_dim,
                                .lse = l + head,
                                .lse_ld = shape.num_heads,
                                .d_query = dx + at,
                                .d_key = dx + geometry.key_offset(kv_head),
                                .d_value = dx + geometry.value_offset(kv_head)};
        for (const QueryBlock& block : group.blocks) {
          BackwardBlock(geometry, block, geometry.View(x, head), back, scratch, scratch + max_scores);
        }
      }
    });
    RotateRows(d_qkv, state->rope, geometry, -1.0f, d_qkv);
    return {d_qkv, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor CpuAttention(const at::Tensor& qkv, const RopeTable& rope, std::shared_ptr<const AttentionPlan> plan,
                        const AttentionShape& shape) {
  return AttentionFunction::apply(qkv, &rope, &plan, &shape);
}

}  // namespace autodidact::model
