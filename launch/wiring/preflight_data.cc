#include <algorithm>
#include <limits>

#include "answers/label.h"
#include "base/error.h"
#include "base/format.h"
#include "estimators/rubric.h"
#include "json/json.h"
#include "launch/wiring/preflight_checks.h"
#include "launch/wiring/wiring.h"

namespace autodidact::launch {
namespace {

constexpr std::size_t kNamed = 3;  // of many rows

}  // namespace

void Try(Preflight& found, const std::string& what, const std::function<void()>& check) {
  try {
    check();
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::kBadInput) throw;
    found.errors.push_back(what.empty() ? error.message() : what + ": " + error.message());
  }
}

std::string Some(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kNamed); ++i) list += (i > 0 ? ", " : "") + names[i];
  return names.size() > kNamed ? base::Format("{} and {} more", list, names.size() - kNamed) : list;
}

std::int64_t CheckPrompts(const std::vector<data::Row>& rows, const std::string& file, const Room& room,
                          const std::function<std::vector<schema::TokenId>(const schema::Prompt&)>& render,
                          Preflight& found) {
  const std::int64_t limit = std::min(room.context > 0 ? room.context : std::numeric_limits<std::int64_t>::max(),
                                      std::max<std::int64_t>(room.cache, 1));
  std::vector<std::string> unreadable, too_long, tight;
  std::string why;
  std::int64_t longest = 0;
  for (const data::Row& row : rows) {
    std::int64_t length = 0;
    try {
      length = static_cast<std::int64_t>(render(row.prompt).size());
    } catch (const base::Error& error) {
      if (unreadable.empty()) why = error.message();
      unreadable.push_back(row.prompt.id);
      continue;
    }
    longest = std::max(longest, length);
    if (length >= limit) {
      too_long.push_back(row.prompt.id);
    } else if (room.context > 0 && length + room.max_completion > room.context) {
      tight.push_back(row.prompt.id);
    }
  }
  if (!unreadable.empty()) {
    found.errors.push_back(base::Format("{}: row {}: {} of {} prompts cannot be given to the model: {}", file,
                                        Some(unreadable), unreadable.size(), rows.size(), why));
  }
  const char* limited_by = limit == room.context ? "the model's context" : "engine.cache_tokens";
  if (!too_long.empty()) {
    const std::string text = base::Format(
        "{}: row {}: {} of {} prompts do not fit into {} of {} tokens (the longest has {}); shorten or leave them out, "
        "or "
        "take a model of longer context",
        file, Some(too_long), too_long.size(), rows.size(), limited_by, limit, longest);
    (too_long.size() == rows.size() ? found.errors : found.warnings).push_back(text);
  }
  if (!tight.empty()) {
    found.warnings.push_back(base::Format(
        "{}: row {}: {} of {} prompts leave less than rollout.max_completion_length ({}) of the model's context of {} "
        "tokens: their answers are cut there",
        file, Some(tight), tight.size(), rows.size(), room.max_completion, room.context));
  }
  return longest;
}

void CheckRepeats(const RunConfig& config, std::int64_t rows, Preflight& found) {
  const std::int64_t groups = config.train.groups_per_step;
  if (rows == 0 || groups <= rows) return;
  found.warnings.push_back(
      base::Format("train.groups_per_step: got {}, but there are {} rows to train on ({}), so that each step takes a "
                   "prompt up to {} "
                   "times; lower it to {}, or give more rows",
                   groups, rows, config.data.train, (groups + rows - 1) / rows, rows));
}

void CheckLabels(const std::vector<data::Row>& rows, const std::string& file, answers::Extractor extractor,
                 bool required, Preflight& found) {
  std::vector<std::string> without, unread;
  std::string example;
  std::size_t labelled = 0;
  for (const data::Row& row : rows) {
    const std::string place = row.where.empty() ? file + ": row " + row.prompt.id : row.where;
    const bool none = row.answers.empty();
    if (none || !row.empty_label.empty()) {
      without.push_back(place + (row.empty_label.empty() ? "" : " (" + row.empty_label + ")"));
    }
    if (none) continue;
    ++labelled;
    if (!answers::ReferenceAnswers(extractor, answers::LabelText(extractor, row.answers)).empty()) continue;
    if (unread.empty()) {
      example = base::Format("{} {}", json::Describe(json::Json(row.answers.front())),
                             answers::WhyNoLabel(extractor, row.answers.front()));
    }
    unread.push_back(place);
  }
  if (required && !without.empty()) {
    found.errors.push_back(
        base::Format("{}: {} of {} rows have no label to compare with, or an empty one; expected an answer in each "
                     "(data.answer, data.answers name its column, data.labels a file)",
                     Some(without), without.size(), rows.size()));
  }
  if (unread.empty()) return;
  const std::string text = base::Format(
      "{}: {} of {} labels hold no answer in the form \"{}\": {}; expected one that answer.extractor finds",
      Some(unread), unread.size(), rows.size(), base::NameIn(extractor), example);
  (required || unread.size() == labelled ? found.errors : found.warnings).push_back(text);
}

void CheckReferences(const std::vector<data::Row>& rows, const std::string& file, answers::Extractor extractor,
                     Preflight& found) {
  std::vector<std::string> unread;
  for (const data::Row& row : rows) {
    if (row.reference && answers::ReferenceAnswers(extractor, *row.reference).empty()) unread.push_back(row.prompt.id);
  }
  if (unread.empty()) return;
  const std::string text = base::Format(
      "{}: row {}: {} of {} references hold no answer in the form \"{}\", so their groups have no reward; "
      "answer.extractor must be the one that they were made with",
      file, Some(unread), unread.size(), rows.size(), base::NameIn(extractor));
  (unread.size() == rows.size() ? found.errors : found.warnings).push_back(text);
}

namespace {

std::int64_t TokensAround(estimators::SynthesisPrompt prompt, const text::Tokenizer& tokenizer, std::int64_t count) {
  prompt.order = estimators::CandidateOrder::kGiven;  // equal texts stay as many as they are
  const std::vector<std::string> candidates(static_cast<std::size_t>(count));
  return std::ssize(estimators::EncodeSynthesisPrompt(prompt, tokenizer, candidates));
}

void CheckGroupRoom(const RunConfig& config, const estimators::SynthesisPrompt& prompt,
                    const text::Tokenizer& tokenizer, std::int64_t context, Preflight& found) {
  const std::int64_t answer = config.anchor.sampling.max_new_tokens;
  const std::int64_t candidate = config.rollout.max_new_tokens;
  const std::int64_t group = config.train.num_generations;
  const std::int64_t room = context - answer;
  const std::int64_t around_two = TokensAround(prompt, tokenizer, 2);
  if (room < around_two + 2) {
    found.errors.push_back(base::Format(
        "anchor.context: got {} tokens, of which anchor.sampling.max_completion_length takes {} and the instruction "
        "with "
        "two candidates {} before their texts: no group fits; lower the one, shorten the other, or raise the context "
        "(0: the model's own)",
        context, answer, around_two));
    return;
  }
  const std::int64_t each = (room - around_two) / 2;
  if (each < candidate) {
    found.warnings.push_back(base::Format(
        "anchor.context: two candidates of rollout.max_completion_length ({}) do not fit beside an answer of {} into "
        "{} "
        "tokens: a group gets no reference where they have more than about {}; lower rollout.max_completion_length or "
        "anchor.sampling.max_completion_length, or raise the context",
        candidate, answer, context, each));
    return;
  }
  if (TokensAround(prompt, tokenizer, group) + group * candidate <= room) return;
  const std::int64_t one_more = TokensAround(prompt, tokenizer, 3) - around_two;
  const std::int64_t fit = 2 + (room - around_two - 2 * candidate) / std::max<std::int64_t>(1, one_more + candidate);
  found.notes.push_back(
      base::Format("anchor.context: {} candidates of up to {} tokens do not fit into {} tokens at once: long groups "
                   "are reconciled in "
                   "stages, {} at a time",
                   group, candidate, context, std::min(fit, group - 1)));
}

void CheckRubricRoom(const RunConfig& config, const estimators::RubricConfig& rubric, const text::Tokenizer& tokenizer,
                     std::int64_t context, Preflight& found) {
  const std::int64_t room =
      context - rubric.sampling.max_new_tokens - std::ssize(estimators::EncodeRubricPrompt(rubric, tokenizer, ""));
  const std::int64_t reference = config.anchor.sampling.max_new_tokens;
  if (room >= reference) return;
  const std::string text = base::Format(
      "rubric.sampling.max_completion_length: {} tokens and the instruction leave {} of the anchor's context of {} for "
      "a "
      "reference, which may have {} (anchor.sampling.max_completion_length)",
      rubric.sampling.max_new_tokens, std::max<std::int64_t>(0, room), context, reference);
  (room < 1 ? found.errors : found.warnings).push_back(text);
}

}  // namespace

void CheckAnchorRoom(const RunConfig& config, const estimators::SynthesisConfig& synthesis,
                     const text::Tokenizer& tokenizer, std::int64_t context, Preflight& found) {
  const std::int64_t limit = context > 0 ? context : std::numeric_limits<std::int64_t>::max();
  Try(found, "anchor.instruction", [&] { CheckGroupRoom(config, synthesis.prompt, tokenizer, limit, found); });
  if (!synthesis.rubric) return;
  Try(found, "rubric.instruction", [&] { CheckRubricRoom(config, *synthesis.rubric, tokenizer, limit, found); });
}

}  // namespace autodidact::launch
