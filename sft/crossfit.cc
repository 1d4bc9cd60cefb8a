#include "sft/crossfit.h"

#include <map>
#include <utility>

#include "base/format.h"
#include "base/log.h"

namespace autodidact::sft {

Crossfit SampleCandidates(const std::vector<data::Pair>& pairs, const model::SharedWeights& initial,
                          const RenderPrompt& render, const text::Tokenizer& tokenizer, schema::TokenId eos,
                          const CrossfitConfig& config, const std::function<void(const std::string&)>& phase,
                          const OnStep& on_step) {
  Crossfit result;
  if (!config.apart) result.answered = pairs;
  std::map<std::size_t, CandidateRow> rows;  // by the pair's place
  for (std::int64_t fold = 0; fold < (config.apart ? 1 : config.folds); ++fold) {
    std::vector<data::Pair> others;
    std::vector<std::size_t> held_out;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (static_cast<std::int64_t>(i) % config.folds == fold) {
        held_out.push_back(i);
      } else {
        others.push_back(pairs[i]);
      }
    }
    if (config.apart) result.answered = others;
    phase(base::Format("fold {} of {}: training on {} rows", fold + 1, config.folds, others.size()));
    learner::FlatParameters parameters(*initial);
    const PairSource source(std::move(others), render, tokenizer, eos);
    SupervisedConfig training = config.training;
    training.seed += static_cast<std::uint64_t>(fold) * 1'000'003;
    TrainSupervised(parameters, {{&source, config.batch_size}}, training, on_step);
    const auto weights = parameters.Snapshot(0);
    if (fold == 0) result.first_model = weights;

    phase(base::Format("fold {} of {}: sampling {} candidates for each of {} rows", fold + 1, config.folds,
                       config.num_candidates, held_out.size()));
    engine::Engine engine(config.engine, weights, tokenizer);
    std::vector<engine::GroupRequest> requests;
    for (const std::size_t i : held_out) {
      requests.push_back({.ticket = i,
                          .prompt_ids = render(pairs[i].prompt),
                          .num_rollouts = config.num_candidates,
                          .sampling = config.sampling,
                          .seed = config.training.seed,
                          .stream = base::RandomStream::kSft});
    }
    for (engine::GroupResult& sampled : engine::GenerateAll(engine, std::move(requests))) {
      if (!sampled.group.ok()) base::ThrowBadInput("a row's candidates: " + sampled.group.failure().reason);
      CandidateRow& row = rows[sampled.ticket];
      for (schema::Rollout& rollout : sampled.group->rollouts) row.candidates.push_back(std::move(rollout.text));
      row.completions = pairs[sampled.ticket].completions;
    }
  }
  for (auto& [place, row] : rows) result.rows.push_back(std::move(row));
  return result;
}

}  // namespace autodidact::sft
