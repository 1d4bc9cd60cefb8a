// Llama (2, 3.x) and what is built like it: SmolLM, TinyLlama.
#include "model/families/family.h"

namespace autodidact::model {

extern const Family kLlama;
const Family kLlama{
    .model_type = "llama",
    .architecture = "LlamaForCausalLM",
    .defaults = {.num_kv_heads = FamilyDefaults::kAsManyAsHeads, .max_position_embeddings = 2048},
};

}  // namespace autodidact::model
