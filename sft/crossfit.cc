#include "sft/crossfit.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "base/format.h"

namespace autodidact::sft {
namespace {

model::SharedWeights TrainOn(std::vector<data::Pair> pairs, std::uint64_t fold, const CrossfitModel& model,
                             const CrossfitConfig& config, const OnStep& on_step) {
  learner::FlatParameters parameters(*model.initial);
  const PairSource source(std::move(pairs), model.render, model.tokenizer, model.eos);
  SupervisedConfig training = config.training;
  training.seed += fold * 1'000'003;
  TrainSupervised(parameters, {{&source, config.batch_size}}, training, on_step);
  return parameters.Snapshot(0);
}

// The candidates of each prompt, by its ticket.
std::map<schema::Ticket, std::vector<std::string>> Sample(
    const model::SharedWeights& weights, const std::map<schema::Ticket, const schema::Prompt*>& prompts,
    const CrossfitModel& model, const CrossfitConfig& config) {
  engine::Engine engine(config.engine, weights, model.tokenizer);
  std::vector<engine::GroupRequest> requests;
  for (const auto& [ticket, prompt] : prompts) {
    requests.push_back({.ticket = ticket,
                        .prompt_ids = model.render(*prompt),
                        .num_rollouts = config.num_candidates,
                        .sampling = config.sampling,
                        .seed = config.training.seed,
                        .stream = base::RandomStream::kSft});
  }
  std::map<schema::Ticket, std::vector<std::string>> candidates;
  for (engine::GroupResult& sampled : engine::GenerateAll(engine, std::move(requests))) {
    if (!sampled.group.ok()) base::ThrowBadInput("a row's candidates: " + sampled.group.failure().reason);
    std::vector<std::string>& texts = candidates[sampled.ticket];
    for (schema::Rollout& rollout : sampled.group->rollouts) texts.push_back(std::move(rollout.text));
  }
  return candidates;
}

const std::string& MostFrequent(const std::vector<std::string>& texts) {
  std::map<std::string_view, std::size_t> counts;
  for (const std::string& text : texts) ++counts[text];
  // max_element gives the first of equals.
  return *std::max_element(texts.begin(), texts.end(),
                           [&](const std::string& a, const std::string& b) { return counts.at(a) < counts.at(b); });
}

}  // namespace

std::vector<data::Pair> AnsweredPairs(std::vector<data::Pair> pairs, const CrossfitConfig& config) {
  if (!config.apart) return pairs;
  std::vector<data::Pair> others;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (static_cast<std::int64_t>(i) % config.folds != 0) others.push_back(std::move(pairs[i]));
  }
  return others;
}

Crossfit SampleCandidates(std::vector<data::Pair> pairs, const CrossfitModel& model, const CrossfitConfig& config,
                          const std::function<void(const std::string&)>& phase, const OnStep& on_step) {
  Crossfit result;
  std::map<schema::Ticket, CandidateRow> rows;  // by the pair's place
  for (std::int64_t fold = 0; fold < (config.apart ? 1 : config.folds); ++fold) {
    std::vector<data::Pair> others;
    std::map<schema::Ticket, const schema::Prompt*> held_out;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (static_cast<std::int64_t>(i) % config.folds == fold) {
        held_out[i] = &pairs[i].prompt;
      } else {
        others.push_back(pairs[i]);
      }
    }
    phase(base::Format("fold {} of {}: training on {} rows", fold + 1, config.folds, others.size()));
    const auto weights = TrainOn(std::move(others), static_cast<std::uint64_t>(fold), model, config, on_step);
    if (fold == 0) result.first_model = weights;
    phase(base::Format("fold {} of {}: sampling {} candidates for each of {} rows", fold + 1, config.folds,
                       config.num_candidates, held_out.size()));
    for (auto& [place, candidates] : Sample(weights, held_out, model, config)) {
      rows[place] = {std::move(candidates), pairs[place].completions};
    }
  }
  for (auto& [place, row] : rows) result.rows.push_back(std::move(row));
  result.answered = AnsweredPairs(std::move(pairs), config);
  return result;
}

Crossfit SampleConsensus(std::vector<data::Pair> pairs, const std::vector<schema::Prompt>& prompts,
                         const CrossfitModel& model, const CrossfitConfig& config,
                         const std::function<void(const std::string&)>& phase, const OnStep& on_step) {
  Crossfit result;
  phase(base::Format("the sampled model: training on {} rows", pairs.size()));
  result.first_model = TrainOn(pairs, 0, model, config, on_step);
  result.answered = std::move(pairs);
  std::map<schema::Ticket, const schema::Prompt*> places;
  for (std::size_t i = 0; i < prompts.size(); ++i) places[i] = &prompts[i];
  phase(base::Format("sampling {} candidates for each of {} prompts", config.num_candidates, prompts.size()));
  for (auto& [place, candidates] : Sample(result.first_model, places, model, config)) {
    std::string consensus = MostFrequent(candidates);
    if (!consensus.empty()) result.rows.push_back({std::move(candidates), {std::move(consensus)}});
  }
  return result;
}

}  // namespace autodidact::sft
