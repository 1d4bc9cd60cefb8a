#include "evaluation/synthesize.h"

#include <algorithm>

#include "data/row_rubric.h"
#include "data/rows.h"

namespace autodidact::evaluation {
namespace {

// Many times what the engine decodes at once would only delay the first line; fewer would leave it half empty.
std::size_t BatchRows(const Models& models, const SynthesizeConfig& config) {
  const std::int64_t rows = 2 * models.engine.max_rows / std::max<std::int64_t>(1, config.num_generations);
  return static_cast<std::size_t>(std::max<std::int64_t>(16, rows));
}

double Agreement(const estimators::AnswerRule& rule, const std::vector<std::string>& completions,
                 const std::vector<std::string>& admitted) {
  if (completions.empty()) return 0;
  const auto agree = std::count_if(completions.begin(), completions.end(), [&](const std::string& text) {
    const auto answer = answers::Extract(rule.extractor, text);
    return answer && answers::EqualAny(rule.comparator, *answer, admitted);
  });
  return static_cast<double>(agree) / static_cast<double>(completions.size());
}

class Batcher {
 public:
  Batcher(const Models& models, const SynthesizeConfig& config, std::int64_t total, const OnProgress& on_progress)
      : models_(models),
        config_(config),
        policy_(models.engine, models.policy, models.tokenizer),
        anchor_(models.engine, models.anchor, models.tokenizer),
        total_(total),
        on_progress_(on_progress) {}

  std::vector<SynthesizedRow> Run(const std::vector<data::Row>& rows, std::size_t first) {
    first_ = first;
    const auto count = static_cast<std::int64_t>(rows.size());
    const auto prompts = RenderRows(models_.render, rows);
    const auto groups = SampleGroups(policy_, prompts, config_.num_generations, config_.sampling, config_.seed, first,
                                     "rollouts", [&](const Progress& progress) { Report(progress.done, 0); });
    std::vector<SynthesizedRow> done;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      SynthesizedRow& row = done.emplace_back();
      row.id = rows[i].prompt.id;
      row.prompt = rows[i].prompt;
      if (groups[i].ok()) {
        row.completions = TextsOf(*groups[i]);
      } else {
        row.reference = groups[i].failure();
      }
    }
    Estimate(rows, groups, done);
    for (SynthesizedRow& row : done) {
      if (!row.reference.ok()) continue;
      row.answers = answers::ReferenceAnswers(config_.rule.extractor, row.reference->text);
      row.agreement = Agreement(config_.rule, row.completions, row.answers);
    }
    if (config_.judge) Judge(done);
    Report(count, count);
    return done;
  }

 private:
  // One line over all rows, although the work is done in batches, and a batch in two stages.
  void Report(std::int64_t sampled, std::int64_t estimated) const {
    if (on_progress_) {
      on_progress_({"references", static_cast<std::int64_t>(first_) + (sampled + estimated) / 2, total_});
    }
  }

  OnProgress OnEstimates(std::size_t sampled) const {
    return [this, sampled](const Progress& progress) { Report(static_cast<std::int64_t>(sampled), progress.done); };
  }

  void Judge(std::vector<SynthesizedRow>& done) const {
    std::vector<schema::JudgeRequest> requests;
    for (std::size_t i = 0; i < done.size(); ++i) {
      if (done[i].reference.ok())
        requests.push_back(MakeJudgeRequest(i, schema::TargetOf(*done[i].reference), done[i].completions));
    }
    for (schema::JudgeReply& reply : config_.judge(std::move(requests))) {
      done[reply.ticket].verdicts = std::move(reply.verdicts);
      done[reply.ticket].rewards = std::move(reply.rewards);
    }
  }

  using Groups = std::vector<base::Outcome<schema::RolloutGroup>>;

  void Estimate(const std::vector<data::Row>& rows, const Groups& groups, std::vector<SynthesizedRow>& done) {
    if (estimators::IsSelection(config_.estimator)) return Select(rows, groups, done);
    const bool by_label = estimators::ReadsOf(config_.estimator).label;
    if (!by_label && !estimators::ReadsGroupAlone(config_.estimator)) return Synthesize(done);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (done[i].completions.empty()) continue;
      done[i].reference =
          by_label ? GroundTruth(rows[i]) : estimators::FromGroup(config_.estimator, config_.rule, done[i].completions);
    }
  }

  base::Outcome<schema::Reference> GroundTruth(const data::Row& row) const {
    if (config_.rubric_regime) return estimators::OwnRubricReference(data::RowRubric(row.prompt));
    return estimators::LabelReference(config_.rule, row.answers);
  }

  void Select(const std::vector<data::Row>& rows, const Groups& groups, std::vector<SynthesizedRow>& done) {
    const int size = static_cast<int>(config_.num_generations);
    auto selections =
        SelectFromGroups(config_.estimator, models_, config_.selection, rows, groups, {size}, OnEstimates(rows.size()));
    for (std::size_t i = 0; i < selections.size(); ++i) {
      if (groups[i].ok()) done[i].reference = std::move(selections[i].at(size));
    }
  }

  void Synthesize(std::vector<SynthesizedRow>& done) {
    std::map<schema::Ticket, std::vector<std::string>> groups;
    for (std::size_t i = 0; i < done.size(); ++i) {
      if (!done[i].completions.empty()) groups[first_ + i] = done[i].completions;
    }
    if (groups.empty()) return;
    auto references = SynthesizeGroups(anchor_, models_.tokenizer, config_.synthesis,
                                       models_.anchor->config().max_position_embeddings, std::move(groups),
                                       config_.seed, OnEstimates(done.size()));
    for (auto& [ticket, reference] : references) done[ticket - first_].reference = std::move(reference);
  }

  const Models& models_;
  const SynthesizeConfig& config_;
  engine::Engine policy_;
  engine::Engine anchor_;
  std::int64_t total_;
  OnProgress on_progress_;
  std::size_t first_ = 0;
};

void AddRubric(const SynthesizedRow& row, json::Json& record) {
  const auto& rubric = row.reference->rubric;
  for (const schema::Criterion& criterion : rubric) {
    record["rubric"].push_back(criterion.text);
    record["rubric_points"].push_back(criterion.points);
  }
  for (const schema::Verdict& verdict : row.verdicts) {
    record["verdicts"].push_back({{"rollout", verdict.rollout},
                                  {"criterion", verdict.criterion},
                                  {"text", verdict.criterion < rubric.size() ? rubric[verdict.criterion].text : ""},
                                  {"verdict", schema::Name(verdict.kind)},
                                  {"reason", verdict.reason}});
  }
  for (const schema::Reward& reward : row.rewards) {
    record["rewards"].push_back(reward.ok() ? json::Json(*reward) : json::Json());
  }
}

}  // namespace

void SynthesizeRows(const std::vector<data::Row>& rows, const Models& models, const SynthesizeConfig& config,
                    const std::function<void(const SynthesizedRow&)>& sink, const OnProgress& on_progress) {
  estimators::CheckSelection(config.estimator, config.selection, models.tokenizer, config.num_generations);
  Batcher batcher(models, config, static_cast<std::int64_t>(rows.size()), on_progress);
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
    record["reference"] = row.reference->text;
    record["answers"] = row.answers;
    record["agreement"] = row.agreement;
    record["stages"] = row.reference->stages;
    record["generation"] = row.reference->generation;
    AddRubric(row, record);
  } else {
    record["failure"] = row.reference.failure().reason;
  }
  return record;
}

}  // namespace autodidact::evaluation
