#include "engine/cpu/packed_weights.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <string>

#include "base/check.h"
#include "model/transformer.h"

namespace autodidact::engine::cpu {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Hands out pieces of one block, so that all weights lie together.
class Arena {
 public:
  // `memory` holds `size` floats, or is null and taken here.
  Arena(AlignedFloats memory, std::int64_t size)
      : memory_(memory != nullptr ? std::move(memory) : AllocateFloats(size)), size_(size) {}

  float* Take(std::int64_t count) {
    AD_CHECK(used_ + count <= size_, "{} floats of packed weights, {} were planned", used_ + count, size_);
    float* piece = memory_.get() + used_;
    used_ += count;
    return piece;
  }
  AlignedFloats Release() { return std::move(memory_); }

 private:
  AlignedFloats memory_;
  std::int64_t size_;
  std::int64_t used_ = 0;
};

// What packing needs beside the weights.
struct Packing {
  std::int64_t width;
  ThreadTeam& team;
  Arena& arena;
};

// Row pointers of stacked [n_i, k] matrices; null rows are zeros.
struct Rows {
  std::vector<const float*> rows;
  std::vector<at::Tensor> keep;  // what the pointers point into
  std::int64_t k = 0;

  void Append(const at::Tensor& matrix) {
    keep.push_back(matrix.to(at::kFloat).contiguous());
    const at::Tensor& copy = keep.back();
    k = copy.size(1);
    for (std::int64_t row = 0; row < copy.size(0); ++row) rows.push_back(copy.const_data_ptr<float>() + row * k);
  }
};

PackedMatrix PackRows(const std::vector<const float*>& rows, std::int64_t n, std::int64_t k, const Packing& packing) {
  const std::int64_t width = packing.width;
  PackedMatrix packed;
  packed.n = n;
  packed.k = k;
  packed.num_panels = static_cast<std::int64_t>(rows.size()) / width;
  packed.panels = packing.arena.Take(packed.num_panels * k * width);
  packing.team.For(packed.num_panels, 1, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t panel = begin; panel < end; ++panel) {
      float* out = packed.panels + panel * k * width;
      for (std::int64_t j = 0; j < width; ++j) {
        const float* row = rows[static_cast<std::size_t>(panel * width + j)];
        for (std::int64_t i = 0; i < k; ++i) out[i * width + j] = row != nullptr ? row[i] : 0.0f;
      }
    }
  });
  return packed;
}

PackedMatrix PackStacked(Rows source, const Packing& packing) {
  const std::int64_t width = packing.width;
  const std::int64_t n = static_cast<std::int64_t>(source.rows.size());
  source.rows.resize(static_cast<std::size_t>((n + width - 1) / width * width), nullptr);
  return PackRows(source.rows, n, source.k, packing);
}

// A panel holds width / 2 rows of the gate, then the same rows of up.
PackedMatrix PackGated(const at::Tensor& gate, const at::Tensor& up, const Packing& packing) {
  const std::int64_t width = packing.width;
  Rows gates;
  Rows ups;
  gates.Append(gate);
  ups.Append(up);
  const std::int64_t half = width / 2;
  const std::int64_t n = static_cast<std::int64_t>(gates.rows.size());
  const std::int64_t num_panels = (n + half - 1) / half;
  std::vector<const float*> rows(static_cast<std::size_t>(num_panels * width), nullptr);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t place = i / half * width + i % half;
    rows[static_cast<std::size_t>(place)] = gates.rows[static_cast<std::size_t>(i)];
    rows[static_cast<std::size_t>(place + half)] = ups.rows[static_cast<std::size_t>(i)];
  }
  return PackRows(rows, n, gates.k, packing);
}

std::vector<float> Vector(const at::Tensor& tensor, float plus) {
  const at::Tensor copy = tensor.to(at::kFloat).contiguous();
  std::vector<float> values(copy.const_data_ptr<float>(), copy.const_data_ptr<float>() + copy.numel());
  for (float& value : values) value += plus;
  return values;
}

PackedLayer PackLayer(const model::WeightSet& weights, std::int64_t index, const Packing& packing) {
  const model::ModelConfig& config = weights.config();
  const std::string prefix = "model.layers." + std::to_string(index) + ".";
  const auto get = [&](const char* name) -> const at::Tensor& { return weights.at(prefix + name); };
  const float plus = config.norm_plus_one ? 1.0f : 0.0f;

  PackedLayer layer;
  layer.input_norm = Vector(get("input_layernorm.weight"), plus);
  if (config.sandwich_norms) {
    layer.post_attention_norm = Vector(get("post_attention_layernorm.weight"), plus);
    layer.pre_mlp_norm = Vector(get("pre_feedforward_layernorm.weight"), plus);
    layer.post_mlp_norm = Vector(get("post_feedforward_layernorm.weight"), plus);
  } else {
    layer.pre_mlp_norm = Vector(get("post_attention_layernorm.weight"), plus);
  }
  if (config.qk_norm) {
    layer.q_norm = Vector(get("self_attn.q_norm.weight"), plus);
    layer.k_norm = Vector(get("self_attn.k_norm.weight"), plus);
  }
  Rows qkv;
  for (const char* name : {"self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight"}) {
    qkv.Append(get(name));
  }
  layer.qkv = PackStacked(std::move(qkv), packing);
  if (config.attention_bias) {
    for (const char* name : {"self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias"}) {
      const std::vector<float> part = Vector(get(name), 0.0f);
      layer.qkv.bias.insert(layer.qkv.bias.end(), part.begin(), part.end());
    }
    layer.qkv.bias.resize(static_cast<std::size_t>(layer.qkv.num_panels * packing.width), 0.0f);
  }
  Rows out;
  out.Append(get("self_attn.o_proj.weight"));
  layer.out = PackStacked(std::move(out), packing);
  layer.gate_up = PackGated(get("mlp.gate_proj.weight"), get("mlp.up_proj.weight"), packing);
  Rows down;
  down.Append(get("mlp.down_proj.weight"));
  layer.down = PackStacked(std::move(down), packing);
  return layer;
}

}  // namespace

void FreeDeleter::operator()(void* memory) const {
  std::free(memory);
}

AlignedFloats AllocateFloats(std::int64_t count) {
  const std::size_t needed = std::max(static_cast<std::size_t>(count) * sizeof(float), kAlignment);
  const bool large = needed >= kHugePage;
  const std::size_t alignment = large ? kHugePage : kAlignment;
  const std::size_t bytes = (needed + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  // A wish: where the system has no huge pages, small ones serve.
  if (large) ::madvise(memory, bytes, MADV_HUGEPAGE);
  return AlignedFloats(static_cast<float*>(memory));
}

std::int64_t PackedFloats(const model::ModelConfig& config, std::int64_t width) {
  const auto matrix = [&](std::int64_t n, std::int64_t k) { return (n + width - 1) / width * width * k; };
  const std::int64_t hidden = config.hidden_size;
  const std::int64_t layer = matrix((config.num_heads + 2 * config.num_kv_heads) * config.head_dim, hidden) +
                             matrix(hidden, config.num_heads * config.head_dim) +
                             matrix(hidden, config.intermediate_size) +
                             (config.intermediate_size + width / 2 - 1) / (width / 2) * width * hidden;
  return config.num_layers * layer + matrix(config.vocab_size, hidden);
}

PackedModel PackModel(const model::WeightSet& weights, const KernelTable& kernels, ThreadTeam& team,
                      AlignedFloats memory) {
  const model::ModelConfig& config = weights.config();
  Arena arena(std::move(memory), PackedFloats(config, kernels.panel_width));
  const Packing packing{kernels.panel_width, team, arena};
  PackedModel packed;
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    packed.layers.push_back(PackLayer(weights, layer, packing));
  }
  packed.final_norm = Vector(weights.at("model.norm.weight"), config.norm_plus_one ? 1.0f : 0.0f);
  Rows head;
  head.Append(model::LmHead(config, weights.parameters()));
  packed.head = PackStacked(std::move(head), packing);
  packed.memory = arena.Release();
  return packed;
}

}  // namespace autodidact::engine::cpu
