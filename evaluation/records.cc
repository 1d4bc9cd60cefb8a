#include "evaluation/evaluate.h"

namespace autodidact::evaluation {
namespace {

using json::Json;

const base::Outcome<schema::GroupReference>* EstimateOf(const Question& question, const std::string& estimate,
                                                        int size) {
  const auto by_size = question.estimates.find(estimate);
  if (by_size == question.estimates.end()) return nullptr;
  const auto found = by_size->second.find(size);
  return found == by_size->second.end() ? nullptr : &found->second;
}

Json Graded(const Score* score) {
  return {{"answer", json::OrNull(score ? score->answer : std::nullopt)}, {"right", score && score->right()}};
}

// What was estimated, and whether it is right.
Json GradedEstimate(const Question& question, const std::string& estimate, int size) {
  Json entry = Graded(question.ScoreOf(estimate, size));
  const auto* made = EstimateOf(question, estimate, size);
  if (estimate == kSynthesis) {
    if (made && made->ok()) {
      entry["text"] = (*made)->reference.text;
      entry["generation"] = (*made)->reference.generation;
      entry["stages"] = (*made)->reference.stages;
    } else {
      entry["failure"] = made ? made->failure().reason : "no group";
    }
  } else if (made && estimate != kPositionVote &&
             estimators::IsSelection(base::ValueNamed<estimators::EstimatorKind>(estimate, "estimator"))) {
    if (made->ok()) {
      entry["generation"] = (*made)->reference.generation;
    } else {
      entry["failure"] = made->failure().reason;
    }
  }
  return entry;
}

Json LabelRecord(const Question& question, const Compared& compared) {
  Json record = {{"id", question.id}, {"prompt", question.prompt}, {"labels", question.labels}};
  record["rollouts"] = question.rollouts;
  record["answers"] = Json::array();
  record["right"] = Json::array();
  for (const Score& score : question.rollout_scores) {
    record["answers"].push_back(json::OrNull(score.answer));
    record["right"].push_back(score.right());
  }
  record["greedy"] = {{"text", json::OrNull(question.greedy)}};
  record["greedy"].update(Graded(question.greedy_score ? &*question.greedy_score : nullptr));
  record["groups"] = Json::object();
  for (const int size : compared.group_sizes) {
    Json entry = Json::object();
    for (const std::string& estimate : compared.estimates) {
      const Score* score = question.ScoreOf(estimate, size);
      if (estimate == kPositionVote && !(score && score->answer)) continue;
      entry[estimate] = GradedEstimate(question, estimate, size);
    }
    bool any_right = false;
    for (std::size_t i = 0; i < question.rollout_scores.size() && i < static_cast<std::size_t>(size); ++i) {
      any_right = any_right || question.rollout_scores[i].right();
    }
    entry["any_right"] = any_right;
    if (compared.Has(kSynthesis)) {
      const auto agree = question.agree.find(size);
      entry["agree"] = agree != question.agree.end() && agree->second;
    }
    record["groups"][std::to_string(size)] = std::move(entry);
  }
  return record;
}

Json JudgedRecord(const Question& question, const Compared& compared) {
  Json record = {{"id", question.id}, {"prompt", question.prompt}, {"rollouts", question.rollouts}};
  record["greedy"] = json::OrNull(question.greedy);
  record["syntheses"] = Json::object();
  for (const int size : compared.group_sizes) {
    const auto* synthesis = EstimateOf(question, kSynthesis, size);
    if (!synthesis) continue;
    Json& entry = record["syntheses"][std::to_string(size)];
    entry["text"] = synthesis->ok() ? Json((*synthesis)->reference.text) : Json();
    if (!synthesis->ok()) entry["failure"] = synthesis->failure().reason;
    if (const Score* score = question.ScoreOf(kSynthesis, size)) entry["score"] = Value(*score);
  }
  record["target_source"] = Name(question.target_source);
  record["reference"] = question.reference.text;
  record["rubric"] = Json::array();
  record["rubric_points"] = Json::array();
  for (const schema::Criterion& criterion : question.reference.rubric) {
    record["rubric"].push_back(criterion.text);
    record["rubric_points"].push_back(criterion.points);
  }
  record["scores"] = Json::array();
  for (const Score& score : question.rollout_scores) record["scores"].push_back(Value(score));
  record["greedy_score"] = Value(question.greedy_score);
  record["verdicts"] = Json::array();
  question.ForEachScore([&](const Score& score) {
    for (const schema::Verdict& verdict : score.verdicts) {
      record["verdicts"].push_back({{"text", verdict.rollout},
                                    {"criterion", verdict.criterion},
                                    {"verdict", schema::Name(verdict.kind)},
                                    {"reason", verdict.reason}});
    }
  });
  return record;
}

}  // namespace

Json ToRecord(const Question& question, const Compared& compared) {
  return compared.by_labels ? LabelRecord(question, compared) : JudgedRecord(question, compared);
}

void WriteRecords(const Evaluation& evaluation, const std::filesystem::path& file) {
  std::string lines;
  for (const Question& question : evaluation.questions) {
    lines += json::Dump(ToRecord(question, evaluation.compared)) + '\n';
  }
  json::WriteFile(file, lines);
}

}  // namespace autodidact::evaluation
