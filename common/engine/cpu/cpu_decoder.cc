#include "engine/cpu/cpu_decoder.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "engine/memory_plan.h"

namespace autodidact::engine::cpu {
namespace {

// Rows computed at once in prefill: enough to reuse a panel of weights, few enough for the caches.
constexpr std::int64_t kPrefillRows = 192;
// Neighbours of a prompt that attend together.
constexpr std::int64_t kPrefillUnit = 8;
// A thread is given at least this many multiply-adds.
constexpr std::int64_t kGrain = 200'000;

}  // namespace

CpuDecoder::CpuDecoder(model::SharedWeights weights, std::int64_t num_pages, const KernelTable& kernels)
    : config_(weights->config()),
      kernels_(kernels),
      team_(std::make_unique<ThreadTeam>(at::get_num_threads())),
      cache_(config_, num_pages),
      global_rotary_(config_.rope, config_.head_dim),
      local_rotary_(config_.local_rope, config_.head_dim),
      logits_(AllocateFloats(kHeadRows * Sampler::PaddedSize(config_.vocab_size))) {
  AD_CHECK(config_.num_heads % config_.num_kv_heads == 0, "{} heads over {} kv heads", config_.num_heads,
           config_.num_kv_heads);
  AD_CHECK(config_.head_dim % 2 == 0, "head_dim {}", config_.head_dim);
  SetWeights(std::move(weights));
}

void CpuDecoder::SetWeights(model::SharedWeights weights) {
  MatchThreads();
  model_ = PackModel(*weights, kernels_, *team_, std::move(model_.memory));
  embeddings_ = weights->at("model.embed_tokens.weight").to(at::kFloat).contiguous();
  weights_ = std::move(weights);
}

void CpuDecoder::MatchThreads() {
  const int threads = at::get_num_threads();
  if (team_->size() != threads) team_ = std::make_unique<ThreadTeam>(threads);
  while (static_cast<int>(attention_.size()) < threads) {
    attention_.push_back(std::make_unique<AttentionWorker>(config_, kernels_, cache_));
    samplers_.emplace_back();
  }
}

void CpuDecoder::Reserve(std::int64_t rows) {
  if (rows <= reserved_rows_) return;
  const std::int64_t dims = config_.num_heads * config_.head_dim;
  const std::int64_t kv_dims = config_.num_kv_heads * config_.head_dim;
  hidden_ = AllocateFloats(rows * config_.hidden_size);
  normed_ = AllocateFloats(rows * config_.hidden_size);
  branch_ = AllocateFloats(rows * config_.hidden_size);
  qkv_ = AllocateFloats(rows * (dims + 2 * kv_dims));
  mixed_ = AllocateFloats(rows * dims);
  gated_ = AllocateFloats(rows * config_.intermediate_size);
  reserved_rows_ = rows;
}

std::vector<DrawnToken> CpuDecoder::Prefill(std::span<const PrefillGroup> groups) {
  MatchThreads();
  const std::int64_t width = config_.hidden_size;
  std::vector<float> last_states(groups.size() * static_cast<std::size_t>(width));
  std::vector<std::pair<std::int64_t, std::size_t>> ends;  // row of a prompt's last token, group
  rows_.clear();
  units_.clear();
  const auto run = [&] {
    if (rows_.empty()) return;
    RunLayers();
    for (const auto& [row, group] : ends) {
      std::copy_n(hidden_.get() + row * width, width, last_states.data() + group * width);
    }
    rows_.clear();
    units_.clear();
    ends.clear();
  };
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const PrefillGroup& group = groups[g];
    const std::int64_t length = static_cast<std::int64_t>(group.prompt_ids.size());
    for (std::int64_t position = 0; position < length;) {
      const std::int64_t first = static_cast<std::int64_t>(rows_.size());
      const std::int64_t end = std::min({length, position + kPrefillUnit, position + kPrefillRows - first});
      for (; position < end; ++position) {
        rows_.push_back({group.prompt_ids[position], position, position, group.prompt_pages.data()});
      }
      units_.push_back({first, static_cast<std::int64_t>(rows_.size()), nullptr, 0, true});
      if (position == length) ends.emplace_back(static_cast<std::int64_t>(rows_.size()) - 1, g);
      if (static_cast<std::int64_t>(rows_.size()) == kPrefillRows) run();
    }
  }
  run();
  std::vector<std::int64_t> sources;
  std::vector<const DrawSpec*> draws;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const DrawSpec& draw : groups[g].draws) {
      sources.push_back(static_cast<std::int64_t>(g));
      draws.push_back(&draw);
    }
  }
  return DrawAll(last_states.data(), sources, draws);
}

std::vector<DrawnToken> CpuDecoder::Decode(std::span<const DecodeGroup> groups) {
  MatchThreads();
  rows_.clear();
  units_.clear();
  std::vector<std::int64_t> sources;
  std::vector<const DrawSpec*> draws;
  for (const DecodeGroup& group : groups) {
    const std::int64_t first = static_cast<std::int64_t>(rows_.size());
    for (const DecodeRow& row : group.rows) {
      sources.push_back(static_cast<std::int64_t>(rows_.size()));
      draws.push_back(&row.draw);
      rows_.push_back({row.id, group.prompt_length + row.slot, row.slot, row.pages.data()});
    }
    units_.push_back(
        {first, static_cast<std::int64_t>(rows_.size()), group.prompt_pages.data(), group.prompt_length, false});
  }
  if (rows_.empty()) return {};
  RunLayers();
  return DrawAll(hidden_.get(), sources, draws);
}

void CpuDecoder::RunLayers() {
  Reserve(static_cast<std::int64_t>(rows_.size()));
  std::int64_t positions = 0;
  for (const Row& row : rows_) positions = std::max(positions, row.position + 1);
  global_rotary_.GrowTo(positions);
  if (config_.sliding_window > 0) local_rotary_.GrowTo(positions);
  Embed();
  for (std::int64_t layer = 0; layer < config_.num_layers; ++layer) {
    Attention(layer);
    Mlp(layer);
  }
}

void CpuDecoder::Embed() {
  const std::int64_t width = config_.hidden_size;
  const float* table = embeddings_.const_data_ptr<float>();
  const float factor = static_cast<float>(config_.embedding_scale);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const schema::TokenId id = rows_[i].id;
    AD_CHECK(id >= 0 && id < config_.vocab_size, "token id {} in a vocabulary of {}", id, config_.vocab_size);
    float* state = hidden_.get() + static_cast<std::int64_t>(i) * width;
    std::copy_n(table + id * width, width, state);
    if (factor != 1.0f) kernels_.scale(state, factor, width);
  }
}

void CpuDecoder::Product(const PackedMatrix& weights, const float* a, std::int64_t rows, float* c, std::int64_t ldc,
                         Epilogue epilogue) {
  const std::int64_t panel_work = rows * weights.k * kernels_.panel_width;
  team_->For(weights.num_panels, (kGrain + panel_work - 1) / panel_work,
             [&](std::int64_t begin, std::int64_t end, int) {
               GemmArgs args;
               args.a = a;
               args.lda = weights.k;
               args.rows = rows;
               args.k = weights.k;
               args.panels = weights.panels;
               args.panel_begin = begin;
               args.panel_end = end;
               args.n = weights.n;
               args.bias = weights.bias.empty() ? nullptr : weights.bias.data();
               args.c = c;
               args.ldc = ldc;
               args.epilogue = epilogue;
               kernels_.gemm(args);
             });
}

void CpuDecoder::Norm(const float* x, const std::vector<float>& weight, std::int64_t rows, float* y) {
  const std::int64_t width = config_.hidden_size;
  const float eps = static_cast<float>(config_.rms_norm_eps);
  team_->For(rows, kGrain / 10 / width + 1, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin; row < end; ++row) {
      kernels_.rms_norm(x + row * width, weight.data(), eps, width, y + row * width);
    }
  });
}

void CpuDecoder::AddNormed(const std::vector<float>& weight) {
  const std::int64_t rows = static_cast<std::int64_t>(rows_.size());
  Norm(branch_.get(), weight, rows, normed_.get());
  kernels_.add(hidden_.get(), normed_.get(), rows * config_.hidden_size);
}

void CpuDecoder::Attention(std::int64_t layer) {
  const PackedLayer& weights = model_.layers[static_cast<std::size_t>(layer)];
  const std::int64_t rows = static_cast<std::int64_t>(rows_.size());
  const std::int64_t width = config_.hidden_size;
  const std::int64_t dims = config_.num_heads * config_.head_dim;
  Norm(hidden_.get(), weights.input_norm, rows, normed_.get());
  Product(weights.qkv, normed_.get(), rows, qkv_.get(), weights.qkv.n, Epilogue::kStore);

  AttentionCall call;
  call.rows = &rows_;
  call.weights = &weights;
  const bool sliding = config_.sliding_window > 0 && config_.is_sliding[static_cast<std::size_t>(layer)];
  call.rotary = sliding ? &local_rotary_ : &global_rotary_;
  call.layer = layer;
  call.window = sliding ? config_.sliding_window : 0;
  call.qkv = qkv_.get();
  call.qkv_stride = weights.qkv.n;
  call.out = mixed_.get();
  call.out_stride = dims;
  Attend(call);

  if (config_.sandwich_norms) {
    Product(weights.out, mixed_.get(), rows, branch_.get(), width, Epilogue::kStore);
    AddNormed(weights.post_attention_norm);
  } else {
    Product(weights.out, mixed_.get(), rows, hidden_.get(), width, Epilogue::kAdd);
  }
}

void CpuDecoder::Attend(const AttentionCall& call) {
  const std::int64_t kv_heads = config_.num_kv_heads;
  const std::int64_t units = static_cast<std::int64_t>(units_.size());
  // Rows of one prompt read each other's keys, which therefore are all written first.
  const bool prefill = units_.front().same_pages;
  if (prefill) {
    team_->For(static_cast<std::int64_t>(rows_.size()), 8, [&](std::int64_t begin, std::int64_t end, int worker) {
      for (std::int64_t row = begin; row < end; ++row) {
        attention_[static_cast<std::size_t>(worker)]->WriteKeys(call, row, 0, kv_heads);
      }
    });
  }
  // All heads of a unit together, so that the start of a unit is paid for once; but each its own task where there are
  // too few units, and in prefill, where units of one prompt read the same keys: head by head they stay in the cache.
  const std::int64_t splits = prefill || units < 4 * team_->size() ? kv_heads : 1;
  const std::int64_t heads = kv_heads / splits;
  team_->For(units * splits, 1, [&](std::int64_t begin, std::int64_t end, int worker) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t head = task / units * heads;
      attention_[static_cast<std::size_t>(worker)]->Run(call, units_[static_cast<std::size_t>(task % units)], head,
                                                        head + heads);
    }
  });
}

void CpuDecoder::Mlp(std::int64_t layer) {
  const PackedLayer& weights = model_.layers[static_cast<std::size_t>(layer)];
  const std::int64_t rows = static_cast<std::int64_t>(rows_.size());
  const std::int64_t width = config_.hidden_size;
  Norm(hidden_.get(), weights.pre_mlp_norm, rows, normed_.get());
  Product(weights.gate_up, normed_.get(), rows, gated_.get(), config_.intermediate_size,
          config_.gelu_tanh ? Epilogue::kGeGlu : Epilogue::kSwiGlu);
  if (config_.sandwich_norms) {
    Product(weights.down, gated_.get(), rows, branch_.get(), width, Epilogue::kStore);
    AddNormed(weights.post_mlp_norm);
  } else {
    Product(weights.down, gated_.get(), rows, hidden_.get(), width, Epilogue::kAdd);
  }
}

std::vector<DrawnToken> CpuDecoder::DrawAll(const float* states, std::span<const std::int64_t> rows,
                                            std::span<const DrawSpec* const> draws) {
  std::vector<DrawnToken> drawn(draws.size());
  const std::int64_t width = config_.hidden_size;
  const std::int64_t padded = Sampler::PaddedSize(config_.vocab_size);
  const std::size_t total = rows.size();
  AlignedFloats normed = AllocateFloats(kHeadRows * width);
  std::vector<std::vector<float>> copies(static_cast<std::size_t>(team_->size()));
  for (std::size_t begin = 0; begin < total;) {
    // As many draws as have at most kHeadRows different rows; equal rows stand together.
    std::vector<std::int64_t> places;
    std::int64_t distinct = 0;
    std::size_t end = begin;
    for (; end < total; ++end) {
      const bool repeated = end > begin && rows[end] == rows[end - 1];
      if (!repeated && distinct == kHeadRows) break;
      if (!repeated) {
        kernels_.rms_norm(states + rows[end] * width, model_.final_norm.data(),
                          static_cast<float>(config_.rms_norm_eps), width, normed.get() + distinct * width);
        ++distinct;
      }
      places.push_back(distinct - 1);
    }
    Product(model_.head, normed.get(), distinct, logits_.get(), padded, Epilogue::kStore);
    team_->For(static_cast<std::int64_t>(end - begin), 4, [&](std::int64_t first, std::int64_t last, int worker) {
      std::vector<float>& copy = copies[static_cast<std::size_t>(worker)];
      for (std::int64_t i = first; i < last; ++i) {
        const std::size_t draw = begin + static_cast<std::size_t>(i);
        const float* logits = logits_.get() + places[static_cast<std::size_t>(i)] * padded;
        copy.assign(logits, logits + padded);
        drawn[draw] = samplers_[static_cast<std::size_t>(worker)].Draw(copy.data(), config_.vocab_size, *draws[draw]);
      }
    });
    begin = end;
  }
  return drawn;
}

}  // namespace autodidact::engine::cpu

namespace autodidact::engine {

std::unique_ptr<Decoder> MakeCpuDecoder(model::SharedWeights weights, std::int64_t num_pages) {
  return std::make_unique<cpu::CpuDecoder>(std::move(weights), num_pages, cpu::Kernels());
}

}  // namespace autodidact::engine
