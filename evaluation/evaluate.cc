#include "evaluation/evaluate.h"

#include <algorithm>
#include <fstream>

#include "base/deadline.h"
#include "base/format.h"

namespace autodidact::evaluation {
namespace {

void Check(const std::vector<data::Row>& rows, const EvalConfig& config) {
  if (config.group_sizes.empty()) base::ThrowBadInput("an evaluation needs at least one group size");
  for (const int size : config.group_sizes) {
    if (size < 1) base::ThrowBadInput(base::Format("a group size must be at least 1, found {}", size));
  }
  if (rows.empty()) base::ThrowBadInput("an evaluation needs at least one row");
  for (const data::Row& row : rows) {
    if (row.answers.empty() && !config.texts_only)
      base::ThrowBadInput(base::Format("row '{}' has no label to compare with", row.prompt.id));
  }
}

void Rollouts(const std::vector<std::vector<schema::TokenId>>& prompts, const Models& models, const EvalConfig& config,
              const OnProgress& on_progress, EvalResult& result) {
  const int most = *std::max_element(config.group_sizes.begin(), config.group_sizes.end());
  engine::Engine engine(models.engine, models.policy, models.tokenizer);
  auto start = base::Clock::now();
  auto groups = SampleTexts(engine, prompts, static_cast<std::uint32_t>(most), config.sampling, config.seed, 0,
                            "rollouts", on_progress);
  result.rollout_seconds = base::SecondsSince(start);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].ok()) result.texts[i].rollouts = std::move(*groups[i]);
  }
  engine::SamplingParams greedy = config.sampling;
  greedy.temperature = 0;
  start = base::Clock::now();
  const auto singles = SampleTexts(engine, prompts, 1, greedy, config.seed, 0, "greedy", on_progress);
  result.greedy_seconds = base::SecondsSince(start);
  for (std::size_t i = 0; i < singles.size(); ++i) {
    if (singles[i].ok()) result.texts[i].greedy = singles[i]->front();
  }
}

void Syntheses(const Models& models, const EvalConfig& config, const OnProgress& on_progress, EvalResult& result) {
  const std::size_t num_sizes = config.group_sizes.size();
  std::map<schema::Ticket, std::vector<std::string>> groups;
  for (std::size_t i = 0; i < result.texts.size(); ++i) {
    const auto& rollouts = result.texts[i].rollouts;
    for (std::size_t k = 0; k < num_sizes && !rollouts.empty(); ++k) {
      groups[i * num_sizes + k] = {rollouts.begin(), rollouts.begin() + config.group_sizes[k]};
    }
  }
  engine::Engine engine(models.engine, models.anchor, models.tokenizer);
  const auto start = base::Clock::now();
  auto references =
      SynthesizeGroups(engine, models.tokenizer, config.synthesis, models.anchor->config().max_position_embeddings,
                       std::move(groups), config.seed, on_progress);
  result.synthesis_seconds = base::SecondsSince(start);
  for (auto& [ticket, reference] : references) {
    result.texts[ticket / num_sizes].syntheses.emplace(config.group_sizes[ticket % num_sizes], std::move(reference));
  }
}

}  // namespace

EvalResult Evaluate(const std::vector<data::Row>& all_rows, const Models& models, const EvalConfig& config,
                    const OnProgress& on_progress) {
  std::vector<data::Row> rows = all_rows;
  if (config.max_questions > 0 && static_cast<std::size_t>(config.max_questions) < rows.size()) {
    rows.resize(static_cast<std::size_t>(config.max_questions));
  }
  Check(rows, config);
  const auto prompts = RenderRows(models.render, rows);
  EvalResult result;
  for (const data::Row& row : rows) {
    QuestionTexts& question = result.texts.emplace_back();
    question.id = row.prompt.id;
    question.prompt = PromptText(row.prompt);
    question.labels = row.answers;
  }
  Rollouts(prompts, models, config, on_progress, result);
  if (!config.skip_synthesis) Syntheses(models, config, on_progress, result);
  if (config.texts_only) return result;
  for (const QuestionTexts& question : result.texts) {
    result.graded.push_back(Grade(question, config.group_sizes, config.rule, config.position_vote));
  }
  result.figures =
      Tabulate(result.graded, config.group_sizes, config.position_vote, config.seed, config.bootstrap_resamples);
  return result;
}

void WriteRecords(const EvalResult& result, const std::filesystem::path& file) {
  std::ofstream stream(file);
  for (std::size_t i = 0; i < result.texts.size(); ++i) {
    stream << json::Dump(ToRecord(result.texts[i], result.graded[i])) << '\n';
  }
  stream.flush();
  if (!stream) base::ThrowBadInput(base::Format("{}: cannot be written", file.string()));
}

}  // namespace autodidact::evaluation
