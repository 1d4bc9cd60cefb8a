// Gemma 3, text: sliding and global layers with a rope each, four norms with 1 + w, scaled embeddings, GeGLU.
#include "model/families/family.h"

namespace autodidact::model {

extern const Family kGemma3;
const Family kGemma3{
    .model_type = "gemma3_text",
    .architecture = "Gemma3ForCausalLM",
    .other_architectures = {"Gemma3TextModel"},
    .defaults = {.vocab_size = 262208,
                 .hidden_size = 2304,
                 .intermediate_size = 9216,
                 .num_layers = 26,
                 .num_heads = 8,
                 .num_kv_heads = 4,
                 .head_dim = 256,
                 .max_position_embeddings = 131072,
                 .rope_theta = 1'000'000.0,
                 .tied = true},
    .qk_norm = true,
    .norm_plus_one = true,
    .sandwich_norms = true,
    .gelu_tanh = true,
    .scaled_embeddings = true,
    .windows = Windows::kPattern,
    .local_rope_theta = 10000.0,
    .query_pre_attn_scalar = 256.0,
    // The prefix of the text part depends on the version of transformers that wrote it.
    .wrapper = Wrapper{.model_type = "gemma3",
                       .architecture = "Gemma3ForConditionalGeneration",
                       .ignored_keys = {"vision_config", "boi_token_index", "eoi_token_index", "image_token_index",
                                        "boi_token_id", "eoi_token_id", "image_token_id", "mm_tokens_per_image"},
                       .skipped_tensors = {"vision_tower.", "multi_modal_projector.", "model.vision_tower.",
                                           "model.multi_modal_projector."},
                       .renamed_prefixes = {{"model.language_model.", "model."}, {"language_model.", ""}}},
};

}  // namespace autodidact::model
