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
    for (auto& finished : synthesizer.Step()) {
      references.emplace(finished.ticket, std::move(finished.reference));
      ++progress.done;
    }
    if (on_progress) on_progress(progress);
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

std::vector<base::Outcome<schema::RolloutGroup>> SampleGroups(engine::Engine& engine,
                                                              const std::vector<std::vector<schema::TokenId>>& prompts,
                                                              std::uint32_t num_rollouts,
                                                              const engine::SamplingParams& sampling,
                                                              std::uint64_t seed, schema::Ticket first_ticket,
                                                              const char* phase, const OnProgress& on_progress) {
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    engine.Add({first_ticket + i, prompts[i], num_rollouts, sampling, seed, base::RandomStream::kEval});
  }
  std::vector<base::Outcome<schema::RolloutGroup>> groups(prompts.size(), base::Failure{});
  Progress progress{phase, 0, static_cast<std::int64_t>(prompts.size())};
  while (!engine.idle()) {
    for (engine::GroupResult& result : engine.Step()) {
      groups.at(result.ticket - first_ticket) = std::move(result.group);
      ++progress.done;
    }
    if (on_progress) on_progress(progress);
  }
  return groups;
}

std::vector<std::string> TextsOf(const schema::RolloutGroup& group) {
  std::vector<std::string> texts;
  for (const schema::Rollout& rollout : group.rollouts) texts.push_back(rollout.text);
  return texts;
}

std::vector<std::map<int, base::Outcome<schema::Reference>>> SelectFromGroups(
    estimators::EstimatorKind kind, const Models& models, const estimators::SelectionConfig& config,
    const std::vector<data::Row>& rows, const std::vector<base::Outcome<schema::RolloutGroup>>& groups,
    const std::vector<int>& group_sizes, const OnProgress& on_progress) {
  const estimators::Selector selector(config, models.anchor, models.tokenizer);
  std::vector<std::map<int, base::Outcome<schema::Reference>>> selections(groups.size());
  Progress progress{Name(kind), 0, static_cast<std::int64_t>(groups.size())};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].ok()) {
      auto selected = selector.Select(kind, rows[i].prompt, *groups[i], group_sizes);
      for (std::size_t k = 0; k < group_sizes.size(); ++k)
        selections[i].emplace(group_sizes[k], std::move(selected[k]));
    }
    ++progress.done;
    if (on_progress) on_progress(progress);
  }
  return selections;
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

schema::JudgeRequest MakeJudgeRequest(schema::Ticket ticket, schema::Target target, std::vector<std::string> texts) {
  schema::JudgeRequest request{
      .ticket = ticket, .target = std::move(target), .responses = std::move(texts), .lengths = {}};
  request.lengths.assign(request.responses.size(), 0);  // a length penalty belongs to training
  return request;
}

}  // namespace autodidact::evaluation
