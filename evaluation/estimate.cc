#include "evaluation/estimate.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "estimators/synthesizer.h"

namespace autodidact::evaluation {
namespace {

using estimators::EstimatorKind;

std::vector<std::string> FirstTexts(const schema::RolloutGroup& group, int size) {
  std::vector<std::string> texts = estimators::TextsOf(group);
  texts.resize(static_cast<std::size_t>(size));
  return texts;
}

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

GroupEstimator::GroupEstimator(const Models& models, const Generation& generation, std::vector<int> group_sizes)
    : models_(models), generation_(generation), group_sizes_(std::move(group_sizes)) {}

void GroupEstimator::Check(EstimatorKind kind) const {
  const int largest = *std::max_element(group_sizes_.begin(), group_sizes_.end());
  estimators::CheckSelection(kind, generation_.selection, models_.tokenizer, static_cast<std::size_t>(largest));
}

std::vector<ReferencesBySize> GroupEstimator::Make(EstimatorKind kind, const std::vector<data::Row>& rows,
                                                   const Groups& groups, schema::Ticket first_ticket,
                                                   const OnProgress& on_progress) {
  const estimators::Maker maker = estimators::MakerOf(kind);
  if (maker == estimators::Maker::kSelector) return Select(kind, rows, groups, on_progress);
  if (maker == estimators::Maker::kSynthesizer) return Synthesize(groups, first_ticket, on_progress);
  std::vector<ReferencesBySize> made(groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (const int size : group_sizes_) {
      if (estimators::ReadsOf(kind).label) {
        made[i].emplace(size, estimators::FromRow(generation_.comparison, generation_.truth(rows[i])));
      } else if (groups[i].ok()) {
        made[i].emplace(size, estimators::FromTexts(kind, generation_.comparison, FirstTexts(*groups[i], size)));
      }
    }
  }
  return made;
}

std::vector<ReferencesBySize> GroupEstimator::Select(EstimatorKind kind, const std::vector<data::Row>& rows,
                                                     const Groups& groups, const OnProgress& on_progress) const {
  const estimators::Selector selector(generation_.selection, models_.anchor, models_.tokenizer);
  std::vector<ReferencesBySize> made(groups.size());
  Progress progress{base::NameIn(kind), 0, std::ssize(groups)};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].ok()) {
      auto selected = selector.Select(kind, rows[i].prompt, *groups[i], group_sizes_);
      for (std::size_t k = 0; k < group_sizes_.size(); ++k) {
        made[i].emplace(group_sizes_[k], schema::WithTarget(std::move(selected[k])));
      }
    }
    ++progress.done;
    if (on_progress) on_progress(progress);
  }
  return made;
}

std::vector<ReferencesBySize> GroupEstimator::Synthesize(const Groups& groups, schema::Ticket first_ticket,
                                                         const OnProgress& on_progress) {
  const std::size_t num_sizes = group_sizes_.size();
  const schema::Ticket first = first_ticket * num_sizes;
  estimators::Synthesizer synthesizer(
      Anchor(), models_.tokenizer, generation_.synthesis,
      estimators::SynthesisContext(generation_.synthesis, models_.anchor->config().max_position_embeddings),
      generation_.seed);
  Progress progress{base::NameIn(EstimatorKind::kSynthesis), 0, 0};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (!groups[i].ok()) continue;
    for (std::size_t k = 0; k < num_sizes; ++k) {
      synthesizer.Add(first + i * num_sizes + k, FirstTexts(*groups[i], group_sizes_[k]));
      ++progress.total;
    }
  }
  std::vector<ReferencesBySize> made(groups.size());
  for (auto& [ticket, reference] : RunAll(synthesizer, progress, on_progress)) {
    const std::size_t at = ticket - first;
    made[at / num_sizes].emplace(group_sizes_[at % num_sizes], schema::WithTarget(std::move(reference)));
  }
  return made;
}

std::map<schema::Ticket, base::Outcome<schema::Reference>> GroupEstimator::WriteRubrics(
    std::map<schema::Ticket, schema::Reference> references, const OnProgress& on_progress) {
  estimators::Synthesizer synthesizer(
      Anchor(), models_.tokenizer, generation_.synthesis,
      estimators::SynthesisContext(generation_.synthesis, models_.anchor->config().max_position_embeddings),
      generation_.seed);
  const Progress progress{"rubrics", 0, std::ssize(references)};
  for (auto& entry : references) synthesizer.AddReference(entry.first, std::move(entry.second));
  return RunAll(synthesizer, progress, on_progress);
}

engine::Engine& GroupEstimator::Anchor() {
  if (!anchor_) anchor_.emplace(models_.engine, models_.anchor, models_.tokenizer);
  return *anchor_;
}

}  // namespace autodidact::evaluation
