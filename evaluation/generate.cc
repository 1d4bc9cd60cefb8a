#include "evaluation/generate.h"

#include <utility>

#include "base/format.h"
#include "estimators/synthesizer.h"

namespace autodidact::evaluation {
namespace {

std::map<schema::Ticket, base::Outcome<schema::Reference>> RunAll(estimators::Synthesizer& synthesizer,
                                                                  Progress progress, const OnProgress& on_progress) {
  std::map<schema::Ticket, base::Outcome<schema::Reference>> references;
  while (!synthesizer.idle()) {
    const std::int64_t before = progress.done;
    for (auto& finished : synthesizer.Step()) {
      references.emplace(finished.ticket, std::move(finished.reference));
      ++progress.done;
    }
    if (on_progress && progress.done != before) on_progress(progress);
  }
  return references;
}

}  // namespace

std::vector<std::vector<schema::TokenId>> RenderRows(const RenderPrompt& render, const std::vector<data::Row>& rows) {
  std::vector<std::vector<schema::TokenId>> prompts;
  prompts.reserve(rows.size());
  for (const data::Row& row : rows) {
    try {
      prompts.push_back(render(row.prompt));
    } catch (const base::Error& error) {
      throw base::Error(error.kind(), base::Format("row '{}': {}", row.prompt.id, error.message()));
    }
  }
  return prompts;
}

std::vector<base::Outcome<std::vector<std::string>>> SampleTexts(
    engine::Engine& engine, const std::vector<std::vector<schema::TokenId>>& prompts, std::uint32_t num_rollouts,
    const engine::SamplingParams& sampling, std::uint64_t seed, schema::Ticket first_ticket, const char* phase,
    const OnProgress& on_progress) {
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    engine.Add({first_ticket + i, prompts[i], num_rollouts, sampling, seed, base::RandomStream::kEval});
  }
  std::vector<base::Outcome<std::vector<std::string>>> texts(prompts.size(), base::Failure{});
  Progress progress{phase, 0, static_cast<std::int64_t>(prompts.size())};
  while (!engine.idle()) {
    const std::int64_t before = progress.done;
    for (engine::GroupResult& result : engine.Step()) {
      auto& place = texts.at(result.ticket - first_ticket);
      ++progress.done;
      if (!result.group.ok()) {
        place = result.group.failure();
        continue;
      }
      std::vector<std::string> group;
      for (schema::Rollout& rollout : result.group->rollouts) group.push_back(std::move(rollout.text));
      place = std::move(group);
    }
    if (on_progress && progress.done != before) on_progress(progress);
  }
  return texts;
}

std::map<schema::Ticket, base::Outcome<schema::Reference>> SynthesizeGroups(
    engine::Engine& engine, const text::Tokenizer& tokenizer, const estimators::SynthesisConfig& config,
    std::int64_t model_limit, std::map<schema::Ticket, std::vector<std::string>> groups, std::uint64_t seed,
    const OnProgress& on_progress) {
  estimators::Synthesizer synthesizer(engine, tokenizer, config, estimators::SynthesisContext(config, model_limit),
                                      seed);
  for (auto& [ticket, candidates] : groups) synthesizer.Add(ticket, std::move(candidates));
  return RunAll(synthesizer, {"synthesis", 0, static_cast<std::int64_t>(groups.size())}, on_progress);
}

std::map<schema::Ticket, base::Outcome<schema::Reference>> WriteRubrics(
    engine::Engine& engine, const text::Tokenizer& tokenizer, const estimators::SynthesisConfig& config,
    std::int64_t model_limit, std::map<schema::Ticket, schema::Reference> references, std::uint64_t seed,
    const OnProgress& on_progress) {
  estimators::Synthesizer synthesizer(engine, tokenizer, config, estimators::SynthesisContext(config, model_limit),
                                      seed);
  for (auto& [ticket, reference] : references) synthesizer.AddReference(ticket, std::move(reference));
  return RunAll(synthesizer, {"rubrics", 0, static_cast<std::int64_t>(references.size())}, on_progress);
}

schema::JudgeRequest MakeJudgeRequest(schema::Ticket ticket, const schema::Reference& reference,
                                      std::vector<std::string> texts) {
  schema::JudgeRequest request{.ticket = ticket,
                               .reference = reference.rubric.empty() ? reference.text : "",
                               .rubric = reference.rubric,
                               .responses = std::move(texts),
                               .lengths = {}};
  request.lengths.assign(request.responses.size(), 0);  // a length penalty belongs to training
  return request;
}

std::string PromptText(const schema::Prompt& prompt) {
  if (prompt.messages.empty()) return prompt.text;
  std::string text;
  for (const schema::ChatMessage& message : prompt.messages) {
    if (!text.empty()) text += "\n";
    text += message.role + ": " + message.content;
  }
  return text;
}

}  // namespace autodidact::evaluation
