#include "model/attention.h"

#include <algorithm>

#include "model/ops.h"

namespace autodidact::model {
namespace {

// x [T, heads, D], rotated by the positions of the tokens.
at::Tensor Rotated(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  const std::int64_t half = x.size(2) / 2;
  const at::Tensor a = x.narrow(2, 0, half);
  const at::Tensor b = x.narrow(2, half, half);
  return at::cat({a * cos - b * sin, b * cos + a * sin}, 2);
}

// Where the padded rows and columns of some segments come from, and which of them see each other.
struct Padding {
  at::Tensor rows;    // [S, R] token of each query row
  at::Tensor keys;    // [S, C] token of each key
  at::Tensor mask;    // [S, R, C] true: visible
  at::Tensor valid;   // [S·R] places of the rows that are tokens, in the order of tokens
  at::Tensor tokens;  // and the tokens that they are
};

Padding Pad(const std::vector<Segment>& segments, std::int64_t window, at::Device device) {
  std::int64_t num_rows = 0;
  std::int64_t num_keys = 0;
  for (const Segment& segment : segments) {
    num_rows = std::max(num_rows, segment.size());
    num_keys = std::max(num_keys, segment.prefix_size() + segment.size());
  }
  const auto num_segments = static_cast<std::int64_t>(segments.size());
  at::Tensor rows = at::zeros({num_segments, num_rows}, at::kLong);
  at::Tensor keys = at::zeros({num_segments, num_keys}, at::kLong);
  at::Tensor sizes = at::empty({3, num_segments}, at::kLong);  // prefix size, own size, both
  std::vector<std::int64_t> valid;
  std::vector<std::int64_t> tokens;
  for (std::int64_t s = 0; s < num_segments; ++s) {
    const Segment& segment = segments[static_cast<std::size_t>(s)];
    auto* row = rows.mutable_data_ptr<std::int64_t>() + s * num_rows;
    auto* key = keys.mutable_data_ptr<std::int64_t>() + s * num_keys;
    for (std::int64_t i = 0; i < segment.prefix_size(); ++i) key[i] = segment.prefix_begin + i;
    for (std::int64_t i = 0; i < segment.size(); ++i) {
      row[i] = segment.begin + i;
      key[segment.prefix_size() + i] = segment.begin + i;
      valid.push_back(s * num_rows + i);
      tokens.push_back(segment.begin + i);
    }
    auto* size = sizes.mutable_data_ptr<std::int64_t>();
    size[s] = segment.prefix_size();
    size[num_segments + s] = segment.size();
    size[2 * num_segments + s] = segment.prefix_size() + segment.size();
  }
  sizes = sizes.to(device);
  // Positions of rows and keys count from the start of the prefix.
  const at::Tensor row_index = at::arange(num_rows, at::TensorOptions(at::kLong).device(device));
  const at::Tensor row_position = sizes[0].view({-1, 1, 1}) + row_index.view({1, -1, 1});
  const at::Tensor key_position = at::arange(num_keys, at::TensorOptions(at::kLong).device(device)).view({1, 1, -1});
  at::Tensor mask = (key_position <= row_position).logical_and(key_position < sizes[2].view({-1, 1, 1}));
  if (window > 0) mask = mask.logical_and(key_position > row_position - window);
  // A row of padding must see something, or its softmax is not a number.
  mask = mask.logical_or((row_index.view({1, -1, 1}) >= sizes[1].view({-1, 1, 1})));
  return {rows.to(device), keys.to(device), mask, at::tensor(valid, at::kLong).to(device),
          at::tensor(tokens, at::kLong).to(device)};
}

}  // namespace

at::Tensor GenericAttention(const at::Tensor& qkv, const RopeTable& rope, const AttentionPlan& plan,
                            const AttentionShape& shape) {
  const std::int64_t num_tokens = qkv.size(0);
  const at::Tensor heads = qkv.view({num_tokens, shape.num_heads + 2 * shape.num_kv_heads, shape.head_dim});
  const at::Tensor cos = rope.cos_PD.index_select(0, plan.positions_T).unsqueeze(1).to(qkv.scalar_type());
  const at::Tensor sin = rope.sin_PD.index_select(0, plan.positions_T).unsqueeze(1).to(qkv.scalar_type());
  const std::int64_t repeats = shape.num_heads / shape.num_kv_heads;
  const at::Tensor query = Rotated(heads.narrow(1, 0, shape.num_heads), cos, sin);
  const at::Tensor key =
      Rotated(heads.narrow(1, shape.num_heads, shape.num_kv_heads), cos, sin).repeat_interleave(repeats, 1);
  const at::Tensor value =
      heads.narrow(1, shape.num_heads + shape.num_kv_heads, shape.num_kv_heads).repeat_interleave(repeats, 1);

  // Prompts and continuations are padded apart: their lengths differ most.
  std::vector<at::Tensor> outputs;
  std::vector<at::Tensor> tokens;
  for (const bool continued : {false, true}) {
    std::vector<Segment> segments;
    for (const Segment& segment : plan.segments) {
      if ((segment.prefix_size() > 0) == continued && segment.size() > 0) segments.push_back(segment);
    }
    if (segments.empty()) continue;
    const Padding padding = Pad(segments, shape.window, qkv.device());
    const auto gather = [](const at::Tensor& from, const at::Tensor& index) {
      return from.index({index}).transpose(1, 2);  // [S, heads, rows, D]
    };
    const at::Tensor out = at::scaled_dot_product_attention(gather(query, padding.rows), gather(key, padding.keys),
                                                            gather(value, padding.keys), padding.mask.unsqueeze(1), 0.0,
                                                            false, shape.scale);
    outputs.push_back(
        out.transpose(1, 2).reshape({-1, shape.num_heads * shape.head_dim}).index_select(0, padding.valid));
    tokens.push_back(padding.tokens);
  }
  const at::Tensor order = at::cat(tokens).argsort();
  return at::cat(outputs).index_select(0, order);
}

AttentionShape ShapeOf(const ModelConfig& config, bool sliding) {
  return {.num_heads = config.num_heads,
          .num_kv_heads = config.num_kv_heads,
          .head_dim = config.head_dim,
          .scale = config.attention_scale,
          .window = sliding ? config.sliding_window : 0};
}

at::Tensor Attention(const at::Tensor& qkv, const RopeTable& rope, std::shared_ptr<const AttentionPlan> plan,
                     const AttentionShape& shape) {
  if (UsesCpuKernels(qkv)) return CpuAttention(qkv.contiguous(), rope, std::move(plan), shape);
  return GenericAttention(qkv, rope, *plan, shape);
}

}  // namespace autodidact::model
