#include "evaluation/figures.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>

#include "base/rng.h"

namespace autodidact::evaluation {
namespace {

// What one question adds to a share: `part` of `whole`.
struct Count {
  double part = 0;
  double whole = 0;
};

std::optional<double> Share(std::span<const Count> counts, std::span<const std::uint16_t> times) {
  Count sum;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum.part += counts[i].part * times[i];
    sum.whole += counts[i].whole * times[i];
  }
  if (sum.whole == 0) return std::nullopt;
  return sum.part / sum.whole;
}

// How often each question is drawn, for every redraw of as many questions as there are.
std::vector<std::vector<std::uint16_t>> Redraws(std::size_t questions, std::uint64_t seed, int resamples) {
  std::vector<std::vector<std::uint16_t>> redraws(static_cast<std::size_t>(resamples));
  for (std::size_t r = 0; r < redraws.size(); ++r) {
    base::RandomWalk walk({seed, base::RandomStream::kEval, r, 0});
    redraws[r].assign(questions, 0);
    for (std::size_t i = 0; i < questions; ++i) ++redraws[r][walk.Below(questions)];
  }
  return redraws;
}

class Tabulator {
 public:
  Tabulator(const std::vector<GradedQuestion>& questions, std::uint64_t seed, int resamples)
      : questions_(questions),
        once_(questions.size(), 1),
        redraws_(Redraws(questions.size(), seed, questions.empty() ? 0 : resamples)) {}

  Figure Of(const std::function<Count(const GradedQuestion&)>& count) const {
    std::vector<Count> counts;
    for (const GradedQuestion& question : questions_) counts.push_back(count(question));
    Figure figure;
    figure.value = Share(counts, once_);
    if (!figure.value) return figure;
    std::vector<double> shares;
    for (const auto& times : redraws_) {
      if (const auto share = Share(counts, times)) shares.push_back(*share);
    }
    if (shares.empty()) return figure;
    std::sort(shares.begin(), shares.end());
    figure.low = Percentile(shares, 0.025);
    figure.high = Percentile(shares, 0.975);
    return figure;
  }

  Figure OfGroup(int size, const std::function<Count(const GradedGroup&)>& count) const {
    return Of([&](const GradedQuestion& question) { return count(question.groups.at(size)); });
  }

 private:
  static double Percentile(const std::vector<double>& sorted, double at) {
    const double place = at * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
  }

  const std::vector<GradedQuestion>& questions_;
  const std::vector<std::uint16_t> once_;
  const std::vector<std::vector<std::uint16_t>> redraws_;
};

// A group that failed counts as one whole with nothing right in it.
Count OfRollouts(const GradedQuestion& question, bool (*holds)(const GradedAnswer&), bool without_any) {
  if (question.rollouts.empty()) return {without_any ? 1.0 : 0.0, 1.0};
  const auto count = std::count_if(question.rollouts.begin(), question.rollouts.end(), holds);
  return {static_cast<double>(count) / static_cast<double>(question.rollouts.size()), 1.0};
}

bool BothAnswer(const GradedGroup& group) {
  return group.majority.answer && group.synthesis.answer;
}

void TabulateSynthesis(const Tabulator& tabulator, int size, EvalFigures& figures) {
  const auto share_of_all = [&](bool (*holds)(const GradedGroup&)) {
    return tabulator.OfGroup(size, [&](const GradedGroup& group) { return Count{holds(group) ? 1.0 : 0.0, 1.0}; });
  };
  figures.synthesis[size] = share_of_all([](const GradedGroup& group) { return group.synthesis.right; });
  figures.right_when_all_wrong[size] =
      share_of_all([](const GradedGroup& group) { return group.synthesis.right && !group.any_right; });
  figures.synthesis_no_answer[size] = share_of_all([](const GradedGroup& group) { return !group.synthesis.answer; });
  figures.agreement[size] = tabulator.OfGroup(size, [](const GradedGroup& group) {
    return Count{group.agree ? 1.0 : 0.0, BothAnswer(group) ? 1.0 : 0.0};
  });
  const auto where_they_differ = [&](bool (*holds)(const GradedGroup&)) {
    return tabulator.OfGroup(size, [&](const GradedGroup& group) {
      const bool differ = BothAnswer(group) && !group.agree;
      return Count{differ && holds(group) ? 1.0 : 0.0, differ ? 1.0 : 0.0};
    });
  };
  figures.disagreement_synthesis[size] =
      where_they_differ([](const GradedGroup& group) { return group.synthesis.right; });
  figures.disagreement_majority[size] =
      where_they_differ([](const GradedGroup& group) { return group.majority.right; });
}

void TabulateGroups(const Tabulator& tabulator, int size, const Compared& compared, EvalFigures& figures) {
  const auto share_right = [&](const std::function<bool(const GradedGroup&)>& right) {
    return tabulator.OfGroup(size, [&](const GradedGroup& group) { return Count{right(group) ? 1.0 : 0.0, 1.0}; });
  };
  figures.majority[size] = share_right([](const GradedGroup& group) { return group.majority.right; });
  figures.pass[size] = share_right([](const GradedGroup& group) { return group.any_right; });
  if (compared.position_vote) {
    figures.position_vote[size] = share_right([](const GradedGroup& group) { return group.position_vote.right; });
  }
  for (auto& [kind, by_group] : figures.further) {
    by_group[size] = share_right([kind = kind](const GradedGroup& group) { return group.further.at(kind).right; });
  }
  if (compared.synthesis) TabulateSynthesis(tabulator, size, figures);
}

}  // namespace

json::Json Value(const Figure& figure) {
  return json::OrNull(figure.value);
}

json::Json Interval(const Figure& figure) {
  return figure.low && figure.high ? json::Json::array({*figure.low, *figure.high}) : json::Json(nullptr);
}

EvalFigures Tabulate(const std::vector<GradedQuestion>& questions, const std::vector<int>& group_sizes,
                     const Compared& compared, std::uint64_t seed, int resamples) {
  const Tabulator tabulator(questions, seed, resamples);
  EvalFigures figures;
  figures.questions = static_cast<std::int64_t>(questions.size());
  figures.group_sizes = group_sizes;
  const auto is_right = [](const GradedAnswer& graded) { return graded.right; };
  const auto has_none = [](const GradedAnswer& graded) { return !graded.answer; };
  figures.single = tabulator.Of([&](const GradedQuestion& question) { return OfRollouts(question, is_right, false); });
  figures.single_no_answer =
      tabulator.Of([&](const GradedQuestion& question) { return OfRollouts(question, has_none, true); });
  figures.greedy = tabulator.Of([](const GradedQuestion& question) {
    return Count{question.greedy.right ? 1.0 : 0.0, 1.0};
  });
  figures.greedy_no_answer = tabulator.Of([](const GradedQuestion& question) {
    return Count{question.greedy.answer ? 0.0 : 1.0, 1.0};
  });
  for (const estimators::EstimatorKind kind : compared.further) figures.further.emplace_back(kind, FiguresByGroup());
  for (const int size : group_sizes) TabulateGroups(tabulator, size, compared, figures);
  return figures;
}

}  // namespace autodidact::evaluation
