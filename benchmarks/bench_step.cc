// Seconds of one GRPO step (rollouts, then loss, gradients and optimizer) and rollout tokens per second, as one JSON
// line.
//
//   bench_step MODEL PROMPTS.jsonl [--group 8 --n-prompts 8 --new 64 --steps 6 --threads 1]
//              [--micro-batch TOKENS] [--rollouts-only]
//
// Every prompt is sampled GROUP times at temperature 1, NEW tokens each unless a rollout ends itself. The first step
// warms up and is not counted. The reward is the share of distinct tokens, so that the groups have a spread.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <set>
#include <vector>

#include "base/deadline.h"
#include "collective/collective.h"
#include "data/rows.h"
#include "engine/engine.h"
#include "json/json.h"
#include "launch/wiring/wiring.h"
#include "learner/policy_trainer.h"

namespace {

using namespace autodidact;  // NOLINT(google-build-using-namespace): the program's own file

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  std::string model_folder, prompts_file;
  int group = 8, num_prompts = 8, new_tokens = 64, steps = 6, threads = 1;
  CLI::App app("Seconds of one GRPO step");
  app.add_option("model", model_folder)->required();
  app.add_option("prompts", prompts_file)->required();
  app.add_option("--group", group);
  app.add_option("--n-prompts", num_prompts);
  app.add_option("--new", new_tokens);
  app.add_option("--steps", steps);
  app.add_option("--threads", threads);
  std::int64_t micro_batch = learner::TrainerConfig().micro_batch_tokens;
  app.add_option("--micro-batch", micro_batch, "tokens computed at once");
  bool rollouts_only = false;
  app.add_flag("--rollouts-only", rollouts_only, "no training: the weights stay as they are");
  CLI11_PARSE(app, argc, argv);

  launch::UseThreads(threads);
  const auto model = launch::LoadModelFolder(model_folder, "cpu");
  const auto rows = data::ReadRows(prompts_file);
  const auto communicator = collective::MakeSingle();
  learner::TrainerConfig config;
  config.loss.beta = 0;
  config.optimizer.learning_rate = 1e-5;
  config.micro_batch_tokens = micro_batch;
  learner::PolicyTrainer trainer(config, *model.weights, nullptr, *communicator);
  engine::Engine engine({}, model.weights, *model.tokenizer);

  std::vector<double> step_seconds, rollout_seconds;
  double tokens = 0;
  for (int step = 0; step <= steps; ++step) {
    const auto start = base::Clock::now();
    std::vector<engine::GroupRequest> requests;
    for (int p = 0; p < num_prompts; ++p) {
      engine::GroupRequest request;
      request.ticket = static_cast<schema::Ticket>(step * num_prompts + p);
      request.prompt_ids = model.tokenizer->Encode(rows[static_cast<std::size_t>(p) % rows.size()].prompt.text);
      request.num_rollouts = static_cast<std::uint32_t>(group);
      request.sampling.max_new_tokens = new_tokens;
      requests.push_back(std::move(request));
    }
    std::vector<schema::ScoredGroup> groups;
    tokens = 0;
    for (engine::GroupResult& result : engine::GenerateAll(engine, std::move(requests))) {
      schema::ScoredGroup scored;
      scored.group = std::move(result.group).value();
      for (const schema::Rollout& rollout : scored.group.rollouts) {
        const std::set<schema::TokenId> distinct(rollout.ids.begin(), rollout.ids.end());
        scored.rewards.emplace_back(static_cast<double>(distinct.size()) / static_cast<double>(rollout.ids.size()));
        tokens += static_cast<double>(rollout.ids.size());
      }
      groups.push_back(std::move(scored));
    }
    const double sampled = base::SecondsSince(start);
    if (!rollouts_only) {
      trainer.Step(groups);
      engine.SetWeights(trainer.parameters().Snapshot(static_cast<std::uint64_t>(step) + 1));
    }
    if (step == 0) continue;
    rollout_seconds.push_back(sampled);
    step_seconds.push_back(base::SecondsSince(start));
  }
  std::cout << json::Dump({{"step_seconds_median", Median(step_seconds)},
                           {"rollout_seconds_median", Median(rollout_seconds)},
                           {"tokens_per_s", tokens / Median(rollout_seconds)},
                           {"mean_length", tokens / (group * num_prompts)},
                           {"threads", threads},
                           {"dtype", "float32"}})
            << "\n";
  return 0;
}
