#include <algorithm>
#include <array>
#include <cctype>

#include "launch/config/visitor.h"

namespace autodidact::launch {
namespace {

// What other programs call it, in lower case with underscores, and what stands for it here. A name may be a section.
constexpr std::array<std::array<const char*, 2>, 118> kElsewhere = {{
    {"lr", "learning_rate"},
    {"actor_learning_rate", "learning_rate"},
    {"weight_decay_rate", "weight_decay"},
    {"lr_scheduler_type", "lr_scheduler"},
    {"scheduler", "lr_scheduler"},
    {"lr_warmup_steps", "warmup_steps"},
    {"num_warmup_steps", "warmup_steps"},
    {"warmup", "warmup_steps"},
    {"warmup_ratio", "warmup_steps"},
    {"lr_warmup_ratio", "warmup_steps"},
    {"adam_eps", "adam_epsilon"},
    {"beta1", "adam_beta1"},
    {"beta2", "adam_beta2"},
    {"adam_betas", "adam_beta1"},
    {"grad_clip", "max_grad_norm"},
    {"max_norm", "max_grad_norm"},
    {"gradient_clipping", "max_grad_norm"},
    {"clip_grad", "max_grad_norm"},
    {"per_device_train_batch_size", "groups_per_step"},
    {"train_batch_size", "groups_per_step"},
    {"rollout_batch_size", "groups_per_step"},
    {"generation_batch_size", "groups_per_step"},
    {"global_batch_size", "groups_per_step"},
    {"batch_size", "groups_per_step"},
    {"prompts_per_step", "groups_per_step"},
    {"gradient_accumulation_steps", "micro_batch_tokens"},
    {"micro_batch_size", "micro_batch_tokens"},
    {"micro_train_batch_size", "micro_batch_tokens"},
    {"ppo_micro_batch_size", "micro_batch_tokens"},
    {"ppo_micro_batch_size_per_gpu", "micro_batch_tokens"},
    {"ppo_max_token_len_per_gpu", "micro_batch_tokens"},
    {"n_samples_per_prompt", "num_generations"},
    {"num_return_sequences", "num_generations"},
    {"num_samples", "num_generations"},
    {"num_rollouts", "num_generations"},
    {"group_size", "num_generations"},
    {"rollouts_per_prompt", "num_generations"},
    {"n", "num_generations"},
    {"g", "num_generations"},
    {"max_new_tokens", "max_completion_length"},
    {"max_tokens", "max_completion_length"},
    {"max_response_length", "max_completion_length"},
    {"response_length", "max_completion_length"},
    {"generate_max_len", "max_completion_length"},
    {"max_length", "max_completion_length"},
    {"max_gen_len", "max_completion_length"},
    {"stop_sequences", "stop"},
    {"stop_strings", "stop"},
    {"rep_penalty", "repetition_penalty"},
    {"temp", "temperature"},
    {"kl_coef", "beta"},
    {"kl_coeff", "beta"},
    {"init_kl_coef", "beta"},
    {"kl_loss_coef", "beta"},
    {"kl_beta", "beta"},
    {"clip_range", "epsilon"},
    {"cliprange", "epsilon"},
    {"clip_ratio", "epsilon"},
    {"clip_ratio_low", "epsilon"},
    {"eps_clip", "epsilon"},
    {"epsilon_low", "epsilon"},
    {"clip_ratio_high", "epsilon_high"},
    {"ppo_epochs", "num_iterations"},
    {"mu", "num_iterations"},
    {"num_train_epochs", "max_steps"},
    {"num_epochs", "max_steps"},
    {"epochs", "max_steps"},
    {"total_epochs", "max_steps"},
    {"total_steps", "max_steps"},
    {"total_training_steps", "max_steps"},
    {"num_steps", "max_steps"},
    {"steps_per_epoch", "max_steps"},
    {"save_freq", "save_steps"},
    {"save_interval", "save_steps"},
    {"checkpoint_steps", "save_steps"},
    {"save_total_limit", "keep_checkpoints"},
    {"max_ckpt_num", "keep_checkpoints"},
    {"eval_steps", "eval.steps"},
    {"test_freq", "eval.steps"},
    {"eval_file", "eval.data"},
    {"eval_dataset", "eval.data"},
    {"val_files", "eval.data"},
    {"algorithm", "loss_type"},
    {"adv_estimator", "estimator"},
    {"off_policy_steps", "max_staleness"},
    {"scale_reward", "scale_rewards"},
    {"use_gradient_checkpointing", "gradient_checkpointing"},
    {"enable_gradient_checkpointing", "gradient_checkpointing"},
    {"activation_checkpointing", "gradient_checkpointing"},
    {"model_name_or_path", "model"},
    {"model_path", "model"},
    {"model_name", "model"},
    {"base_model", "model"},
    {"pretrain", "model"},
    {"actor_rollout_ref", "model"},
    {"output_dir", "folder"},
    {"save_path", "folder"},
    {"default_local_dir", "folder"},
    {"run_name", "name"},
    {"experiment_name", "name"},
    {"project_name", "name"},
    {"random_seed", "seed"},
    {"torch_dtype", "dtype"},
    {"bf16", "dtype"},
    {"fp16", "dtype"},
    {"precision", "dtype"},
    {"n_gpus", "placement.ranks"},
    {"num_gpus", "placement.ranks"},
    {"n_gpus_per_node", "placement.ranks"},
    {"num_processes", "placement.ranks"},
    {"nnodes", "placement.ranks"},
    {"num_actors", "placement.actors"},
    {"dataset", "data.train"},
    {"dataset_name", "data.train"},
    {"train_file", "data.train"},
    {"train_files", "data.train"},
    {"prompt_data", "data.train"},
    {"prompt_key", "data.prompt"},
}};
constexpr std::array<std::array<const char*, 2>, 19> kMoreElsewhere = {{
    {"input_key", "data.prompt"},
    {"label_key", "data.answer"},
    {"answer_key", "data.answer"},
    {"system_prompt", "prompt.system"},
    {"chat_template", "prompt.format"},
    {"apply_chat_template", "prompt.format"},
    {"prompt_template", "prompt.text"},
    {"synthesis_prompt", "anchor.instruction"},
    {"reward_funcs", "answer.verifier"},
    {"reward_fn", "answer.verifier"},
    {"reward_function", "answer.verifier"},
    {"verifier_command", "answer.verifier"},
    {"max_model_len", "anchor.context"},
    {"max_seq_len", "anchor.context"},
    {"max_num_seqs", "engine.max_rows"},
    {"path", "folder"},
    {"num_attention_heads", "num_heads"},
    {"num_hidden_layers", "num_layers"},
    {"num_key_value_heads", "num_kv_heads"},
}};

// What other programs have and this one does without.
constexpr std::array<std::array<const char*, 2>, 36> kNotHere = {{
    {"max_prompt_length", "prompts are never cut"},
    {"max_prompt_len", "prompts are never cut"},
    {"truncation", "nothing is ever cut silently"},
    {"gamma", "there is no critic"},
    {"lam", "there is no critic"},
    {"lambd", "there is no critic"},
    {"vf_coef", "there is no critic"},
    {"cliprange_value", "there is no critic"},
    {"critic", "there is no critic"},
    {"critic_learning_rate", "there is no critic"},
    {"critic_pretrain", "there is no critic"},
    {"reward_model", "rewards come from comparing answers, or from judge"},
    {"reward_model_path", "rewards come from comparing answers, or from judge"},
    {"reward_pretrain", "rewards come from comparing answers, or from judge"},
    {"entropy_coef", "the loss has no entropy term"},
    {"entropy_coeff", "the loss has no entropy term"},
    {"use_vllm", "the engine is built in"},
    {"vllm_mode", "the engine is built in"},
    {"vllm_num_engines", "the engine is built in"},
    {"gpu_memory_utilization", "the engine takes what engine.cache_tokens says"},
    {"tensor_parallel_size", "a model lies on one GPU"},
    {"tensor_model_parallel_size", "a model lies on one GPU"},
    {"fsdp", "the optimizer's state is sharded by itself"},
    {"fsdp_config", "the optimizer's state is sharded by itself"},
    {"deepspeed", "the optimizer's state is sharded by itself"},
    {"zero_stage", "the optimizer's state is sharded by itself"},
    {"use_peft", "all weights are trained"},
    {"peft_config", "all weights are trained"},
    {"lora_r", "all weights are trained"},
    {"lora_rank", "all weights are trained"},
    {"lora_alpha", "all weights are trained"},
    {"report_to", "every step is written to the run's folder"},
    {"wandb_project", "every step is written to the run's folder"},
    {"use_wandb", "every step is written to the run's folder"},
    {"logging_steps", "every step is written to the run's folder"},
    {"optim", "the optimizer is AdamW"},
}};

// "numGenerations", "num-generations" -> "num_generations".
std::string Plain(const std::string& key) {
  std::string plain;
  for (const char c : key) {
    const bool upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    const bool inside = !plain.empty() && std::islower(static_cast<unsigned char>(plain.back())) != 0;
    if (upper && inside) plain += '_';
    plain += c == '-' || c == ' ' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return plain;
}

std::string LastOf(const std::string& full) {
  const auto dot = full.rfind('.');
  return dot == std::string::npos ? full : full.substr(dot + 1);
}

const char* HereFor(const std::string& plain) {
  for (const auto& [theirs, ours] : kElsewhere) {
    if (plain == theirs) return ours;
  }
  for (const auto& [theirs, ours] : kMoreElsewhere) {
    if (plain == theirs) return ours;
  }
  return nullptr;
}

}  // namespace

KeyGuide::KeyGuide(std::vector<KeyInfo> keys, std::vector<KeyInfo> other_keys, std::string others)
    : keys_(std::move(keys)), other_keys_(std::move(other_keys)), others_(std::move(others)) {}

const KeyInfo* KeyGuide::Find(const std::string& name) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const KeyInfo& key) { return key.name == name; });
  return found == keys_.end() ? nullptr : &*found;
}

// The full names that end with a key, or that are it.
std::vector<std::string> KeyGuide::SectionsOf(const std::string& last) const {
  std::vector<std::string> names;
  for (const KeyInfo& key : keys_) {
    if (key.name == last || LastOf(key.name) == last) names.push_back(key.name);
  }
  return names;
}

std::vector<std::string> KeyGuide::Meant(const std::string& name) const {
  const std::string plain = Plain(name);
  if (auto there = SectionsOf(plain); !there.empty()) return there;
  const char* ours = HereFor(plain);
  return ours == nullptr ? std::vector<std::string>() : SectionsOf(ours);
}

std::string KeyGuide::Advise(const std::string& section, const std::string& key,
                             const std::vector<std::string>& known) const {
  const auto listed = [](const std::vector<std::string>& names, const char* between, std::size_t most) {
    std::string list;
    for (std::size_t i = 0; i < std::min(names.size(), most); ++i) list += (i == 0 ? "" : between) + names[i];
    return list;
  };
  const auto is_known = [&](const std::string& name) {
    return std::find(known.begin(), known.end(), name) != known.end();
  };
  const std::string plain = Plain(key);
  const std::string one_here = "expected a key of " + (section.empty() ? "the config" : section);
  if (key == "<<") return "expected the keys themselves: merging (<<) is not read, write them out";
  if (const auto dot = key.find('.'); dot != std::string::npos && Find(key) != nullptr) {
    return "expected a section: write " + key.substr(0, dot) + ": {" + key.substr(dot + 1) + ": …}";
  }
  if (is_known(plain)) return one_here + ": did you mean " + plain + "?";
  if (const char* ours = HereFor(plain); ours != nullptr && is_known(ours)) {
    return one_here + ": did you mean " + ours + "?";
  }
  if (const auto there = SectionsOf(plain); !there.empty()) {
    return one_here + ": it stands in another section, write it as " + listed(there, " or ", 3);
  }
  if (const auto meant = Meant(plain); !meant.empty()) {
    return one_here + ": did you mean " + listed(meant, " or ", 3) + "?";
  }
  for (const auto& [theirs, why] : kNotHere) {
    if (plain == theirs) return one_here + ": leave it out, since " + why;
  }
  if (const auto near = Nearest(key, known)) return one_here + ": did you mean " + *near + "?";
  for (const KeyInfo& other : other_keys_) {
    if (other.name == plain || other.name.starts_with(plain + ".") || other.name.starts_with(plain + "[")) {
      return one_here + ": it belongs to a config of " + others_ + ", is this the right command?";
    }
  }
  std::vector<std::string> lasts;
  for (const KeyInfo& each : keys_) lasts.push_back(LastOf(each.name));
  if (const auto near = Nearest(key, lasts); near && plain.size() > 5) {
    return one_here + ": did you mean " + listed(SectionsOf(*near), " or ", 3) + "?";
  }
  return "expected one of " + listed(known, ", ", known.size()) + ": leave it out, or write one of these";
}

}  // namespace autodidact::launch
