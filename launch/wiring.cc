#include "launch/wiring.h"

#include <ATen/Parallel.h>

#include <thread>
#include <utility>

#include "base/checksum.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "data/row_rubric.h"
#include "launch/code_wiring.h"
#include "launch/judge_wiring.h"
#include "model/folder.h"

namespace autodidact::launch {

engine::SamplingParams ToSampling(const SamplingKeys& keys) {
  engine::SamplingParams sampling;
  sampling.temperature = static_cast<float>(keys.temperature);
  sampling.top_k = static_cast<std::int32_t>(keys.top_k);
  sampling.top_p = static_cast<float>(keys.top_p);
  sampling.min_p = static_cast<float>(keys.min_p);
  sampling.repetition_penalty = static_cast<float>(keys.repetition_penalty);
  sampling.max_new_tokens = static_cast<std::int32_t>(keys.max_completion_length);
  sampling.stop_strings = keys.stop;
  return sampling;
}

engine::EngineConfig ToEngine(const EngineKeys& keys) {
  engine::EngineConfig config;
  config.cache_tokens = keys.cache_tokens;
  config.max_rows = keys.max_rows;
  return config;
}

estimators::AnswerRule ToRule(const AnswerKeys& keys) {
  // As answers, programs are their texts; what they do is the judge's to see.
  if (keys.comparator == "code") return {answers::Extractor::kWholeText, answers::Comparator::kExact};
  return {.extractor = answers::ExtractorNamed(keys.extractor),
          .comparator = answers::ComparatorNamed(keys.comparator)};
}

estimators::SynthesisPrompt ToSynthesisPrompt(const AnchorKeys& keys, text::ChatFormat format) {
  return {.system = keys.system,
          .instruction = keys.instruction,
          .candidate = keys.candidate,
          .separator = keys.separator,
          .order = estimators::CandidateOrderNamed(keys.order),
          .heading = keys.heading,
          .format = format};
}

estimators::SynthesisConfig ToSynthesis(const RunConfig& config, text::ChatFormat format) {
  return {.prompt = ToSynthesisPrompt(config.anchor, format),
          .sampling = ToSampling(config.anchor.sampling),
          .context = config.anchor.context,
          .rule = ToRule(config.answer),
          .rubric = ToRubric(config, format)};
}

estimators::SelfSelectPrompt ToSelfSelectPrompt(const SelectKeys& keys) {
  return {.system = keys.system,
          .instruction = keys.instruction,
          .candidate = keys.candidate,
          .separator = keys.separator,
          .choices = keys.choices};
}

estimators::SelectionConfig ToSelection(const RunConfig& config, text::ChatFormat format) {
  return {.question = {.system = config.prompt.system, .text = config.prompt.text, .format = format},
          .self_select = ToSelfSelectPrompt(config.select),
          .rule = ToRule(config.answer)};
}

learner::TrainerConfig ToTrainer(const RunConfig& config) {
  const TrainKeys& keys = config.train;
  learner::TrainerConfig trainer;
  trainer.loss = {.type = learner::LossTypeNamed(keys.loss_type),
                  .epsilon = keys.epsilon,
                  .epsilon_high = keys.epsilon_high,
                  .beta = keys.beta,
                  .max_completion_length = config.rollout.max_completion_length,
                  .importance_sampling = {.level = learner::RatioLevelNamed(keys.importance_sampling.level),
                                          .mode = learner::CorrectionModeNamed(keys.importance_sampling.mode),
                                          .clip_min = keys.importance_sampling.clip_min,
                                          .clip_max = keys.importance_sampling.clip_max}};
  trainer.optimizer = {.learning_rate = keys.learning_rate,
                       .schedule = learner::ScheduleNamed(keys.lr_scheduler),
                       .warmup_steps = keys.warmup_steps,
                       .total_steps = keys.max_steps * keys.num_iterations,
                       .beta1 = keys.adam_beta1,
                       .beta2 = keys.adam_beta2,
                       .eps = keys.adam_epsilon,
                       .weight_decay = keys.weight_decay,
                       .max_grad_norm = keys.max_grad_norm};
  trainer.scale_rewards = learner::ScaleRewardsNamed(keys.scale_rewards);
  trainer.kl_in_reward = keys.kl_in == "reward";
  trainer.num_iterations = keys.num_iterations;
  trainer.temperature = config.rollout.temperature;
  trainer.micro_batch_tokens = keys.micro_batch_tokens;
  trainer.gradient_checkpointing = keys.gradient_checkpointing;
  trainer.offload_reference = keys.offload_reference;
  return trainer;
}

data::RowKeys ToRowKeys(const DataKeys& keys) {
  data::RowKeys row_keys;
  if (!keys.id.empty()) row_keys.id = keys.id;
  if (!keys.prompt.empty()) row_keys.prompt = keys.prompt;
  if (!keys.answer.empty()) row_keys.answer = keys.answer;
  if (!keys.answers.empty()) row_keys.answers = keys.answers;
  return row_keys;
}

text::ChatFormat ToChatFormat(const PromptKeys& keys, const std::filesystem::path& model) {
  return keys.format == "auto" ? text::DetectChatFormat(model) : text::ChatFormatNamed(keys.format);
}

std::unique_ptr<text::Tokenizer> LoadTokenizer(const std::string& folder, const model::ModelConfig& config) {
  auto tokenizer = std::make_unique<text::Tokenizer>(folder);
  if (tokenizer->vocab_size() > config.vocab_size) {
    base::ThrowBadInput(base::Format("{}: the tokenizer has {} tokens, the model's vocab_size is {}", folder,
                                     tokenizer->vocab_size(), config.vocab_size));
  }
  return tokenizer;
}

bool JudgeHasModel(const RunConfig& config) {
  return config.judge.kind != "program" && config.judge.backend == "model";
}

at::ScalarType DtypeNamed(const std::string& name) {
  if (name == "float32") return at::kFloat;
  if (name == "bfloat16") return at::kBFloat16;
  base::ThrowBadInput("dtype: got \"" + name + "\", expected float32 or bfloat16");
}

namespace {

at::Device UsableDevice(const std::string& name) {
  const at::Device device(name);
  if (!device.is_cpu() && !at::hasCUDA()) {
    base::ThrowBadInput("device: got \"" + name + "\", but this build or this machine has no GPU; expected cpu");
  }
  return device;
}

}  // namespace

LoadedModel LoadModelFolder(const std::string& folder, const std::string& device, at::ScalarType type) {
  LoadedModel loaded;
  loaded.tokenizer = LoadTokenizer(folder, model::ReadModelConfig(folder));
  loaded.weights = model::LoadModel(folder, type, UsableDevice(device));
  return loaded;
}

std::function<std::vector<schema::TokenId>(const schema::Prompt&)> MakeRenderer(const PromptKeys& keys,
                                                                                text::ChatFormat format,
                                                                                const text::Tokenizer& tokenizer) {
  const estimators::QuestionFormat question{.system = keys.system, .text = keys.text, .format = format};
  return [question, &tokenizer](const schema::Prompt& prompt) {
    return estimators::EncodeTurns(question.format, estimators::QuestionTurns(question, prompt), tokenizer);
  };
}

std::optional<estimators::EstimatorKind> EstimatorInTraining(const RunConfig& config) {
  if (!config.data.references.empty()) return std::nullopt;
  return estimators::EstimatorNamed(config.estimator);
}

std::optional<estimators::EstimatorKind> SelectionInTraining(const RunConfig& config) {
  const auto estimator = EstimatorInTraining(config);
  return estimator && estimators::IsSelection(*estimator) ? estimator : std::nullopt;
}

std::vector<data::Row> ReadTrainingRows(const RunConfig& config) {
  if (config.data.train.empty()) base::ThrowBadInput("data.train: got nothing, expected a JSONL file of prompts");
  const data::RowKeys keys = ToRowKeys(config.data);
  std::vector<data::Row> rows = data::ReadRows(config.data.train, keys);
  rows = SpreadRows(std::move(rows), config.data.limit);
  if (!config.data.labels.empty()) data::JoinAnswers(rows, config.data.labels, keys);
  const auto estimator = EstimatorInTraining(config);
  if (!estimator) {
    const std::size_t all = rows.size();
    const auto left_out = data::JoinReferences(rows, config.data.references, config.data.min_agreement, keys);
    if (left_out.failed > 0) {
      base::LogWarning("{}: {} of {} rows have no reference, since it failed, and are left out", config.data.references,
                       left_out.failed, all);
    }
    if (left_out.disputed > 0) {
      base::LogInfo("{}: {} of {} rows have an agreement below {} and are left out", config.data.references,
                    left_out.disputed, all, config.data.min_agreement);
    }
    if (rows.empty()) {
      base::ThrowBadInput(base::Format("{}: no row is left: {} references failed, {} have an agreement below {}",
                                       config.data.references, left_out.failed, left_out.disputed,
                                       config.data.min_agreement));
    }
    return rows;
  }
  if (!estimators::ReadsOf(*estimator).label) return rows;
  CheckTests(config, rows, config.data.train);
  if (config.judge.kind == "rubric") {
    const auto without = std::erase_if(rows, [](const data::Row& row) { return data::RowRubric(row.prompt).empty(); });
    if (rows.empty()) {
      base::ThrowBadInput(config.data.train + ": no row has a full rubric, which estimator: ground_truth needs here");
    }
    if (without > 0) {
      base::LogWarning("{}: {} of {} rows have no full rubric and are left out", config.data.train, without,
                       without + rows.size());
    }
  } else {
    for (const data::Row& row : rows) {
      if (row.answers.empty()) {
        base::ThrowBadInput(
            base::Format("{}: row {} has no answer, which estimator: ground_truth needs (data.labels "
                         "names a file of them)",
                         config.data.train, row.prompt.id));
      }
    }
  }
  return rows;
}

std::vector<data::Row> SpreadRows(std::vector<data::Row> rows, std::int64_t limit) {
  const std::int64_t count = std::ssize(rows);
  if (limit <= 0 || limit >= count) return rows;
  std::vector<data::Row> spread;
  for (std::int64_t i = 0; i < limit; ++i)
    spread.push_back(std::move(rows[static_cast<std::size_t>(i * count / limit)]));
  return spread;
}

std::string Fingerprint(const RunConfig& config, const std::vector<data::Row>& rows) {
  RunConfig relevant;  // what may differ between a run and its resumption stays at its default
  relevant.seed = config.seed;
  relevant.dtype = config.dtype;
  relevant.estimator = config.estimator;
  relevant.prompt = config.prompt;
  relevant.rollout = config.rollout;
  relevant.anchor = config.anchor;
  relevant.select = config.select;
  relevant.answer = config.answer;
  relevant.rubric = config.rubric;
  relevant.judge = config.judge;
  relevant.train = config.train;
  relevant.train.max_steps = TrainKeys{}.max_steps;
  relevant.train.save_steps = TrainKeys{}.save_steps;
  relevant.train.keep_checkpoints = TrainKeys{}.keep_checkpoints;
  relevant.train.max_empty_steps = TrainKeys{}.max_empty_steps;
  relevant.train.micro_batch_tokens = TrainKeys{}.micro_batch_tokens;
  relevant.train.gradient_checkpointing = TrainKeys{}.gradient_checkpointing;
  relevant.train.offload_reference = TrainKeys{}.offload_reference;
  relevant.data.shuffle = config.data.shuffle;
  std::string text = ToYaml(relevant);
  for (const data::Row& row : rows) {
    text += row.prompt.id + "\n" + row.prompt.columns + "\n";
    if (row.reference) text += *row.reference + "\n";
  }
  return base::Hex(base::Checksum(text));
}

void UseThreads(std::int64_t threads) {
  at::set_num_threads(threads > 0 ? static_cast<int>(threads) : static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace autodidact::launch
