#include <algorithm>
#include <functional>
#include <utility>

#include "answers/compare.h"
#include "answers/extract.h"
#include "base/format.h"
#include "evaluation/evaluate.h"

namespace autodidact::evaluation {
namespace {

using estimators::EstimatorKind;

// Such an estimate is one of the rollouts, whose score is known.
bool PicksRollout(const std::string& estimate) {
  if (estimate == kPositionVote) return false;
  const EstimatorKind kind = base::ValueNamed<EstimatorKind>(estimate, "estimator");
  return estimators::IsSelection(kind) || estimators::ReadsGroupAlone(kind);
}

const Score* ScoreOfPicked(const Question& question, const std::string& text) {
  for (std::size_t i = 0; i < question.rollouts.size(); ++i) {
    if (answers::WithoutAlternatives(question.rollouts[i]) == text) return &question.rollout_scores[i];
  }
  return nullptr;
}

// Calls `found(estimate, size, text)` for the texts that are scored by themselves. Of several answers that a reference
// admits it is the first.
void ForEachWritten(const Question& question, const std::function<void(const std::string&, int, std::string)>& found) {
  for (const auto& [estimate, by_size] : question.estimates) {
    if (PicksRollout(estimate)) continue;
    for (const auto& [size, made] : by_size) {
      if (made.ok())
        found(estimate, size, made->reference.text.substr(0, made->reference.text.find(answers::kAlternative)));
    }
  }
}

std::vector<std::string> AllTexts(const Question& question) {
  std::vector<std::string> texts = question.rollouts;
  if (question.greedy) texts.push_back(*question.greedy);
  ForEachWritten(question, [&](const auto&, int, std::string text) { texts.push_back(std::move(text)); });
  return texts;
}

void Distribute(std::vector<Score> scores, answers::Comparator comparator, Question& question) {
  auto next = std::make_move_iterator(scores.begin());
  question.rollout_scores.assign(next, next + std::ssize(question.rollouts));
  next += std::ssize(question.rollouts);
  if (question.greedy) question.greedy_score = *next++;
  ForEachWritten(question, [&](const std::string& estimate, int size, const std::string&) {
    question.scores[estimate][size] = *next++;
  });
  for (const auto& [estimate, by_size] : question.estimates) {
    if (!PicksRollout(estimate)) continue;
    for (const auto& [size, made] : by_size) {
      const Score* score = made.ok() ? ScoreOfPicked(question, made->reference.text) : nullptr;
      if (score) question.scores[estimate][size] = *score;
    }
  }
  for (const auto& [size, synthesis] : question.scores[kSynthesis]) {
    const Score* majority = question.ScoreOf(kMajority, size);
    question.agree[size] = majority && majority->answer && synthesis.answer &&
                           answers::Equal(comparator, *majority->answer, *synthesis.answer);
  }
}

// Adds lines over all questions.
class Tabulator {
 public:
  Tabulator(const std::vector<Question>& questions, const Compared& compared, Table& table)
      : questions_(questions),
        compared_(compared),
        bootstrap_(questions.size(), compared.seed, compared.bootstrap_resamples),
        table_(table) {}

  void Add(const std::string& key, const std::string& title, const std::function<Share(const Question&)>& of) {
    table_.lines.push_back(
        {key, title, bootstrap_.Mean([&](std::size_t question) { return of(questions_[question]); })});
  }

  void AddByGroup(const std::string& key, const std::string& title,
                  const std::function<Share(const Question&, int)>& of) {
    MetricsByGroup by_group;
    for (const int size : compared_.group_sizes) {
      by_group[size] = bootstrap_.Mean([&](std::size_t question) { return of(questions_[question], size); });
    }
    table_.lines.push_back({key, title, std::move(by_group)});
  }

  // What a text counts as; by labels one that is not there is wrong.
  std::optional<double> Worth(const Score* score) const {
    const auto value = score ? score->value : std::nullopt;
    return compared_.by_labels ? value.value_or(0) : value;
  }

  Share OfRollouts(const Question& question) const {
    double sum = 0, count = 0;
    for (const Score& score : question.rollout_scores) {
      if (const auto value = Worth(&score)) sum += *value, ++count;
    }
    return Share::Of(count > 0 ? sum / count : Worth(nullptr));
  }

  std::optional<double> BestOf(const Question& question, int size) const {
    std::optional<double> best = Worth(nullptr);
    const auto count = std::min(question.rollout_scores.size(), static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < count; ++i) best = std::max(best, Worth(&question.rollout_scores[i]));
    return best;
  }

  void AddEstimates(const std::function<std::string(const std::string&)>& title) {
    for (const std::string& estimate : compared_.estimates) {
      AddByGroup(estimate, title(estimate), [this, &estimate](const Question& question, int size) {
        return Share::Of(Worth(question.ScoreOf(estimate, size)));
      });
    }
  }

 private:
  const std::vector<Question>& questions_;
  const Compared& compared_;
  const Bootstrap bootstrap_;
  Table& table_;
};

const Score* GreedyOf(const Question& question) {
  return question.greedy_score ? &*question.greedy_score : nullptr;
}

bool HasAnswer(const Score* score) {
  return score && score->answer;
}

// How the synthesis stands to the group and to the majority.
void AddSynthesis(Tabulator& tabulator) {
  const auto right = [](const Question& question, const std::string& estimate, int size) {
    const Score* score = question.ScoreOf(estimate, size);
    return score && score->right();
  };
  const auto both = [](const Question& question, int size) {
    return HasAnswer(question.ScoreOf(kMajority, size)) && HasAnswer(question.ScoreOf(kSynthesis, size));
  };
  tabulator.AddByGroup("right_when_all_wrong", "right while all wrong", [&](const Question& question, int size) {
    return Share::Of(right(question, kSynthesis, size) && tabulator.BestOf(question, size) < 1.0);
  });
  tabulator.AddByGroup("agreement", "agreement with majority", [&](const Question& question, int size) {
    return both(question, size) ? Share::Of(question.agree.at(size)) : Share{};
  });
  for (const std::string& estimate : {kSynthesis, kMajority}) {
    tabulator.AddByGroup("disagreement/" + estimate, estimate + " where they differ",
                         [&](const Question& question, int size) {
                           const bool differ = both(question, size) && !question.agree.at(size);
                           return differ ? Share::Of(right(question, estimate, size)) : Share{};
                         });
  }
  tabulator.AddByGroup("no_answer/synthesis", "synthesis without answer", [](const Question& question, int size) {
    return Share::Of(!HasAnswer(question.ScoreOf(kSynthesis, size)));
  });
}

void TabulateLabels(const Compared& compared, std::size_t questions, Tabulator& tabulator, Table& table) {
  table.head = {"accuracy in %"};
  for (const int size : compared.group_sizes) table.head.push_back(base::Format("G = {}", size));
  table.below =
      base::Format("{} questions; ± is half the width of the 95 % interval (bootstrap over questions)\n", questions);
  table.counts["questions"] = questions;
  const auto of_greedy = [&](const Question& question) { return Share::Of(tabulator.Worth(GreedyOf(question))); };
  tabulator.Add("single", "single sample", [&](const Question& question) { return tabulator.OfRollouts(question); });
  tabulator.Add("greedy", "greedy", of_greedy);
  tabulator.AddEstimates([](const std::string& name) { return name == kPositionVote ? "vote per position" : name; });
  tabulator.AddByGroup("pass", "pass (any right)",
                       [&](const Question& question, int size) { return Share::Of(tabulator.BestOf(question, size)); });
  tabulator.Add("no_answer/single", "", [](const Question& question) {
    const auto& scores = question.rollout_scores;
    if (scores.empty()) return Share{1, 1};
    const auto none = std::count_if(scores.begin(), scores.end(), [](const Score& score) { return !score.answer; });
    return Share{static_cast<double>(none) / static_cast<double>(scores.size()), 1};
  });
  tabulator.Add("no_answer/greedy", "",
                [](const Question& question) { return Share::Of(!HasAnswer(GreedyOf(question))); });
  if (compared.Has(kSynthesis)) AddSynthesis(tabulator);
}

void TabulateJudged(const std::vector<Question>& questions, const Compared& compared, std::int64_t left_out,
                    Tabulator& tabulator, Table& table) {
  std::map<std::string, std::int64_t> sources;
  std::int64_t verdicts = 0, invalid = 0, unscored = 0;
  const auto count = [&](const Score& score) {
    unscored += !score.value;
    verdicts += std::ssize(score.verdicts);
    invalid += std::count_if(score.verdicts.begin(), score.verdicts.end(),
                             [](const auto& verdict) { return verdict.kind == schema::VerdictKind::kInvalid; });
  };
  for (const Question& question : questions) {
    ++sources[Name(question.target_source)];
    question.ForEachScore(count);
  }
  json::Json share;  // null without a verdict
  std::string share_text = "-";
  if (verdicts > 0) {
    share = static_cast<double>(invalid) / static_cast<double>(verdicts);
    share_text = base::Format("{:.1f} %", 100 * share.get<double>());
  }
  table.counts = {{"questions", questions.size()},
                  {"target_sources", sources},
                  {"left_out", left_out},
                  {"invalid_verdicts", share},
                  {"unscored", unscored}};
  table.wide = true;
  table.above = base::Format("{} questions;", questions.size());
  for (const auto& [name, number] : sources) table.above += base::Format(" {}: {}", name, number);
  if (left_out > 0) table.above += base::Format(" left out (no full rubric): {}", left_out);
  table.above += "\njudged score, per cent ± half of the 95 % interval\n";
  table.head = {"G"};
  for (const int size : compared.group_sizes) table.head.push_back(std::to_string(size));
  table.below = base::Format("invalid verdicts: {}; texts without a score: {}\n", share_text, unscored);
  tabulator.Add("single", "single", [&](const Question& question) { return tabulator.OfRollouts(question); });
  tabulator.Add("greedy", "greedy",
                [&](const Question& question) { return Share::Of(tabulator.Worth(GreedyOf(question))); });
  tabulator.AddEstimates([](const std::string& name) { return name; });
  tabulator.AddByGroup("best_of", "best of",
                       [&](const Question& question, int size) { return Share::Of(tabulator.BestOf(question, size)); });
}

}  // namespace

void Question::ForEachScore(const std::function<void(const Score&)>& visit) const {
  for (const Score& score : rollout_scores) visit(score);
  if (greedy_score) visit(*greedy_score);
  for (const auto& [estimate, by_size] : scores) {
    if (PicksRollout(estimate)) continue;
    for (const auto& [size, score] : by_size) visit(score);
  }
}

void ScoreQuestions(const Scorer& scorer, answers::Comparator comparator, std::vector<Question>& questions) {
  std::vector<schema::JudgeRequest> requests;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    if (questions[i].target_source == TargetSource::kNone) continue;
    requests.push_back(MakeJudgeRequest(i, questions[i].target, AllTexts(questions[i])));
  }
  std::vector<std::size_t> scored;
  for (const schema::JudgeRequest& request : requests) scored.push_back(request.ticket);
  auto scores = scorer.ScoreAll(std::move(requests));
  for (std::size_t k = 0; k < scored.size(); ++k) {
    Distribute(std::move(scores.at(k)), comparator, questions[scored[k]]);
  }
}

Table Tabulate(const std::vector<Question>& questions, const Compared& compared, std::int64_t left_out) {
  Table table;
  table.group_sizes = compared.group_sizes;
  Tabulator tabulator(questions, compared, table);
  if (compared.by_labels) {
    TabulateLabels(compared, questions.size(), tabulator, table);
  } else {
    TabulateJudged(questions, compared, left_out, tabulator, table);
  }
  return table;
}

}  // namespace autodidact::evaluation
