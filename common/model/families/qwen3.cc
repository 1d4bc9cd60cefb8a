// Qwen 3: norms on q and k in the place of biases.
#include "model/families/family.h"

namespace autodidact::model {

extern const Family kQwen3;
const Family kQwen3{
    .model_type = "qwen3",
    .architecture = "Qwen3ForCausalLM",
    .defaults = {.head_dim = 128, .max_position_embeddings = 32768},
    .qk_norm = true,
    .windows = Windows::kLastLayers,
};

}  // namespace autodidact::model
