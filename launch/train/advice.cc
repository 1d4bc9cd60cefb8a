#include "launch/train/advice.h"

#include <string_view>
#include <vector>

#include "base/format.h"
#include "launch/wiring/judge.h"
#include "schema/types.h"

namespace autodidact::launch {
namespace {

using learner::Lesson;

std::string Told(std::string_view key, std::string_view advice) {
  return base::Format("{}: {}", key, advice);
}

// What to do about the words of another room's failure: the first hint that fits.
std::string FirstHint(const std::vector<Hint>& hints, std::string_view reason, const Hint& otherwise) {
  for (const Hint& hint : hints) {
    if (reason.find(hint.words) != std::string_view::npos) return Told(hint.key, hint.advice);
  }
  return Told(otherwise.key, otherwise.advice);
}

constexpr Hint kExtractorHint = {
    "answer", "answer.extractor",
    "no text has an answer in this form; let prompt.text and anchor.instruction ask for it, or name another form"};

std::string NotSampled(std::string_view reason) {
  static const std::vector<Hint> kHints = {
      {"the cache holds", "engine.cache_tokens", "it is too small for one prompt"},
      {"max_rows", "engine.max_rows", "it must be at least train.num_generations"},
      {"context", "data.train", "shorten the prompts (prompt.text, prompt.system), or take a model of longer context"},
      {"lease", "timeouts.lease", "actors do not bring their groups back in this time"},
  };
  return FirstHint(kHints, reason, {"", "data.train", "the prompts cannot be given to the model"});
}

std::string NoReference(const RunConfig& config, std::string_view reason) {
  static const std::vector<Hint> kHints = {
      {schema::kNoRubric, "rubric.format",
       "what the anchor writes is no rubric; see rubric.instruction and its examples"},
      {"verifier", "answer.verifier", "the program does not answer"},
      {"fit into a prompt", "anchor.context", "raise it, or lower rollout.max_completion_length"},
      {"do not fit into the model's context", "estimator", "the group is longer than the model's context"},
      {"heading", "anchor.heading", "the anchor does not write it; let anchor.instruction ask for it"},
      {"answer", kExtractorHint.key, kExtractorHint.advice},
      {"label", "data.labels", "the rows hold no answer (data.answer, data.answers name its column)"},
      {"rubric", "data.train", "the rows hold no rubric"},
      {"the cache holds", "engine.cache_tokens", "it is too small for one prompt of the anchor"},
      {"context", "anchor.context", "raise it, or lower rollout.max_completion_length"},
  };
  if (config.estimator != estimators::EstimatorKind::kSynthesis)
    return FirstHint(kHints, reason, {"", "estimator", "it gives no reference"});
  return FirstHint(kHints, reason, {"", "placement.anchors", "no anchor answers within timeouts.call; see its log"});
}

std::string NoReward(const RunConfig& config, std::string_view reason) {
  if (!config.judge.by_program()) {
    const BackendFacts& backend = BackendFactsOf(config.judge.backend);
    return FirstHint(backend.hints, reason, backend.otherwise);
  }
  static const std::vector<Hint> kHints = {
      {"could be compared", "answer.comparator",
       "the answers have no value that it can compare; see them in rollouts/"},
      {"verifier", "answer.verifier", "the program does not answer; try it by hand with one line of JSON"},
      {"answer", kExtractorHint.key, kExtractorHint.advice},
      {"inputs", "answer.code.inputs", "there is nothing to run the programs on"},
  };
  const char* key = config.answer.programs() ? "answer.code" : "placement.judges";
  return FirstHint(kHints, reason, {"", key, "the answers cannot be judged"});
}

// What says no, or the same, to every answer.
std::string Judging(const RunConfig& config) {
  if (!config.judge.by_program()) {
    return Told(BackendFactsOf(config.judge.backend).key,
                "the judge makes no difference between the answers (judge.instruction, judge.system)");
  }
  if (config.answer.programs()) {
    return Told("answer.comparator", "no program does what is asked; see reward and reason in rollouts/");
  }
  if (!config.answer.verifier.command.empty())
    return Told("answer.verifier", "try it by hand with an answer that is right");
  if (!config.data.references.empty()) return Told("data.references", "no answer equals its reference");
  return Told("answer.comparator", "no answer equals its reference; see the two beside each other in rollouts/");
}

std::string AllRight(const RunConfig& config, const learner::Lessons& lessons) {
  if (lessons.one_text()) {
    return "nothing is left to learn from these prompts, or what is sampled is one text over and over; " +
           Told("rollout.temperature", base::Format("got {}", config.rollout.temperature));
  }
  return "nothing is left to learn from these prompts, or what gives the rewards says yes to everything; " +
         Judging(config);
}

std::string AllWrong(const RunConfig& config, const learner::Lessons& lessons, std::int64_t answered) {
  const bool cut = 2 * lessons.cut_rollouts() >= lessons.rollouts();
  if (config.judge.by_program() && !config.answer.programs() && answered == 0) {
    if (cut) {
      return Told(
          "rollout.max_completion_length",
          base::Format("{} of {} rollouts are cut before they have an answer in the form of answer.extractor: {}",
                       lessons.cut_rollouts(), lessons.rollouts(), base::NameIn(config.answer.extractor)));
    }
    return Told("answer.extractor", base::Format("no rollout has an answer in the form \"{}\"; let prompt.text ask for "
                                                 "it, or name another form",
                                                 base::NameIn(config.answer.extractor)));
  }
  if (config.judge.by_program() && lessons.cut_rollouts() == lessons.rollouts()) {
    return Told("rollout.max_completion_length",
                base::Format("got {}, at which every rollout is cut", config.rollout.max_new_tokens));
  }
  return Judging(config);
}

}  // namespace

std::string WhyNothingIsTaught(const RunConfig& config, const learner::Lessons& lessons, std::int64_t answered) {
  const Lesson lack = lessons.all_right() ? Lesson::kAllRight : lessons.CommonestLack();
  const std::string reason = lessons.CommonestReason(lack);
  const auto say = [&](const char* what, const std::string& advice) {
    const std::string because = reason.empty() ? "" : base::Format(" ({})", reason);
    return base::Format("{} of {} groups {}{}; {}", lessons.Count(lack), lessons.groups(), what, because, advice);
  };
  switch (lack) {
    case Lesson::kSpread:
      return "it teaches";
    case Lesson::kNoGradient:
      return say("have rewards that differ, but no gradient",
                 Told("train.importance_sampling", "clip_min and clip_max leave out every token"));
    case Lesson::kNotSampled:
      return say("were not sampled", NotSampled(reason));
    case Lesson::kNoReference:
      return say("have no reference", NoReference(config, reason));
    case Lesson::kNoReward:
      return say("have fewer than two rewards", NoReward(config, reason));
    case Lesson::kAllRight:
      return say("have the full reward for every rollout", AllRight(config, lessons));
    case Lesson::kSameText:
      return say("are one text over and over",
                 Told("rollout.temperature", base::Format("got {}; raise it (and top_k, top_p, max_completion_length)",
                                                          config.rollout.temperature)));
    case Lesson::kAllWrong:
      return say("have no rollout with a reward above 0", AllWrong(config, lessons, answered));
    case Lesson::kAllEqual:
      return say("have one reward for all rollouts", Judging(config));
  }
  return "unknown";
}

}  // namespace autodidact::launch
