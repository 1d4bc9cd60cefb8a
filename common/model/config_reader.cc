#include "model/config_reader.h"

#include <cmath>

#include "base/error.h"
#include "base/format.h"

namespace autodidact::model {

using base::Format;
using base::ThrowBadInput;
using json::Json;

const Json* ConfigReader::Find(const std::string& key) {
  read_.insert(key);
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

std::int64_t ConfigReader::Size(const std::string& key, std::int64_t fallback) {
  const std::int64_t value = OptionalSize(key, fallback);
  if (value <= 0) Fail(key, "a whole number above zero");
  return value;
}

std::int64_t ConfigReader::OptionalSize(const std::string& key, std::int64_t fallback) {
  const Json* value = Find(key);
  if (!value || value->is_null()) return fallback;
  // Sizes far beyond any model would overflow the products that are made of them.
  constexpr std::int64_t kLimit = std::int64_t{1} << 31;
  if (!value->is_number_integer() || *value < 0 || *value > kLimit) Fail(key, "a whole number from 0 to 2^31");
  return value->get<std::int64_t>();
}

double ConfigReader::Number(const std::string& key, double fallback) {
  const Json* value = Find(key);
  if (!value || value->is_null()) return fallback;
  if (!value->is_number() || !std::isfinite(value->get<double>())) Fail(key, "a number");
  return value->get<double>();
}

double ConfigReader::Positive(const std::string& key, double fallback) {
  const double value = Number(key, fallback);
  if (value <= 0.0) Fail(key, "a number above zero");
  return value;
}

bool ConfigReader::Bool(const std::string& key, bool fallback) {
  const Json* value = Find(key);
  if (!value || value->is_null()) return fallback;
  if (!value->is_boolean()) Fail(key, "true or false");
  return value->get<bool>();
}

std::string ConfigReader::String(const std::string& key, const std::string& fallback) {
  const Json* value = Find(key);
  if (!value || value->is_null()) return fallback;
  if (!value->is_string()) Fail(key, "a string");
  return value->get<std::string>();
}

void ConfigReader::Fail(const std::string& key, const std::string& expected) const {
  const auto found = object_.find(key);
  ThrowBadInput(Format("{}: {}: got {}, expected {}", where_, key,
                       found == object_.end() ? "nothing" : json::Dump(*found), expected));
}

void ConfigReader::RejectUnread() const {
  for (const auto& [key, value] : object_.items()) {
    if (read_.contains(key) || key.starts_with('_') || value.is_null() || value == false) continue;
    ThrowBadInput(
        Format("{}: {}: got {}, but this key is not known here; it might change the result, so remove it if "
               "it does not",
               where_, key, json::Dump(value)));
  }
}

const std::vector<std::string>& HarmlessKeys() {
  static const std::vector<std::string> kKeys = {
      // names, files, versions
      "architectures", "auto_map", "model_type", "name_or_path", "tokenizer_class", "transformers_version", "dtype",
      "torch_dtype", "transformers.js_config", "is_llama_config", "unsloth_fixed", "unsloth_version", "torchscript",
      // training and execution, not the function
      "initializer_range", "use_cache", "cache_implementation", "pretraining_tp", "tf_legacy_loss", "use_bfloat16",
      "output_attentions", "output_hidden_states", "return_dict", "gradient_checkpointing", "problem_type",
      "chunk_size_feed_forward", "id2label", "label2id", "finetuning_task", "task_specific_params", "is_decoder",
      "is_encoder_decoder", "tie_encoder_decoder", "cross_attention_hidden_size", "add_cross_attention", "prefix",
      // token ids and generation, read elsewhere or given by the caller
      "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "unk_token_id", "decoder_start_token_id",
      "forced_bos_token_id", "forced_eos_token_id", "suppress_tokens", "begin_suppress_tokens", "bad_words_ids",
      "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty",
      "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
      "encoder_no_repeat_ngram_size", "num_return_sequences", "output_scores", "return_dict_in_generate",
      "remove_invalid_values", "exponential_decay_length_penalty"};
  return kKeys;
}

}  // namespace autodidact::model
