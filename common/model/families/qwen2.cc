// Qwen 2 and 2.5: biases on q, k and v.
#include "model/families/family.h"

namespace autodidact::model {

extern const Family kQwen2;
const Family kQwen2{
    .model_type = "qwen2",
    .architecture = "Qwen2ForCausalLM",
    .defaults = {.max_position_embeddings = 32768},
    .attention_bias = true,
    .windows = Windows::kLastLayers,
};

}  // namespace autodidact::model
