#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <memory>

#include "base/check.h"
#include "engine/decoder.h"
#include "engine/memory_plan.h"
#include "engine/torch_sampling.h"
#include "model/attention.h"
#include "model/layers.h"
#include "model/rope.h"
#include "model/transformer.h"

namespace autodidact::engine {
namespace {

// Shape letters: T tokens computed, R rows (rollouts), N groups, W most rows of a group, P longest prompt, S most own
// tokens, E hidden size, V vocabulary, H query heads, K key heads, Q = H / K, D head_dim.

// The rows of a decode step, laid out so that a group's queries meet their prompt in one matrix product.
struct DecodePlan {
  std::int64_t num_groups = 0;
  std::int64_t most_rows = 0;
  at::Tensor places_R;  // where each row stands in [N·W]
  at::Tensor prompt_slots_NP;
  at::Tensor own_slots_RS;
  at::Tensor mask_RL;        // L = P + S: what a row sees in global layers
  at::Tensor local_mask_RL;  // and in sliding-window layers
};

// What is computed in one pass; `attention` or `decode` says how rows attend.
struct Tokens {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> positions;
  std::vector<std::int64_t> slots;  // where keys and values go
  std::shared_ptr<const model::AttentionPlan> plan, local_plan;
  std::unique_ptr<DecodePlan> decode;
};

std::int64_t SlotOf(std::span<const PageId> pages, std::int64_t token) {
  return pages[static_cast<std::size_t>(token / kTokensPerPage)] * kTokensPerPage + token % kTokensPerPage;
}

// x [T, heads, D], cos and sin [T, 1, D / 2].
at::Tensor Rotated(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  const std::int64_t half = x.size(2) / 2;
  const at::Tensor a = x.narrow(2, 0, half);
  const at::Tensor b = x.narrow(2, half, half);
  return at::cat({a * cos - b * sin, b * cos + a * sin}, 2);
}

class TorchDecoder : public Decoder {
 public:
  TorchDecoder(model::SharedWeights weights, std::int64_t num_pages)
      : config_(weights->config()),
        weights_(std::move(weights)),
        options_(weights_->at("model.embed_tokens.weight").options()) {
    // Zeros: what is masked out must still be a number.
    for (std::int64_t layer = 0; layer < config_.num_layers; ++layer) {
      for (std::vector<at::Tensor>* cache : {&keys_, &values_}) {
        cache->push_back(at::zeros({num_pages * kTokensPerPage, config_.num_kv_heads, config_.head_dim}, options_));
      }
    }
  }

  void SetWeights(model::SharedWeights weights) override { weights_ = std::move(weights); }

  std::vector<DrawnToken> Prefill(std::span<const PrefillGroup> groups) override {
    const c10::InferenceMode inference;
    model::PackedBatch batch;
    Tokens tokens;
    std::vector<std::int64_t> sources;
    std::vector<const DrawSpec*> draws;
    for (const PrefillGroup& group : groups) {
      batch.Add(group.prompt_ids);
      for (std::size_t i = 0; i < group.prompt_ids.size(); ++i) {
        tokens.slots.push_back(SlotOf(group.prompt_pages, static_cast<std::int64_t>(i)));
      }
      for (const DrawSpec& draw : group.draws) {
        sources.push_back(batch.num_tokens() - 1);
        draws.push_back(&draw);
      }
    }
    tokens.ids = batch.ids();
    tokens.positions = batch.positions();
    tokens.plan = model::MakeAttentionPlan(batch, 0, options_.device());
    if (config_.sliding_window > 0) {
      tokens.local_plan = model::MakeAttentionPlan(batch, config_.sliding_window, options_.device());
    }
    return DrawAll(Run(tokens), sources, draws);
  }

  std::vector<DrawnToken> Decode(std::span<const DecodeGroup> groups) override {
    const c10::InferenceMode inference;
    Tokens tokens;
    std::vector<std::int64_t> sources;
    std::vector<const DrawSpec*> draws;
    for (const DecodeGroup& group : groups) {
      for (const DecodeRow& row : group.rows) {
        tokens.ids.push_back(row.id);
        tokens.positions.push_back(group.prompt_length + row.slot);
        tokens.slots.push_back(SlotOf(row.pages, row.slot));
        sources.push_back(static_cast<std::int64_t>(sources.size()));
        draws.push_back(&row.draw);
      }
    }
    if (draws.empty()) return {};
    tokens.decode = MakePlan(groups, static_cast<std::int64_t>(draws.size()));
    return DrawAll(Run(tokens), sources, draws);
  }

 private:
  at::Tensor OnDevice(const std::vector<std::int64_t>& values) const {
    return at::tensor(values, at::kLong).to(options_.device());
  }

  std::unique_ptr<DecodePlan> MakePlan(std::span<const DecodeGroup> groups, std::int64_t num_rows) const {
    std::int64_t longest_prompt = 1;
    std::int64_t most_own = 1;
    auto plan = std::make_unique<DecodePlan>();
    plan->num_groups = static_cast<std::int64_t>(groups.size());
    for (const DecodeGroup& group : groups) {
      longest_prompt = std::max(longest_prompt, group.prompt_length);
      plan->most_rows = std::max(plan->most_rows, static_cast<std::int64_t>(group.rows.size()));
      for (const DecodeRow& row : group.rows) most_own = std::max(most_own, row.slot + 1);
    }
    const at::Tensor prompt_slots = at::zeros({plan->num_groups, longest_prompt}, at::kLong);
    const at::Tensor own_slots = at::zeros({num_rows, most_own}, at::kLong);
    const at::Tensor lengths = at::empty({2, num_rows}, at::kLong);  // of the prompt, of the own tokens
    std::int64_t* prompt_length = lengths.mutable_data_ptr<std::int64_t>();
    std::int64_t* own_length = prompt_length + num_rows;
    std::vector<std::int64_t> places;
    for (std::int64_t g = 0; g < plan->num_groups; ++g) {
      const DecodeGroup& group = groups[static_cast<std::size_t>(g)];
      std::int64_t* prompt = prompt_slots.mutable_data_ptr<std::int64_t>() + g * longest_prompt;
      for (std::int64_t t = 0; t < group.prompt_length; ++t) prompt[t] = SlotOf(group.prompt_pages, t);
      for (std::size_t i = 0; i < group.rows.size(); ++i) {
        const std::size_t row = places.size();
        std::int64_t* own = own_slots.mutable_data_ptr<std::int64_t>() + static_cast<std::int64_t>(row) * most_own;
        for (std::int64_t t = 0; t <= group.rows[i].slot; ++t) own[t] = SlotOf(group.rows[i].pages, t);
        prompt_length[row] = group.prompt_length;
        own_length[row] = group.rows[i].slot + 1;
        places.push_back(g * plan->most_rows + static_cast<std::int64_t>(i));
      }
    }
    const at::Tensor prompt_R1 = lengths[0].unsqueeze(1);
    const at::Tensor own_R1 = lengths[1].unsqueeze(1);
    const at::Tensor prompt_keys = at::arange(longest_prompt, at::kLong).unsqueeze(0);
    const at::Tensor own_keys = at::arange(most_own, at::kLong).unsqueeze(0);
    const at::Tensor mask = at::cat({prompt_keys < prompt_R1, own_keys < own_R1}, 1);
    plan->mask_RL = mask.to(options_.device());
    if (config_.sliding_window > 0) {
      const at::Tensor first = prompt_R1 + own_R1 - config_.sliding_window;
      const at::Tensor inside = at::cat({prompt_keys >= first, own_keys + prompt_R1 >= first}, 1);
      plan->local_mask_RL = mask.logical_and(inside).to(options_.device());
    }
    plan->places_R = OnDevice(places);
    plan->prompt_slots_NP = prompt_slots.to(options_.device());
    plan->own_slots_RS = own_slots.to(options_.device());
    return plan;
  }

  // hidden_TE after the final norm.
  at::Tensor Run(const Tokens& tokens) {
    GrowRope(*std::max_element(tokens.positions.begin(), tokens.positions.end()) + 1);
    const at::Tensor slots = OnDevice(tokens.slots);
    const at::Tensor positions = OnDevice(tokens.positions);
    return model::RunLayers(config_, weights_->parameters(), tokens.ids,
                            [&](std::int64_t layer, bool sliding, const at::Tensor& qkv) {
                              return Attend(tokens, layer, sliding, qkv, slots, positions);
                            });
  }

  // Writes keys and values into the cache, then attends to what the tokens' plan says. [T, H·D]
  at::Tensor Attend(const Tokens& tokens, std::int64_t layer, bool sliding, const at::Tensor& qkv,
                    const at::Tensor& slots, const at::Tensor& positions) {
    const model::RopeTable& rope = sliding ? local_rope_ : rope_;
    const at::Tensor cos = rope.cos_PD.index_select(0, positions).unsqueeze(1).to(options_.dtype());
    const at::Tensor sin = rope.sin_PD.index_select(0, positions).unsqueeze(1).to(options_.dtype());
    const at::Tensor heads = qkv.view({qkv.size(0), config_.num_heads + 2 * config_.num_kv_heads, config_.head_dim});
    const at::Tensor keys = Rotated(heads.narrow(1, config_.num_heads, config_.num_kv_heads), cos, sin);
    keys_[static_cast<std::size_t>(layer)].index_copy_(0, slots, keys);
    values_[static_cast<std::size_t>(layer)].index_copy_(
        0, slots, heads.narrow(1, config_.num_heads + config_.num_kv_heads, config_.num_kv_heads).contiguous());
    if (tokens.decode != nullptr) {
      return DecodeAttention(*tokens.decode, layer, sliding, Rotated(heads.narrow(1, 0, config_.num_heads), cos, sin));
    }
    return model::Attention(qkv, rope, sliding ? tokens.local_plan : tokens.plan, model::ShapeOf(config_, sliding));
  }

  // query_RHD, rotated -> [R, H·D]. Scores of the two parts stand side by side, so that one softmax joins them.
  at::Tensor DecodeAttention(const DecodePlan& plan, std::int64_t layer, bool sliding, const at::Tensor& query_RHD) {
    const std::int64_t num_rows = query_RHD.size(0);
    const std::int64_t kv_heads = config_.num_kv_heads;
    const std::int64_t per_kv = config_.num_heads / kv_heads;
    const std::int64_t dim = config_.head_dim;
    const std::int64_t prompt = plan.prompt_slots_NP.size(1);
    const std::int64_t own = plan.own_slots_RS.size(1);
    // [R, K, Q, X] to [N, K, W·Q, X] and back.
    const auto by_group = [&](const at::Tensor& rows) {
      const std::int64_t last = rows.size(3);
      return at::zeros({plan.num_groups * plan.most_rows, kv_heads, per_kv, last}, rows.options())
          .index_copy_(0, plan.places_R, rows)
          .view({plan.num_groups, plan.most_rows, kv_heads, per_kv, last})
          .transpose(1, 2)
          .reshape({plan.num_groups, kv_heads, plan.most_rows * per_kv, last});
    };
    const auto by_row = [&](const at::Tensor& groups) {
      const std::int64_t last = groups.size(3);
      return groups.view({plan.num_groups, kv_heads, plan.most_rows, per_kv, last})
          .transpose(1, 2)
          .reshape({plan.num_groups * plan.most_rows, kv_heads, per_kv, last})
          .index_select(0, plan.places_R);
    };
    // [*, K, tokens, D]
    const auto gather = [&](const at::Tensor& cache, const at::Tensor& slots) {
      return cache.index_select(0, slots.flatten()).view({slots.size(0), slots.size(1), kv_heads, dim}).transpose(1, 2);
    };
    const at::Tensor& keys = keys_[static_cast<std::size_t>(layer)];
    const at::Tensor& values = values_[static_cast<std::size_t>(layer)];
    const at::Tensor query = (query_RHD * config_.attention_scale).view({num_rows, kv_heads, per_kv, dim});
    const at::Tensor shared_scores = by_row(at::matmul(by_group(query), gather(keys, plan.prompt_slots_NP).mT()));
    const at::Tensor own_scores = at::matmul(query, gather(keys, plan.own_slots_RS).mT());
    const at::Tensor mask = (sliding ? plan.local_mask_RL : plan.mask_RL).view({num_rows, 1, 1, prompt + own});
    const at::Tensor weights = at::cat({shared_scores, own_scores}, 3)
                                   .to(at::kFloat)
                                   .masked_fill(mask.logical_not(), -std::numeric_limits<float>::infinity())
                                   .softmax(3)
                                   .to(query.scalar_type());
    const at::Tensor from_prompt =
        by_row(at::matmul(by_group(weights.narrow(3, 0, prompt)), gather(values, plan.prompt_slots_NP)));
    const at::Tensor from_own = at::matmul(weights.narrow(3, prompt, own), gather(values, plan.own_slots_RS));
    return (from_prompt + from_own).reshape({num_rows, config_.num_heads * dim});
  }

  void GrowRope(std::int64_t positions) {
    if (rope_.cos_PD.defined() && rope_.cos_PD.size(0) >= positions) return;
    const std::int64_t size = std::max<std::int64_t>(2 * positions, 256);
    rope_ = model::MakeRopeTable(config_.rope, config_.head_dim, size, options_.device());
    if (config_.sliding_window > 0) {
      local_rope_ = model::MakeRopeTable(config_.local_rope, config_.head_dim, size, options_.device());
    }
  }

  // draws[i] from the logits of row sources[i] of hidden_TE, a few rows of logits at a time.
  std::vector<DrawnToken> DrawAll(const at::Tensor& hidden_TE, const std::vector<std::int64_t>& sources,
                                  const std::vector<const DrawSpec*>& draws) {
    const at::Tensor& head = model::LmHead(config_, weights_->parameters());
    const at::Tensor rows = hidden_TE.index_select(0, OnDevice(sources));
    std::vector<DrawnToken> drawn;
    for (std::int64_t begin = 0; begin < rows.size(0); begin += kHeadRows) {
      const std::int64_t count = std::min(kHeadRows, rows.size(0) - begin);
      const std::vector<DrawnToken> part =
          DrawRows(at::linear(rows.narrow(0, begin, count), head),
                   std::span(draws).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)));
      drawn.insert(drawn.end(), part.begin(), part.end());
    }
    return drawn;
  }

  const model::ModelConfig config_;
  model::SharedWeights weights_;
  at::TensorOptions options_;              // of weights and cache
  std::vector<at::Tensor> keys_, values_;  // per layer [slots, K, D]
  model::RopeTable rope_, local_rope_;
};

}  // namespace

std::unique_ptr<Decoder> MakeTorchDecoder(model::SharedWeights weights, std::int64_t num_pages) {
  return std::make_unique<TorchDecoder>(std::move(weights), num_pages);
}

}  // namespace autodidact::engine
