#include "launch/wiring/wiring.h"

#include <ATen/Parallel.h>

#include <set>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/guarded.h"
#include "base/log.h"
#include "data/row_rubric.h"
#include "launch/wiring/code.h"
#include "launch/wiring/judge.h"
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

estimators::SynthesisPrompt ToSynthesisPrompt(const AnchorKeys& keys, const text::ChatTemplate& format) {
  return {.system = keys.system,
          .instruction = keys.instruction,
          .candidate = keys.candidate,
          .separator = keys.separator,
          .order = estimators::CandidateOrderNamed(keys.order),
          .heading = keys.heading,
          .format = format};
}

estimators::SynthesisConfig ToSynthesis(const RunConfig& config, const text::ChatTemplate& format) {
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

estimators::SelectionConfig ToSelection(const RunConfig& config, const text::ChatTemplate& format) {
  return {.question = {.system = config.prompt.system, .text = config.prompt.text, .format = format},
          .self_select = ToSelfSelectPrompt(config.select),
          .rule = ToRule(config.answer)};
}

learner::TrainerConfig ToTrainer(const RunConfig& config) {
  learner::TrainerConfig trainer = config.train.trainer;
  trainer.temperature = config.rollout.temperature;
  trainer.loss.max_completion_length = config.rollout.max_completion_length;
  trainer.optimizer.total_steps = config.train.max_steps * trainer.num_iterations;
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

text::ChatTemplate ToChatFormat(const PromptKeys& keys, const std::filesystem::path& model) {
  if (keys.format != "auto") return text::ChatFormatNamed(keys.format);
  std::optional<text::ChatSource> source =
      keys.chat_template.empty() ? text::FindChatSource(model) : text::ReadChatSource(keys.chat_template, model);
  if (!source) return text::ChatFormat::kPlain;
  source->variables = keys.template_variables;
  source->python = keys.python;
  text::ChatTemplate chat_template(std::move(*source));
  static base::Guarded<std::set<std::string>> said;
  if (said.With([&](auto& all) { return all.insert(chat_template.description()).second; })) {
    base::LogInfo("chat template: {}{}", chat_template.description(),
                  chat_template.leaves_thinking_open()
                      ? "; it has enable_thinking, which is not set: its own default counts "
                        "(prompt.template_variables: {enable_thinking: false} turns thinking off)"
                      : "");
  }
  return chat_template;
}

text::ChatTemplate ToJudgeFormat(const JudgeModelKeys& keys, const std::string& python) {
  return ToChatFormat({.format = keys.format, .template_variables = keys.template_variables, .python = python},
                      keys.folder);
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
                                                                                const text::ChatTemplate& format,
                                                                                const text::Tokenizer& tokenizer) {
  const estimators::QuestionFormat question{.system = keys.system, .text = keys.text, .format = format};
  return [question, &tokenizer](const schema::Prompt& prompt) {
    return question.format.Encode(estimators::QuestionChat(question, prompt), tokenizer).ids;
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
    data::RequireLabels(rows, "estimator: ground_truth", keys);
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

std::vector<std::pair<std::string, std::filesystem::path>> FilesRead(const RunConfig& config) {
  std::vector<std::pair<std::string, std::filesystem::path>> read;
  const auto add = [&](const char* key, const std::string& path) {
    if (!path.empty()) read.emplace_back(key, path);
  };
  add("model", config.model);
  add("data.train", config.data.train);
  add("data.references", config.data.references);
  add("data.labels", config.data.labels);
  add("eval.data", config.eval.data);
  add("prompt.template", config.prompt.chat_template);
  add("judge.model.folder", config.judge.model.folder);
  for (const std::string& word : config.answer.verifier) {
    if (std::filesystem::exists(word)) add("answer.verifier", word);
  }
  if (std::filesystem::exists(config.answer.code.python)) add("answer.code.python", config.answer.code.python);
  return read;
}

void UseThreads(std::int64_t threads) {
  at::set_num_threads(threads > 0 ? static_cast<int>(threads) : static_cast<int>(std::thread::hardware_concurrency()));
}

void ThrowIfStopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw base::Error(base::ErrorKind::kRetryLater, "stopped on request");
}

}  // namespace autodidact::launch
