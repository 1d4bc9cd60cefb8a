#include "model/config.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "json/json.h"
#include "model/config_reader.h"
#include "model/families/family.h"

namespace autodidact::model {
namespace {

using base::Format;
using base::ThrowBadInput;
using json::Json;

// A default of nothing is a key that must be there.
std::int64_t Size(ConfigReader& reader, const char* key, std::optional<std::int64_t> fallback) {
  return reader.Size(key, fallback.value_or(0));
}

const Family& FamilyNamed(const std::string& model_type, const std::string& where) {
  if (const Family* family = FindFamily(model_type)) return *family;
  ThrowBadInput(
      Format("{}: model_type \"{}\" is not supported; supported: {}", where, model_type, SupportedArchitectures()));
}

void CheckArchitecture(ConfigReader& reader, std::string_view model_type) {
  const Json* names = reader.Find("architectures");
  if (!names || names->is_null()) return;
  if (!names->is_array()) reader.Fail("architectures", "a list of names");
  for (const Json& name : *names) {
    if (!name.is_string() || !IsArchitecture(name.get<std::string>())) {
      ThrowBadInput(Format("{}: architecture {} (model_type \"{}\") is not supported; supported: {}", reader.where(),
                           json::Dump(name), model_type, SupportedArchitectures()));
    }
  }
}

void ReadSizes(ConfigReader& reader, ModelConfig& config, const FamilyDefaults& defaults) {
  config.vocab_size = Size(reader, "vocab_size", defaults.vocab_size);
  config.hidden_size = Size(reader, "hidden_size", defaults.hidden_size);
  config.intermediate_size = Size(reader, "intermediate_size", defaults.intermediate_size);
  config.num_layers = Size(reader, "num_hidden_layers", defaults.num_layers);
  config.num_heads = Size(reader, "num_attention_heads", defaults.num_heads);
  const bool as_heads = defaults.num_kv_heads == FamilyDefaults::kAsManyAsHeads;
  config.num_kv_heads = Size(reader, "num_key_value_heads", as_heads ? config.num_heads : defaults.num_kv_heads);
  if (config.num_heads % config.num_kv_heads != 0) {
    ThrowBadInput(Format("{}: num_attention_heads ({}) is no multiple of num_key_value_heads ({})", reader.where(),
                         config.num_heads, config.num_kv_heads));
  }
  std::int64_t head_dim = defaults.head_dim.value_or(0);
  if (!defaults.head_dim) {
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

void ReadActivation(ConfigReader& reader, const Family& family) {
  const std::string expected = family.gelu_tanh ? "gelu_pytorch_tanh" : "silu";
  for (const char* key : {"hidden_act", "hidden_activation"}) {
    const std::string found = reader.String(key, expected);
    if (found != expected && !(expected == "silu" && found == "swish")) reader.Fail(key, "\"" + expected + "\"");
  }
}

// Options of the families that are not built. Each must be off.
void ReadUnsupported(ConfigReader& reader, const Family& family) {
  for (const char* key : {"mlp_bias", "use_bidirectional_attention", "rope_interleaved", "use_qk_norm", "use_mrope"}) {
    if (reader.Bool(key, false)) reader.Fail(key, "false");
  }
  const bool bias = reader.Bool("attention_bias", family.attention_bias);
  if (bias != family.attention_bias) reader.Fail("attention_bias", family.attention_bias ? "true" : "false");
  for (const char* key : {"attn_logit_softcapping", "final_logit_softcapping", "quantization_config", "pruned_heads"}) {
    const Json* value = reader.Find(key);
    if (value && !value->is_null() && !(value->is_object() && value->empty())) reader.Fail(key, "null");
  }
  for (const char* key : {"attention_dropout", "hidden_dropout", "resid_pdrop", "embd_pdrop"}) {
    if (reader.Number(key, 0.0) != 0.0) reader.Fail(key, "0: dropout is not supported");
  }
  if (reader.Number("partial_rotary_factor", 1.0) != 1.0) reader.Fail("partial_rotary_factor", "1");
}

void ReadLayerTypes(ConfigReader& reader, Windows windows, ModelConfig& config) {
  const bool pattern_of_layers = windows == Windows::kPattern;
  const bool uses_window =
      pattern_of_layers || (windows == Windows::kLastLayers && reader.Bool("use_sliding_window", false));
  // Absent, it is what transformers assumes; null, there is none.
  const Json* given = reader.Find("sliding_window");
  const std::int64_t window = reader.OptionalSize("sliding_window", !given && windows != Windows::kNone ? 4096 : 0);
  const std::int64_t max_window_layers = reader.OptionalSize("max_window_layers", 28);
  const std::int64_t pattern = reader.Size("_sliding_window_pattern", reader.Size("sliding_window_pattern", 6));
  if (windows == Windows::kNone && window != 0) reader.Fail("sliding_window", "null: this family has none");
  if (uses_window && window == 0 && (pattern_of_layers || reader.Has("sliding_window"))) {
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
          pattern_of_layers ? (layer + 1) % pattern != 0 : layer >= max_window_layers;
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

void ReadRope(ConfigReader& reader, const Family& family, ModelConfig& config) {
  const bool one_rope = !family.local_rope_theta;
  const double theta = reader.Positive("rope_theta", family.defaults.rope_theta);
  const double local_theta = reader.Positive("rope_local_base_freq", family.local_rope_theta.value_or(theta));
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
    if (one_rope) config.local_rope = config.rope;
  } else if (scaling && !scaling->is_null()) {
    config.rope = ParseRope(*scaling, theta, reader.where() + ": rope_scaling");
    if (one_rope) config.local_rope = config.rope;
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

// The text part of a wrapped model.
struct Wrapped {
  const Family* family = nullptr;
  const Json* text = nullptr;
};

// Checks the wrapper's own keys; nothing for a plain model.
std::optional<Wrapped> FindWrapped(const Json& object, const std::string& where) {
  if (!object.contains("text_config")) return std::nullopt;
  ConfigReader reader(object, where);
  const Family* family = FindWrappedFamily(reader.String("model_type", ""));
  if (family == nullptr) {
    ThrowBadInput(Format("{}: a model_type {} with a text_config is not supported; supported: {}", where,
                         object.contains("model_type") ? json::Dump(object["model_type"]) : "(none)",
                         SupportedArchitectures()));
  }
  CheckArchitecture(reader, family->wrapper->model_type);
  reader.Ignore({"text_config", "tie_word_embeddings"});
  reader.Ignore(family->wrapper->ignored_keys);
  reader.Ignore(HarmlessKeys());
  reader.RejectUnread();
  if (!object["text_config"].is_object()) ThrowBadInput(Format("{}: text_config: expected an object", where));
  base::LogInfo("{}: only the text part is used; vision weights are skipped", where);
  return Wrapped{.family = family, .text = &object["text_config"]};
}

}  // namespace

ModelConfig ReadModelConfig(const std::filesystem::path& folder) {
  const auto file = folder / "config.json";
  if (!std::filesystem::exists(file)) ThrowBadInput(Format("{}: no such file; is this a model folder?", file.string()));
  const Json object = json::ParseFile(file);
  if (!object.is_object()) ThrowBadInput(Format("{}: expected a JSON object", file.string()));
  const std::optional<Wrapped> wrapped = FindWrapped(object, file.string());
  const Json& text = wrapped ? *wrapped->text : object;
  ConfigReader reader(text, file.string() + (wrapped ? ": text_config" : ""));

  ModelConfig config;
  const std::string model_type = reader.String("model_type", wrapped ? wrapped->family->model_type : "");
  if (model_type.empty()) reader.Fail("model_type", "the model's type; supported: " + SupportedArchitectures());
  const Family& family = FamilyNamed(model_type, reader.where());
  CheckArchitecture(reader, model_type);
  ReadSizes(reader, config, family.defaults);
  ReadActivation(reader, family);
  ReadUnsupported(reader, family);
  ReadLayerTypes(reader, family.windows, config);
  ReadRope(reader, family, config);
  ReadDtype(reader, config, wrapped ? &object : nullptr);
  const bool tied = wrapped && object.contains("tie_word_embeddings") && object["tie_word_embeddings"].is_boolean()
                        ? object["tie_word_embeddings"].get<bool>()
                        : family.defaults.tied;
  config.tie_word_embeddings = reader.Bool("tie_word_embeddings", tied);
  const double scalar = family.query_pre_attn_scalar
                            ? reader.Positive("query_pre_attn_scalar", *family.query_pre_attn_scalar)
                            : static_cast<double>(config.head_dim);
  config.attention_scale = 1.0 / std::sqrt(scalar);
  ApplyFamily(family, config);
  ReadSpecialIds(object, text, folder, config);
  reader.Ignore(HarmlessKeys());
  reader.RejectUnread();
  return config;
}

}  // namespace autodidact::model
