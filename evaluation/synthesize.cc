#include "evaluation/synthesize.h"

#include <algorithm>
#include <utility>

#include "answers/extract.h"

namespace autodidact::evaluation {
namespace {

// Many times what the engine decodes at once would only delay the first line; fewer would leave it half empty.
std::size_t BatchRows(const Models& models, const SynthesizeConfig& config) {
  const std::int64_t rows = 2 * models.engine.max_rows / std::max<std::int64_t>(1, config.num_generations);
  return static_cast<std::size_t>(std::max<std::int64_t>(16, rows));
}

std::optional<double> Agreement(const estimators::Comparison& comparison, const std::vector<std::string>& completions,
                                const std::vector<std::string>& admitted) {
  if (completions.empty() || admitted.empty()) return std::nullopt;
  double agree = 0;
  for (const std::string& text : completions) {
    const auto answer = answers::Extract(comparison.rule.extractor, text);
    if (!answer) continue;
    const auto equal = comparison.IsAnyOf(*answer, admitted);
    if (!equal.ok()) return std::nullopt;
    agree += *equal;
  }
  return agree / static_cast<double>(completions.size());
}

class Batcher {
 public:
  Batcher(const Models& models, const SynthesizeConfig& config, std::int64_t total, const OnProgress& on_progress)
      : models_(models),
        config_(config),
        policy_(models.engine, models.policy, models.tokenizer),
        estimator_(models, config.generation, {size()}),
        total_(total),
        on_progress_(on_progress) {
    estimator_.Check(config.estimator);
  }

  std::vector<SynthesizedRow> Run(const std::vector<data::Row>& rows, std::size_t first) {
    const auto prompts = RenderRows(models_.render, rows);
    const auto groups = SampleGroups(policy_, prompts,
                                     {.num_rollouts = config_.num_generations,
                                      .params = config_.generation.sampling,
                                      .seed = config_.generation.seed,
                                      .first_ticket = first},
                                     [&](const Progress& progress) { Report(first, progress.done, 0); });
    auto references = estimator_.Make(config_.estimator, rows, groups, first, [&](const Progress& progress) {
      Report(first, std::ssize(rows), progress.done);
    });
    std::vector<SynthesizedRow> done;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      SynthesizedRow& row = done.emplace_back();
      row.id = rows[i].prompt.id;
      row.prompt = rows[i].prompt;
      if (!groups[i].ok()) {
        row.reference = groups[i].failure();
        continue;
      }
      row.completions = estimators::TextsOf(*groups[i]);
      row.reference = std::move(references[i].at(size()));
      if (!row.reference.ok()) continue;
      const auto& comparison = config_.generation.comparison;
      row.answers = answers::ReferenceAnswers(comparison.rule.extractor, row.reference->reference.text);
      row.agreement = Agreement(comparison, row.completions, row.answers);
    }
    if (config_.scorer) Score(done);
    Report(first, std::ssize(rows), std::ssize(rows));
    return done;
  }

 private:
  int size() const { return static_cast<int>(config_.num_generations); }

  // One line over all rows, although the work is done in batches, and a batch in two stages.
  void Report(std::size_t first, std::int64_t sampled, std::int64_t estimated) const {
    if (on_progress_)
      on_progress_({"references", static_cast<std::int64_t>(first) + (sampled + estimated) / 2, total_});
  }

  void Score(std::vector<SynthesizedRow>& done) const {
    std::vector<schema::JudgeRequest> requests;
    std::vector<SynthesizedRow*> scored;
    for (SynthesizedRow& row : done) {
      if (!row.reference.ok()) continue;
      requests.push_back(MakeJudgeRequest(requests.size(), row.reference->target, row.completions));
      scored.push_back(&row);
    }
    auto scores = config_.scorer->ScoreAll(std::move(requests));
    for (std::size_t i = 0; i < scored.size(); ++i) scored[i]->scores = std::move(scores.at(i));
  }

  const Models& models_;
  const SynthesizeConfig& config_;
  engine::Engine policy_;
  GroupEstimator estimator_;
  std::int64_t total_;
  OnProgress on_progress_;
};

void AddScores(const SynthesizedRow& row, json::Json& record) {
  const auto& rubric = row.reference->reference.rubric;
  for (const schema::Criterion& criterion : rubric) {
    record["rubric"].push_back(criterion.text);
    record["rubric_points"].push_back(criterion.points);
  }
  for (const Score& score : row.scores) {
    for (const schema::Verdict& verdict : score.verdicts) {
      record["verdicts"].push_back({{"rollout", verdict.rollout},
                                    {"criterion", verdict.criterion},
                                    {"text", verdict.criterion < rubric.size() ? rubric[verdict.criterion].text : ""},
                                    {"verdict", schema::Name(verdict.kind)},
                                    {"reason", verdict.reason}});
    }
  }
  for (const Score& score : row.scores) record["rewards"].push_back(json::OrNull(score.Clipped()));
}

}  // namespace

void SynthesizeRows(const std::vector<data::Row>& rows, const Models& models, const SynthesizeConfig& config,
                    const std::function<void(const SynthesizedRow&)>& sink, const OnProgress& on_progress) {
  Batcher batcher(models, config, std::ssize(rows), on_progress);
  const std::size_t batch = BatchRows(models, config);
  for (std::size_t first = 0; first < rows.size(); first += batch) {
    const std::size_t last = std::min(rows.size(), first + batch);
    const auto begin = rows.begin();
    for (const SynthesizedRow& row :
         batcher.Run({begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(last)}, first)) {
      sink(row);
    }
  }
}

json::Json ToRecord(const SynthesizedRow& row) {
  json::Json record = {{"id", row.id}, {"prompt", row.prompt.text}, {"completions", row.completions}};
  if (!row.prompt.messages.empty()) {
    record["prompt"] = json::Json::array();
    for (const schema::ChatMessage& message : row.prompt.messages) {
      record["prompt"].push_back(data::ToJson(message));
    }
  }
  if (row.reference.ok()) {
    record["reference"] = row.reference->reference.text;
    record["answers"] = row.answers;
    record["agreement"] = json::OrNull(row.agreement);
    record["stages"] = row.reference->reference.stages;
    record["generation"] = row.reference->reference.generation;
    AddScores(row, record);
  } else {
    record["failure"] = row.reference.failure().reason;
  }
  return record;
}

}  // namespace autodidact::evaluation
