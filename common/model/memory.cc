#include "model/memory.h"

#include <algorithm>

namespace autodidact::model {
namespace {

constexpr std::int64_t kFp32 = 4;

// What autograd keeps of one layer, in bytes. The CPU's own kernels in fp32: each operator its inputs, no more.
std::int64_t KeptByOwnKernels(const ModelConfig& config, const PassShape& shape) {
  const std::int64_t heads = config.num_heads * config.head_dim;
  const std::int64_t width = heads + 2 * config.num_kv_heads * config.head_dim;
  std::int64_t floats = 4 * config.hidden_size;  // the residual stream and its norm, twice
  floats += width + heads + config.num_heads;    // rotated queries, keys, values; the mixed values; log-sum-exps
  floats += 3 * config.intermediate_size;        // gate, up, and their product
  if (config.qk_norm) floats += width;
  if (config.sandwich_norms) floats += 2 * config.hidden_size;
  return floats * kFp32 * shape.tokens();
}

// libtorch's operators: norms are computed in fp32, and attention on copies padded to the longest, the prompt's keys
// and values copied to every query head of every completion.
std::int64_t KeptByLibtorch(const ModelConfig& config, const PassShape& shape) {
  const auto item = static_cast<std::int64_t>(c10::elementSize(shape.type));
  const std::int64_t tokens = shape.tokens();
  const std::int64_t heads = config.num_heads * config.head_dim;
  const auto norm = [&](std::int64_t width) {
    return tokens * width * (kFp32 + (config.norm_plus_one ? kFp32 : item));
  };
  std::int64_t bytes = 2 * norm(config.hidden_size) + tokens * 2 * config.hidden_size * item;
  if (config.sandwich_norms) bytes += 2 * norm(config.hidden_size);
  if (config.qk_norm) bytes += norm(heads + config.num_kv_heads * config.head_dim);
  const std::int64_t rows = shape.groups * shape.completions * shape.completion_tokens;
  const std::int64_t keys = rows + shape.groups * shape.completions * shape.prompt_tokens;
  const std::int64_t prompts = shape.groups * shape.prompt_tokens;
  bytes +=
      (2 * (rows + keys) + 4 * prompts + tokens) * heads * item;  // queries, outputs, keys, values; the mixed values
  bytes += rows * (shape.prompt_tokens + shape.completion_tokens) * item;  // the mask
  bytes += tokens * 4 * config.intermediate_size * item;                   // gate, up, activation, product
  return bytes;
}

}  // namespace

std::int64_t WeightBytes(const ModelConfig& config, at::ScalarType type) {
  return ParameterCount(config) * static_cast<std::int64_t>(c10::elementSize(type));
}

std::int64_t LogitRows(std::int64_t vocab_size, at::DeviceType device) {
  // A chunk should stay in a CPU's cache, and keep a GPU busy.
  const std::int64_t most = std::int64_t{1} << (device == at::kCPU ? 20 : 26);
  return std::max<std::int64_t>(32, most / vocab_size);
}

PassMemory TrainingPassMemory(const ModelConfig& config, const PassShape& shape) {
  const auto item = static_cast<std::int64_t>(c10::elementSize(shape.type));
  const std::int64_t tokens = shape.tokens();
  const std::int64_t scored = shape.groups * shape.completions * shape.completion_tokens;
  const bool own_kernels = shape.device == at::kCPU && shape.type == at::kFloat;
  const std::int64_t layer = own_kernels ? KeptByOwnKernels(config, shape) : KeptByLibtorch(config, shape);
  PassMemory memory;
  memory.activations = config.num_layers * (shape.checkpoint ? tokens * config.hidden_size * item : layer);

  const std::int64_t head = config.vocab_size * config.hidden_size * item;
  const std::int64_t rows = LogitRows(config.vocab_size, shape.device);
  const std::int64_t chunk = std::min(scored, rows) * config.vocab_size;
  // Logits that are all there at once are kept, and copied.
  memory.head = chunk * (own_kernels ? kFp32 : item + 2 * kFp32) + (scored <= rows ? chunk * item : 0) + head;
  memory.head +=
      (2 * tokens + 2 * scored) * config.hidden_size * item;  // the last norm; the scored rows, their gradient

  // The MLP's backward pass: its product is gone when the gradients of gate and up are made.
  memory.layer = tokens * (config.hidden_size + 2 * config.intermediate_size) * item;
  memory.layer += 3 * config.hidden_size * config.intermediate_size * item;
  if (shape.checkpoint) memory.layer += layer;
  // Tied, the gradient of the head waits for that of the embeddings to the end.
  if (config.tie_word_embeddings) memory.layer += head;
  return memory;
}

}  // namespace autodidact::model
