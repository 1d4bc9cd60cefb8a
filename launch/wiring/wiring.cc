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

estimators::SynthesisConfig SynthesisOf(const RunConfig& config, const text::ChatTemplate& format) {
  estimators::SynthesisConfig synthesis = config.anchor;
  synthesis.prompt.format = format;
  synthesis.rule = config.answer.rule();
  synthesis.rubric = RubricOf(config, format);
  return synthesis;
}

estimators::QuestionFormat QuestionOf(const PromptConfig& config, const text::ChatTemplate& format) {
  return {.system = config.system, .text = config.text, .format = format};
}

estimators::SelectionConfig SelectionOf(const RunConfig& config, const text::ChatTemplate& format) {
  return {.question = QuestionOf(config.prompt, format), .self_select = config.select, .rule = config.answer.rule()};
}

learner::TrainerConfig TrainerOf(const RunConfig& config) {
  learner::TrainerConfig trainer = config.train.trainer;
  trainer.temperature = config.rollout.temperature;
  trainer.loss.max_completion_length = config.rollout.max_new_tokens;
  trainer.optimizer.total_steps = config.train.max_steps * trainer.num_iterations;
  return trainer;
}

text::ChatTemplate LoadChatTemplate(const text::ChatChoice& choice, const std::filesystem::path& model) {
  if (choice.format != "auto") return text::ChatFormatNamed(choice.format);
  std::optional<text::ChatSource> source =
      choice.file.empty() ? text::FindChatSource(model) : text::ReadChatSource(choice.file, model);
  if (!source) return text::ChatFormat::kPlain;
  source->variables = choice.variables;
  source->python = choice.python;
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

text::ChatTemplate LoadJudgeTemplate(const JudgeConfig& judge, const std::string& python) {
  text::ChatChoice choice = judge.chat;
  choice.python = python;
  return LoadChatTemplate(choice, judge.model.folder);
}

std::unique_ptr<text::Tokenizer> LoadTokenizer(const std::string& folder, const model::ModelConfig& config) {
  auto tokenizer = std::make_unique<text::Tokenizer>(folder);
  if (tokenizer->vocab_size() > config.vocab_size) {
    base::ThrowBadInput(base::Format("{}: the tokenizer has {} tokens, the model's vocab_size is {}", folder,
                                     tokenizer->vocab_size(), config.vocab_size));
  }
  return tokenizer;
}

at::ScalarType ScalarTypeOf(Dtype dtype) {
  return dtype == Dtype::kFloat32 ? at::kFloat : at::kBFloat16;
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

std::function<std::vector<schema::TokenId>(const schema::Prompt&)> MakeRenderer(const PromptConfig& config,
                                                                                const text::ChatTemplate& format,
                                                                                const text::Tokenizer& tokenizer) {
  const estimators::QuestionFormat question = QuestionOf(config, format);
  return [question, &tokenizer](const schema::Prompt& prompt) {
    return question.format.Encode(estimators::QuestionChat(question, prompt), tokenizer).ids;
  };
}

std::optional<estimators::EstimatorKind> EstimatorInTraining(const RunConfig& config) {
  if (!config.data.references.empty()) return std::nullopt;
  return config.estimator;
}

std::optional<estimators::EstimatorKind> SelectionInTraining(const RunConfig& config) {
  const auto estimator = EstimatorInTraining(config);
  return estimator && estimators::IsSelection(*estimator) ? estimator : std::nullopt;
}

std::vector<data::Row> ReadTrainingRows(const RunConfig& config) {
  if (config.data.train.empty()) base::ThrowBadInput("data.train: got nothing, expected a JSONL file of prompts");
  const data::RowKeys keys = config.data.columns;
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
  if (config.judge.by_rubric()) {
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
  add("prompt.template", config.prompt.chat.file);
  add("judge.model.folder", config.judge.model.folder);
  for (const std::string& word : config.answer.verifier.command) {
    if (std::filesystem::exists(word)) add("answer.verifier", word);
  }
  if (std::filesystem::exists(config.answer.code.judge.run.python))
    add("answer.code.python", config.answer.code.judge.run.python);
  return read;
}

void UseThreads(std::int64_t threads) {
  at::set_num_threads(threads > 0 ? static_cast<int>(threads) : static_cast<int>(std::thread::hardware_concurrency()));
}

void ThrowIfStopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw base::Error(base::ErrorKind::kRetryLater, "stopped on request");
}

}  // namespace autodidact::launch
