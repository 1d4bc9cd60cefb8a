#include "estimators/synthesizer.h"

#include <utility>

#include "base/check.h"
#include "base/format.h"
#include "base/rng.h"
#include "estimators/rubric.h"

namespace autodidact::estimators {
namespace {

constexpr std::uint32_t kMaxRubricTries = 2;

// The engine's ticket of one part of a stage: the ticket itself for the first prompt, a number of its own for others,
// so that no two prompts share their random numbers.
schema::Ticket PartTicket(schema::Ticket ticket, base::RandomStream stream, std::uint32_t stage, std::size_t part) {
  if (stream == base::RandomStream::kSynthesis && stage == 1 && part == 0) return ticket;
  const base::RandomKey key{ticket, stream, stage, static_cast<std::uint32_t>(part)};
  return base::BitsAt(key, 0) | (std::uint64_t{1} << 63);
}

}  // namespace

Synthesizer::Synthesizer(engine::Engine& engine, const text::Tokenizer& tokenizer, const SynthesisConfig& config,
                         std::int64_t context, std::uint64_t seed)
    : engine_(engine), tokenizer_(tokenizer), config_(config), context_(context), seed_(seed) {
  if (config_.rubric) Validate(*config_.rubric);
}

void Synthesizer::Add(schema::Ticket ticket, std::vector<std::string> candidates) {
  Running running{SynthesisPlan(config_, tokenizer_, std::move(candidates), context_)};
  if (running.plan->prompts().empty()) {
    finished_.push_back({ticket, running.plan->result()});
    return;
  }
  Submit(ticket, Insert(ticket, std::move(running)));
}

void Synthesizer::AddReference(schema::Ticket ticket, schema::Reference reference) {
  AD_CHECK(config_.rubric.has_value(), "a rubric of ticket {} is asked for, but none is configured", ticket);
  Running running;
  running.reference = std::move(reference);
  SubmitRubric(ticket, Insert(ticket, std::move(running)));
}

Synthesizer::Running& Synthesizer::Insert(schema::Ticket ticket, Running running) {
  const auto [at, is_new] = running_.emplace(ticket, std::move(running));
  AD_CHECK(is_new, "ticket {} is being synthesized already", ticket);
  return at->second;
}

std::vector<Synthesizer::Finished> Synthesizer::Step() {
  if (!engine_.idle()) {
    for (engine::GroupResult& result : engine_.Step()) Take(std::move(result));
  }
  return std::exchange(finished_, {});
}

void Synthesizer::Submit(schema::Ticket ticket, Running& running) {
  const auto& prompts = running.plan->prompts();
  running.generations.assign(prompts.size(), base::Failure{});
  running.missing = prompts.size();
  for (std::size_t part = 0; part < prompts.size(); ++part) {
    engine::GroupRequest request;
    request.ticket = PartTicket(ticket, base::RandomStream::kSynthesis, running.plan->stage(), part);
    request.prompt_ids = prompts[part];
    request.sampling = config_.sampling;
    request.seed = seed_;
    request.stream = base::RandomStream::kSynthesis;
    places_[request.ticket] = {ticket, part};
    engine_.Add(std::move(request));
  }
}

void Synthesizer::Take(engine::GroupResult result) {
  const auto place = places_.find(result.ticket);
  AD_CHECK(place != places_.end(), "the engine returned ticket {}, which nobody asked for", result.ticket);
  const auto [ticket, part] = place->second;
  places_.erase(place);
  Running& running = running_.at(ticket);
  base::Outcome<std::string> text = base::Failure{};
  if (result.group.ok()) {
    text = std::move(result.group->rollouts.front().text);
  } else {
    text = result.group.failure();
  }
  if (running.rubric_tries > 0) return TakeRubric(ticket, running, text);
  running.generations[part] = std::move(text);
  if (--running.missing > 0) return;
  if (!running.plan->Advance(running.generations)) {
    Submit(ticket, running);
  } else if (running.plan->result().ok() && config_.rubric) {
    running.reference = *running.plan->result();
    SubmitRubric(ticket, running);
  } else {
    Finish(ticket, running.plan->result());
  }
}

void Synthesizer::SubmitRubric(schema::Ticket ticket, Running& running) {
  const RubricConfig& rubric = *config_.rubric;
  ++running.rubric_tries;
  engine::GroupRequest request;
  try {
    request.prompt_ids = EncodeRubricPrompt(rubric, tokenizer_, running.reference.text);
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::kBadInput) throw;
    return Finish(ticket, base::Failure{error.kind(), std::string(schema::kNoRubric) + error.message()});
  }
  request.sampling = rubric.sampling;
  if (running.rubric_tries > 1 && request.sampling.temperature == 0) {
    request.sampling.temperature = rubric.retry_temperature;
  }
  const auto tokens = static_cast<std::int64_t>(request.prompt_ids.size()) + request.sampling.max_new_tokens;
  if (context_ > 0 && tokens > context_) {
    return Finish(ticket, base::Failure{base::ErrorKind::kBadInput,
                                        base::Format("{}prompt and rubric need {} tokens of a context of {}",
                                                     schema::kNoRubric, tokens, context_)});
  }
  request.ticket = PartTicket(ticket, base::RandomStream::kRubric, running.rubric_tries, 0);
  request.seed = seed_;
  request.stream = base::RandomStream::kRubric;
  places_[request.ticket] = {ticket, 0};
  engine_.Add(std::move(request));
}

void Synthesizer::TakeRubric(schema::Ticket ticket, Running& running, const base::Outcome<std::string>& written) {
  schema::Reference reference = running.reference;
  base::Outcome<std::vector<schema::Criterion>> criteria = base::Failure{};
  if (written.ok()) {
    criteria = ParseRubric(*config_.rubric, *written, NeededCriteria(*config_.rubric, reference.text));
  } else {
    criteria = written.failure();
  }
  if (criteria.ok()) {
    reference.rubric = std::move(*criteria);
    Finish(ticket, std::move(reference));
  } else if (running.rubric_tries < kMaxRubricTries) {
    SubmitRubric(ticket, running);
  } else {
    Finish(ticket, base::Failure{criteria.failure().kind, std::string(schema::kNoRubric) + criteria.failure().reason});
  }
}

void Synthesizer::Finish(schema::Ticket ticket, base::Outcome<schema::Reference> reference) {
  finished_.push_back({ticket, std::move(reference)});
  running_.erase(ticket);
}

}  // namespace autodidact::estimators
