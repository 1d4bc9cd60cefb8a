#include "model/config.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "json/json.h"
#include "model/config_reader.h"

namespace autodidact::model {
namespace {

using base::Format;
using base::ThrowBadInput;
using json::Json;

// What transformers assumes for a key that config.json leaves out. A zero (or -1) means: the key must be there.
struct FamilyDefaults {
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t num_layers = 0;
  std::int64_t num_heads = 0;
  std::int64_t num_kv_heads = 0;  // -1: as many as heads
  std::int64_t head_dim = 0;      // 0: hidden_size / heads
  std::int64_t max_position_embeddings = 0;
  double rms_norm_eps = 1e-6;
  double rope_theta = 10000.0;
  bool tied = false;
  const char* activation = "silu";
};

FamilyDefaults DefaultsOf(Family family) {
  FamilyDefaults defaults;
  switch (family) {
    case Family::kLlama:
      defaults.num_kv_heads = -1;
      defaults.max_position_embeddings = 2048;
      break;
    case Family::kQwen2:
      defaults.max_position_embeddings = 32768;
      break;
    case Family::kQwen3:
      defaults.head_dim = 128;
      defaults.max_position_embeddings = 32768;
      break;
    case Family::kGemma3:
      defaults = {.vocab_size = 262208,
                  .hidden_size = 2304,
                  .intermediate_size = 9216,
                  .num_layers = 26,
                  .num_heads = 8,
                  .num_kv_heads = 4,
                  .head_dim = 256,
                  .max_position_embeddings = 131072,
                  .rope_theta = 1'000'000.0,
                  .tied = true,
                  .activation = "gelu_pytorch_tanh"};
      break;
  }
  return defaults;
}

constexpr const char* kSupported =
    "LlamaForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, Gemma3ForCausalLM, Gemma3ForConditionalGeneration (text "
    "part)";

Family FamilyOf(const std::string& model_type, const std::string& where) {
  if (model_type == "llama") return Family::kLlama;
  if (model_type == "qwen2") return Family::kQwen2;
  if (model_type == "qwen3") return Family::kQwen3;
  if (model_type == "gemma3_text") return Family::kGemma3;
  ThrowBadInput(Format("{}: model_type \"{}\" is not supported; supported: {}", where, model_type, kSupported));
}

void CheckArchitecture(ConfigReader& reader, std::string_view model_type) {
  const Json* names = reader.Find("architectures");
  if (!names || names->is_null()) return;
  const std::set<std::string> known = {
      "LlamaForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM", "Gemma3ForCausalLM", "Gemma3ForConditionalGeneration",
      "Gemma3TextModel"};
  if (!names->is_array()) reader.Fail("architectures", "a list of names");
  for (const Json& name : *names) {
    if (!name.is_string() || !known.contains(name.get<std::string>())) {
      ThrowBadInput(Format("{}: architecture {} (model_type \"{}\") is not supported; supported: {}", reader.where(),
                           json::Dump(name), model_type, kSupported));
    }
  }
}

void ReadSizes(ConfigReader& reader, ModelConfig& config, const FamilyDefaults& defaults) {
  config.vocab_size = reader.Size("vocab_size", defaults.vocab_size);
  config.hidden_size = reader.Size("hidden_size", defaults.hidden_size);
  config.intermediate_size = reader.Size("intermediate_size", defaults.intermediate_size);
  config.num_layers = reader.Size("num_hidden_layers", defaults.num_layers);
  config.num_heads = reader.Size("num_attention_heads", defaults.num_heads);
  config.num_kv_heads =
      reader.Size("num_key_value_heads", defaults.num_kv_heads < 0 ? config.num_heads : defaults.num_kv_heads);
  if (config.num_heads % config.num_kv_heads != 0) {
    ThrowBadInput(Format("{}: num_attention_heads ({}) is no multiple of num_key_value_heads ({})", reader.where(),
                         config.num_heads, config.num_kv_heads));
  }
  std::int64_t head_dim = defaults.head_dim;
  if (head_dim == 0) {
    if (!reader.Has("head_dim") && config.hidden_size % config.num_heads != 0) {
      ThrowBadInput(Format("{}: hidden_size ({}) is no multiple of num_attention_heads ({}) and there is no head_dim",
                           reader.where(), config.hidden_size, config.num_heads));
    }
    head_dim = config.hidden_size / config.num_heads;
  }
  config.head_dim = reader.Size("head_dim", head_dim);
  if (config.head_dim % 2 != 0) reader.Fail("head_dim", "an even number");
  config.max_position_embeddings = reader.Size("max_position_embeddings", defaults.max_position_embeddings);
  config.rms_norm_eps = reader.Positive("rms_norm_eps", defaults.rms_norm_eps);
}

void ReadActivation(ConfigReader& reader, const FamilyDefaults& defaults) {
  const std::string expected = defaults.activation;
  for (const char* key : {"hidden_act", "hidden_activation"}) {
    const std::string found = reader.String(key, expected);
    if (found != expected && !(expected == "silu" && found == "swish")) reader.Fail(key, "\"" + expected + "\"");
  }
}

// Options of the families that are not built. Each must be off.
void ReadUnsupported(ConfigReader& reader, Family family) {
  for (const char* key : {"mlp_bias", "use_bidirectional_attention", "rope_interleaved", "use_qk_norm", "use_mrope"}) {
    if (reader.Bool(key, false)) reader.Fail(key, "false");
  }
  const bool bias = reader.Bool("attention_bias", family == Family::kQwen2);
  if (bias != (family == Family::kQwen2)) reader.Fail("attention_bias", family == Family::kQwen2 ? "true" : "false");
  for (const char* key : {"attn_logit_softcapping", "final_logit_softcapping", "quantization_config", "pruned_heads"}) {
    const Json* value = reader.Find(key);
    if (value && !value->is_null() && !(value->is_object() && value->empty())) reader.Fail(key, "null");
  }
  for (const char* key : {"attention_dropout", "hidden_dropout", "resid_pdrop", "embd_pdrop"}) {
    if (reader.Number(key, 0.0) != 0.0) reader.Fail(key, "0: dropout is not supported");
  }
  if (reader.Number("partial_rotary_factor", 1.0) != 1.0) reader.Fail("partial_rotary_factor", "1");
}

void ReadLayerTypes(ConfigReader& reader, ModelConfig& config) {
  const bool gemma = config.family == Family::kGemma3;
  const bool qwen = config.family == Family::kQwen2 || config.family == Family::kQwen3;
  const bool uses_window = gemma || (qwen && reader.Bool("use_sliding_window", false));
  // Absent, it is what transformers assumes; null, there is none.
  const Json* given = reader.Find("sliding_window");
  const std::int64_t window = reader.OptionalSize("sliding_window", !given && (gemma || qwen) ? 4096 : 0);
  const std::int64_t max_window_layers = reader.OptionalSize("max_window_layers", 28);
  const std::int64_t pattern = reader.Size("_sliding_window_pattern", reader.Size("sliding_window_pattern", 6));
  if (!gemma && !qwen && window != 0) reader.Fail("sliding_window", "null: this family has none");
  if (uses_window && window == 0 && (gemma || reader.Has("sliding_window"))) {
    reader.Fail("sliding_window", "a whole number above zero");
  }
  config.sliding_window = uses_window ? window : 0;
  config.is_sliding.assign(static_cast<std::size_t>(config.num_layers), false);

  const Json* types = reader.Find("layer_types");
  if (types && !types->is_null()) {
    if (!types->is_array() || types->size() != config.is_sliding.size()) {
      reader.Fail("layer_types", Format("one name for each of the {} layers", config.num_layers));
    }
    for (std::size_t layer = 0; layer < config.is_sliding.size(); ++layer) {
      const Json& type = (*types)[layer];
      if (type != "full_attention" && type != "sliding_attention") {
        reader.Fail("layer_types", "\"full_attention\" or \"sliding_attention\" for each layer");
      }
      config.is_sliding[layer] = type == "sliding_attention";
    }
  } else if (config.sliding_window > 0) {
    for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
      config.is_sliding[static_cast<std::size_t>(layer)] =
          gemma ? (layer + 1) % pattern != 0 : layer >= max_window_layers;
    }
  }
  const bool any = std::find(config.is_sliding.begin(), config.is_sliding.end(), true) != config.is_sliding.end();
  if (any && config.sliding_window == 0)
    reader.Fail("layer_types", "no sliding layers, as no sliding_window is in use");
  if (!any) config.sliding_window = 0;
}

// One set of parameters as transformers writes it: {"rope_type": ..., "factor": ..., "rope_theta": ...}.
RopeConfig ParseRope(const Json& object, double theta, const std::string& where) {
  if (!object.is_object()) ThrowBadInput(Format("{}: got {}, expected an object", where, json::Dump(object)));
  ConfigReader reader(object, where);
  RopeConfig rope;
  rope.theta = reader.Positive("rope_theta", theta);
  const std::string type = reader.String("rope_type", reader.String("type", "default"));
  if (type == "linear") {
    rope.linear_factor = reader.Positive("factor");
  } else if (type == "llama3") {
    rope.llama3 = true;
    rope.factor = reader.Positive("factor");
    rope.low_freq_factor = reader.Positive("low_freq_factor");
    rope.high_freq_factor = reader.Positive("high_freq_factor");
    if (rope.high_freq_factor <= rope.low_freq_factor) reader.Fail("high_freq_factor", "more than low_freq_factor");
    rope.original_max_position_embeddings = reader.Size("original_max_position_embeddings", 0);
  } else if (type != "default") {
    ThrowBadInput(Format("{}: rope type \"{}\" is not supported; supported: default, linear, llama3", where, type));
  }
  if (reader.Number("partial_rotary_factor", 1.0) != 1.0) reader.Fail("partial_rotary_factor", "1");
  reader.Ignore({"factor", "original_max_position_embeddings"});
  reader.RejectUnread();
  return rope;
}

void ReadRope(ConfigReader& reader, ModelConfig& config, const FamilyDefaults& defaults) {
  const bool gemma = config.family == Family::kGemma3;
  const double theta = reader.Positive("rope_theta", defaults.rope_theta);
  const double local_theta = reader.Positive("rope_local_base_freq", gemma ? 10000.0 : theta);
  config.rope.theta = theta;
  config.local_rope = config.rope;
  config.local_rope.theta = local_theta;

  const Json* parameters = reader.Find("rope_parameters");
  const Json* scaling = reader.Find("rope_scaling");
  const bool nested = parameters && parameters->is_object() &&
                      (parameters->contains("full_attention") || parameters->contains("sliding_attention"));
  const std::string where = reader.where() + ": rope_parameters";
  if (parameters && !parameters->is_null() && scaling && !scaling->is_null()) {
    reader.Fail("rope_scaling", "null beside rope_parameters, which is its new name");
  }
  if (nested) {
    for (const auto& [kind, value] : parameters->items()) {
      if (kind == "full_attention") {
        config.rope = ParseRope(value, theta, where + "." + kind);
      } else if (kind == "sliding_attention") {
        config.local_rope = ParseRope(value, local_theta, where + "." + kind);
      } else {
        ThrowBadInput(Format("{}: unknown kind of layer \"{}\"", where, kind));
      }
    }
  } else if (parameters && !parameters->is_null()) {
    config.rope = ParseRope(*parameters, theta, where);
    if (!gemma) config.local_rope = config.rope;
  } else if (scaling && !scaling->is_null()) {
    config.rope = ParseRope(*scaling, theta, reader.where() + ": rope_scaling");
    if (!gemma) config.local_rope = config.rope;
  }
}

void ReadDtype(ConfigReader& reader, ModelConfig& config, const Json* outer) {
  std::string dtype = reader.String("dtype", reader.String("torch_dtype", ""));
  if (dtype.empty() && outer) {
    for (const char* key : {"torch_dtype", "dtype"}) {
      if (outer->contains(key) && (*outer)[key].is_string()) dtype = (*outer)[key].get<std::string>();
    }
  }
  if (dtype.empty()) dtype = "float32";
  if (dtype != "float32" && dtype != "bfloat16" && dtype != "float16") {
    ThrowBadInput(
        Format("{}: dtype \"{}\" is not supported; supported: float32, bfloat16, float16", reader.where(), dtype));
  }
  config.dtype = dtype;
}

// An id, a list of ids, or null, appended without repetition.
void AppendIds(const Json& object, const char* key, const std::string& where, std::vector<std::int32_t>& ids) {
  if (!object.contains(key) || object[key].is_null()) return;
  const Json& value = object[key];
  const Json list = value.is_array() ? value : Json::array({value});
  for (const Json& id : list) {
    if (!id.is_number_integer() || id > INT32_MAX) {
      ThrowBadInput(Format("{}: {}: got {}, expected a token id or a list of them", where, key, json::Dump(value)));
    }
    const auto number = id.get<std::int32_t>();
    if (number < 0) continue;  // some write -1 for none
    if (std::find(ids.begin(), ids.end(), number) == ids.end()) ids.push_back(number);
  }
}

std::int32_t SingleId(const Json& object, const char* key, const std::string& where) {
  std::vector<std::int32_t> ids;
  AppendIds(object, key, where, ids);
  return ids.empty() ? -1 : ids.front();
}

void ReadSpecialIds(const Json& object, const Json& text, const std::filesystem::path& folder, ModelConfig& config) {
  const std::string where = (folder / "config.json").string();
  for (const Json* source : {&object, &text}) {
    AppendIds(*source, "eos_token_id", where, config.eos_token_ids);
    if (config.bos_token_id < 0) config.bos_token_id = SingleId(*source, "bos_token_id", where);
    if (config.pad_token_id < 0) config.pad_token_id = SingleId(*source, "pad_token_id", where);
  }
  const auto file = folder / "generation_config.json";
  if (std::filesystem::exists(file)) {
    const Json generation = json::ParseFile(file);
    if (!generation.is_object()) ThrowBadInput(Format("{}: expected a JSON object", file.string()));
    AppendIds(generation, "eos_token_id", file.string(), config.eos_token_ids);
  }
  for (const std::int32_t id : config.eos_token_ids) {
    if (id < config.vocab_size) continue;
    ThrowBadInput(Format("{}: eos_token_id: got {}, but the vocabulary has {} tokens", where, id, config.vocab_size));
  }
}

// The text part of a wrapped model, with the wrapper's own keys checked; null for a plain model.
const Json* TextConfig(const Json& object, const std::string& where) {
  if (!object.contains("text_config")) return nullptr;
  ConfigReader wrapper(object, where);
  if (wrapper.String("model_type", "") != "gemma3") {
    ThrowBadInput(Format("{}: a model_type {} with a text_config is not supported; supported: {}", where,
                         object.contains("model_type") ? json::Dump(object["model_type"]) : "(none)", kSupported));
  }
  CheckArchitecture(wrapper, "gemma3");
  wrapper.Ignore({"text_config", "vision_config", "boi_token_index", "eoi_token_index", "image_token_index",
                  "boi_token_id", "eoi_token_id", "image_token_id", "mm_tokens_per_image", "tie_word_embeddings"});
  wrapper.Ignore(HarmlessKeys());
  wrapper.RejectUnread();
  if (!object["text_config"].is_object()) ThrowBadInput(Format("{}: text_config: expected an object", where));
  base::LogInfo("{}: only the text part is used; vision weights are skipped", where);
  return &object["text_config"];
}

}  // namespace

ModelConfig ReadModelConfig(const std::filesystem::path& folder) {
  const auto file = folder / "config.json";
  if (!std::filesystem::exists(file)) ThrowBadInput(Format("{}: no such file; is this a model folder?", file.string()));
  const Json object = json::ParseFile(file);
  if (!object.is_object()) ThrowBadInput(Format("{}: expected a JSON object", file.string()));
  const Json* wrapped = TextConfig(object, file.string());
  const Json& text = wrapped ? *wrapped : object;
  ConfigReader reader(text, file.string() + (wrapped ? ": text_config" : ""));

  ModelConfig config;
  const std::string model_type = reader.String("model_type", wrapped ? "gemma3_text" : "");
  if (model_type.empty()) reader.Fail("model_type", std::string("the model's type; supported: ") + kSupported);
  config.family = FamilyOf(model_type, reader.where());
  CheckArchitecture(reader, model_type);
  const FamilyDefaults defaults = DefaultsOf(config.family);
  ReadSizes(reader, config, defaults);
  ReadActivation(reader, defaults);
  ReadUnsupported(reader, config.family);
  ReadLayerTypes(reader, config);
  ReadRope(reader, config, defaults);
  ReadDtype(reader, config, wrapped ? &object : nullptr);
  const bool tied = wrapped && object.contains("tie_word_embeddings") && object["tie_word_embeddings"].is_boolean()
                        ? object["tie_word_embeddings"].get<bool>()
                        : defaults.tied;
  config.tie_word_embeddings = reader.Bool("tie_word_embeddings", tied);
  const auto head_dim = static_cast<double>(config.head_dim);
  const bool gemma = config.family == Family::kGemma3;
  config.attention_scale = 1.0 / std::sqrt(gemma ? reader.Positive("query_pre_attn_scalar", 256.0) : head_dim);
  ApplyFamily(config);
  ReadSpecialIds(object, text, folder, config);
  reader.Ignore(HarmlessKeys());
  reader.RejectUnread();
  return config;
}

void ApplyFamily(ModelConfig& config) {
  const bool gemma = config.family == Family::kGemma3;
  config.attention_bias = config.family == Family::kQwen2;
  config.qk_norm = config.family == Family::kQwen3 || gemma;
  config.norm_plus_one = gemma;
  config.sandwich_norms = gemma;
  config.gelu_tanh = gemma;
  config.embedding_scale = gemma ? std::sqrt(static_cast<double>(config.hidden_size)) : 1.0;
}

}  // namespace autodidact::model
