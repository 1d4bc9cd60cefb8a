#include "evaluation/sample.h"

#include <utility>

#include "base/format.h"

namespace autodidact::evaluation {

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

Groups SampleGroups(engine::Engine& engine, const std::vector<std::vector<schema::TokenId>>& prompts,
                    const Sampling& sampling, const OnProgress& on_progress) {
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    engine.Add({sampling.first_ticket + i, prompts[i], sampling.num_rollouts, sampling.params, sampling.seed,
                base::RandomStream::kEval});
  }
  Groups groups(prompts.size(), base::Failure{});
  Progress progress{sampling.phase, 0, std::ssize(prompts)};
  while (!engine.idle()) {
    for (engine::GroupResult& result : engine.Step()) {
      groups.at(result.ticket - sampling.first_ticket) = std::move(result.group);
      ++progress.done;
    }
    if (on_progress) on_progress(progress);
  }
  return groups;
}

}  // namespace autodidact::evaluation
