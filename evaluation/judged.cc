#include "evaluation/judged.h"

#include <algorithm>
#include <functional>
#include <iterator>

#include "answers/points_score.h"
#include "base/format.h"
#include "base/rng.h"
#include "data/row_rubric.h"

namespace autodidact::evaluation {
namespace {

using Scores = std::vector<std::optional<double>>;

// A label for people.
struct TextOf {
  std::string operator()(const schema::WholeText& it) const { return it.text; }
  std::string operator()(const schema::Labels& it) const { return it.answers.front(); }
  std::string operator()(const schema::Rubric&) const { return {}; }
  std::string operator()(const schema::Tests& it) const { return it.code; }
  std::string operator()(const schema::Program& it) const { return it.text; }
};

// What the question's texts are held against, as a reference without a text where a rubric is all there is. A self-made
// yardstick of the rubric regime has no criteria yet.
JudgedQuestion Measured(const data::Row& row, const std::optional<schema::Target>& label, const QuestionTexts& texts,
                        bool by_rubric) {
  JudgedQuestion question;
  if (by_rubric) {
    question.reference.rubric = data::RowRubric(row.prompt);
    if (!question.reference.rubric.empty()) {
      question.yardstick = Yardstick::kOwnRubric;
      return question;
    }
  } else if (label) {
    question.target = *label;
    question.reference.text = std::visit(TextOf{}, *label);
    question.yardstick = Yardstick::kLabel;
    return question;
  }
  if (!texts.syntheses.empty() && texts.syntheses.rbegin()->second.ok()) {
    question.reference = *texts.syntheses.rbegin()->second;
    question.yardstick = Yardstick::kSelfMade;
  }
  return question;
}

// The anchor writes the criteria of the self-made yardsticks; a question that gets none is not judged.
void WriteOwnRubrics(const Models& models, const EvalConfig& config, const OnProgress& on_progress,
                     std::vector<JudgedQuestion>& questions) {
  std::map<schema::Ticket, schema::Reference> references;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    if (questions[i].yardstick == Yardstick::kSelfMade) references[i] = questions[i].reference;
  }
  if (references.empty()) return;
  engine::Engine engine(models.engine, models.anchor, models.tokenizer);
  for (auto& [i, written] :
       WriteRubrics(engine, models.tokenizer, config.synthesis, models.anchor->config().max_position_embeddings,
                    std::move(references), config.seed, on_progress)) {
    if (written.ok()) {
      questions[i].reference = std::move(*written);
    } else {
      questions[i].yardstick = Yardstick::kNone;
    }
  }
}

// Figures by physicians' rubrics and by self-made ones are not to be mixed.
std::vector<data::Row> RowsToJudge(const std::vector<data::Row>& rows, bool rubric_regime) {
  std::vector<data::Row> own;
  if (!rubric_regime) return rows;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(own),
               [](const data::Row& row) { return !data::RowRubric(row.prompt).empty(); });
  return own.empty() ? rows : own;
}

std::vector<std::string> AllTexts(const QuestionTexts& question) {
  std::vector<std::string> texts = question.rollouts;
  if (question.greedy) texts.push_back(*question.greedy);
  for (const auto& [size, synthesis] : question.syntheses) {
    if (synthesis.ok()) texts.push_back(synthesis->text);
  }
  return texts;
}

// The score of each text, before clipping.
Scores ScoresOf(const JudgedQuestion& question, std::size_t num_texts) {
  std::vector<double> points;
  for (const schema::Criterion& criterion : question.reference.rubric) points.push_back(criterion.points);
  if (points.empty()) points.push_back(1);
  std::vector<std::vector<std::optional<bool>>> met(num_texts, std::vector<std::optional<bool>>(points.size()));
  for (const schema::Verdict& verdict : question.verdicts) {
    if (verdict.kind == schema::VerdictKind::kInvalid) continue;
    met.at(verdict.rollout).at(verdict.criterion) = verdict.kind == schema::VerdictKind::kMet;
  }
  Scores scores;
  for (const auto& of_text : met) scores.push_back(answers::PointsScore(points, of_text));
  return scores;
}

// A selected text is one of the rollouts, whose score is known.
std::optional<double> ScoreOfSelected(const QuestionTexts& texts, const JudgedQuestion& question,
                                      const schema::Reference& selected) {
  for (std::size_t i = 0; i < texts.rollouts.size(); ++i) {
    if (answers::WithoutAlternatives(texts.rollouts[i]) == selected.text) return question.rollouts[i];
  }
  return std::nullopt;
}

void Distribute(const QuestionTexts& texts, JudgedQuestion& question) {
  const Scores scores = ScoresOf(question, AllTexts(texts).size());
  auto next = scores.begin() + std::ssize(texts.rollouts);
  question.rollouts.assign(scores.begin(), next);
  if (texts.greedy) question.greedy = *next++;
  for (const auto& [size, synthesis] : texts.syntheses) {
    if (synthesis.ok()) question.syntheses[size] = *next++;
  }
  for (const auto& [kind, by_group] : texts.selections) {
    for (const auto& [size, selected] : by_group) {
      if (selected.ok()) question.selections[kind][size] = ScoreOfSelected(texts, question, *selected);
    }
  }
}

double Clipped(double sum, double count) {
  return std::clamp(sum / count, 0.0, 1.0);
}

// The mean over the questions that have a score, with a bootstrap interval over questions.
Figure Mean(const std::vector<JudgedQuestion>& questions, const EvalConfig& config,
            const std::function<std::optional<double>(const JudgedQuestion&)>& score) {
  std::vector<double> scores;
  for (const JudgedQuestion& question : questions) {
    if (const auto value = score(question)) scores.push_back(*value);
  }
  Figure figure;
  if (scores.empty()) return figure;
  const auto count = static_cast<double>(scores.size());
  double sum = 0;
  for (const double value : scores) sum += value;
  figure.value = Clipped(sum, count);
  if (config.bootstrap_resamples == 0) return figure;
  std::vector<double> means;
  for (int r = 0; r < config.bootstrap_resamples; ++r) {
    base::RandomWalk walk({config.seed, base::RandomStream::kEval, static_cast<std::uint64_t>(r), 0});
    double drawn = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) drawn += scores[walk.Below(scores.size())];
    means.push_back(Clipped(drawn, count));
  }
  std::sort(means.begin(), means.end());
  figure.low = means[static_cast<std::size_t>(0.025 * static_cast<double>(means.size() - 1))];
  figure.high = means[static_cast<std::size_t>(0.975 * static_cast<double>(means.size() - 1))];
  return figure;
}

std::optional<double> MeanOf(const Scores& scores) {
  double sum = 0, count = 0;
  for (const auto& score : scores) {
    if (score) sum += *score, ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

std::optional<double> BestOf(const Scores& scores, int size) {
  std::optional<double> best;
  for (std::size_t i = 0; i < scores.size() && i < static_cast<std::size_t>(size); ++i) {
    if (scores[i] && (!best || *scores[i] > *best)) best = scores[i];
  }
  return best;
}

void CountTexts(const std::vector<JudgedQuestion>& questions, JudgedFigures& figures) {
  double verdicts = 0, invalid = 0;
  for (const JudgedQuestion& question : questions) {
    ++figures.yardsticks[Name(question.yardstick)];
    for (const schema::Verdict& verdict : question.verdicts) {
      ++verdicts;
      invalid += verdict.kind == schema::VerdictKind::kInvalid;
    }
    const auto count = [&](const std::optional<double>& score) { figures.unscored += !score; };
    for (const auto& score : question.rollouts) count(score);
    for (const auto& [size, score] : question.syntheses) count(score);
  }
  if (verdicts > 0) figures.invalid = invalid / verdicts;
}

JudgedFigures Tabulate(const std::vector<JudgedQuestion>& questions, const EvalConfig& config) {
  JudgedFigures figures;
  figures.questions = std::ssize(questions);
  figures.group_sizes = config.group_sizes;
  CountTexts(questions, figures);
  figures.single = Mean(questions, config, [](const JudgedQuestion& question) { return MeanOf(question.rollouts); });
  figures.greedy = Mean(questions, config, [](const JudgedQuestion& question) { return question.greedy; });
  for (const estimators::EstimatorKind kind : config.estimators) {
    if (estimators::IsSelection(kind)) figures.selections.emplace_back(kind, FiguresByGroup());
  }
  for (const int size : config.group_sizes) {
    figures.synthesis[size] = Mean(questions, config, [size](const JudgedQuestion& question) {
      const auto found = question.syntheses.find(size);
      return found == question.syntheses.end() ? std::nullopt : found->second;
    });
    for (auto& [kind, by_group] : figures.selections) {
      by_group[size] = Mean(questions, config, [size, kind = kind](const JudgedQuestion& question) {
        const auto of_kind = question.selections.find(kind);
        if (of_kind == question.selections.end() || !of_kind->second.contains(size)) return std::optional<double>();
        return of_kind->second.at(size);
      });
    }
    figures.best_of[size] =
        Mean(questions, config, [size](const JudgedQuestion& question) { return BestOf(question.rollouts, size); });
  }
  return figures;
}

std::string Column(const Figure& figure) {
  if (!figure.value) return base::Format("{:>14}", "-");
  if (!figure.low || !figure.high) return base::Format("{:>14.1f}", 100 * *figure.value);
  return base::Format("{:>7.1f} ± {:>4.1f}", 100 * *figure.value, 50 * (*figure.high - *figure.low));
}

json::Json Record(const QuestionTexts& texts, const JudgedQuestion& question) {
  json::Json record = {{"id", texts.id}, {"prompt", texts.prompt}, {"rollouts", texts.rollouts}};
  record["greedy"] = json::OrNull(texts.greedy);
  record["syntheses"] = json::Json::object();
  for (const auto& [size, synthesis] : texts.syntheses) {
    json::Json& entry = record["syntheses"][std::to_string(size)];
    entry["text"] = synthesis.ok() ? json::Json(synthesis->text) : json::Json();
    if (!synthesis.ok()) entry["failure"] = synthesis.failure().reason;
    const auto score = question.syntheses.find(size);
    if (score != question.syntheses.end()) entry["score"] = json::OrNull(score->second);
  }
  record["yardstick"] = Name(question.yardstick);
  record["reference"] = question.reference.text;
  record["rubric"] = json::Json::array();
  record["rubric_points"] = json::Json::array();
  for (const schema::Criterion& criterion : question.reference.rubric) {
    record["rubric"].push_back(criterion.text);
    record["rubric_points"].push_back(criterion.points);
  }
  record["scores"] = json::Json::array();
  for (const auto& score : question.rollouts) record["scores"].push_back(json::OrNull(score));
  record["greedy_score"] = json::OrNull(question.greedy);
  record["verdicts"] = json::Json::array();
  for (const schema::Verdict& verdict : question.verdicts) {
    record["verdicts"].push_back({{"text", verdict.rollout},
                                  {"criterion", verdict.criterion},
                                  {"verdict", schema::Name(verdict.kind)},
                                  {"reason", verdict.reason}});
  }
  return record;
}

}  // namespace

const char* Name(Yardstick yardstick) {
  switch (yardstick) {
    case Yardstick::kNone:
      return "none";
    case Yardstick::kOwnRubric:
      return "own_rubric";
    case Yardstick::kLabel:
      return "label";
    case Yardstick::kSelfMade:
      return "self_made";
  }
  return "unknown";
}

JudgedResult EvaluateJudged(const std::vector<data::Row>& all_rows, const Models& models, const EvalConfig& config,
                            const Judging& judging, const OnProgress& on_progress) {
  EvalConfig texts_only = config;
  texts_only.texts_only = true;
  texts_only.synthesis.rubric.reset();  // a synthesis counts whether or not criteria can be made of it
  const auto rows = RowsToJudge(all_rows, judging.by_rubric);
  std::vector<std::optional<schema::Target>> labels(rows.size());  // before the work: some may be wrong
  for (std::size_t i = 0; i < rows.size() && !judging.by_rubric; ++i) labels[i] = judging.label(rows[i]);
  JudgedResult result;
  result.texts = Evaluate(rows, models, texts_only, on_progress);
  const auto& texts = result.texts.texts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    result.questions.push_back(Measured(rows[i], labels[i], texts[i], judging.by_rubric));
  }
  if (judging.by_rubric) WriteOwnRubrics(models, config, on_progress, result.questions);
  std::vector<schema::JudgeRequest> requests;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    JudgedQuestion& question = result.questions[i];
    if (question.yardstick == Yardstick::kNone) continue;
    if (question.yardstick != Yardstick::kLabel) question.target = schema::TargetOf(question.reference);
    requests.push_back(MakeJudgeRequest(i, question.target, AllTexts(texts[i])));
  }
  for (schema::JudgeReply& reply : judging.judge(std::move(requests))) {
    JudgedQuestion& question = result.questions.at(reply.ticket);
    question.verdicts = std::move(reply.verdicts);
    Distribute(result.texts.texts[reply.ticket], question);
  }
  result.figures = Tabulate(result.questions, config);
  result.figures.left_out = std::ssize(all_rows) - std::ssize(rows);
  return result;
}

json::Json ToJson(const JudgedFigures& figures) {
  json::Json value = {{"questions", figures.questions},
                      {"yardsticks", figures.yardsticks},
                      {"single", Value(figures.single)},
                      {"greedy", Value(figures.greedy)}};
  json::Json intervals = {{"single", Interval(figures.single)}, {"greedy", Interval(figures.greedy)}};
  for (const int size : figures.group_sizes) {
    const std::string key = std::to_string(size);
    value["synthesis"][key] = Value(figures.synthesis.at(size));
    value["best_of"][key] = Value(figures.best_of.at(size));
    for (const auto& [kind, by_group] : figures.selections) {
      value[Name(kind)][key] = Value(by_group.at(size));
      intervals[Name(kind)][key] = Interval(by_group.at(size));
    }
    intervals["synthesis"][key] = Interval(figures.synthesis.at(size));
    intervals["best_of"][key] = Interval(figures.best_of.at(size));
  }
  value["intervals"] = std::move(intervals);
  value["left_out"] = figures.left_out;
  value["invalid_verdicts"] = figures.invalid;
  value["unscored"] = figures.unscored;
  return value;
}

std::string ToTable(const JudgedFigures& figures) {
  std::string table = base::Format("{} questions;", figures.questions);
  for (const auto& [name, count] : figures.yardsticks) table += base::Format(" {}: {}", name, count);
  if (figures.left_out > 0) table += base::Format(" left out (no full rubric): {}", figures.left_out);
  table += base::Format("\njudged score, per cent ± half of the 95 % interval\n{:<22}", "G");
  for (const int size : figures.group_sizes) table += base::Format("{:>14}", size);
  table += base::Format("\n{:<22}{}\n{:<22}{}\n{:<22}", "single", Column(figures.single), "greedy",
                        Column(figures.greedy), "synthesis");
  for (const int size : figures.group_sizes) table += Column(figures.synthesis.at(size));
  for (const auto& [kind, by_group] : figures.selections) {
    table += base::Format("\n{:<22}", Name(kind));
    for (const int size : figures.group_sizes) table += Column(by_group.at(size));
  }
  table += base::Format("\n{:<22}", "best of");
  for (const int size : figures.group_sizes) table += Column(figures.best_of.at(size));
  table += base::Format("\ninvalid verdicts: {:.1f} %; texts without a score: {}\n", 100 * figures.invalid,
                        figures.unscored);
  return table;
}

void WriteRecords(const JudgedResult& result, const std::filesystem::path& file) {
  std::string lines;
  for (std::size_t i = 0; i < result.questions.size(); ++i)
    lines += json::Dump(Record(result.texts.texts[i], result.questions[i])) + '\n';
  json::WriteFile(file, lines);
}

}  // namespace autodidact::evaluation
