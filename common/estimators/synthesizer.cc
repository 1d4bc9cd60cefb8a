#include "estimators/synthesizer.h"

#include <utility>

#include "base/check.h"
#include "base/rng.h"

namespace autodidact::estimators {
namespace {

// The engine's ticket of one part of a stage: the ticket itself for the first prompt, a number of its own for others,
// so that no two prompts share their random numbers.
schema::Ticket PartTicket(schema::Ticket ticket, std::uint32_t stage, std::size_t part) {
  if (stage == 1 && part == 0) return ticket;
  const base::RandomKey key{ticket, base::RandomStream::kSynthesis, stage, static_cast<std::uint32_t>(part)};
  return base::BitsAt(key, 0) | (std::uint64_t{1} << 63);
}

}  // namespace

Synthesizer::Synthesizer(engine::Engine& engine, const text::Tokenizer& tokenizer, const SynthesisConfig& config,
                         std::int64_t context, std::uint64_t seed)
    : engine_(engine), tokenizer_(tokenizer), config_(config), context_(context), seed_(seed) {}

void Synthesizer::Add(schema::Ticket ticket, std::vector<std::string> candidates) {
  Running running{SynthesisPlan(config_, tokenizer_, std::move(candidates), context_), {}, 0};
  if (running.plan.prompts().empty()) {
    finished_.push_back({ticket, running.plan.result()});
    return;
  }
  const auto [at, is_new] = running_.emplace(ticket, std::move(running));
  AD_CHECK(is_new, "ticket {} is being synthesized already", ticket);
  Submit(ticket, at->second);
}

std::vector<Synthesizer::Finished> Synthesizer::Step() {
  if (!engine_.idle()) {
    for (engine::GroupResult& result : engine_.Step()) Take(std::move(result));
  }
  return std::exchange(finished_, {});
}

void Synthesizer::Submit(schema::Ticket ticket, Running& running) {
  const auto& prompts = running.plan.prompts();
  running.generations.assign(prompts.size(), base::Failure{});
  running.missing = prompts.size();
  for (std::size_t part = 0; part < prompts.size(); ++part) {
    engine::GroupRequest request;
    request.ticket = PartTicket(ticket, running.plan.stage(), part);
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
  if (result.group.ok()) {
    running.generations[part] = std::move(result.group->rollouts.front().text);
  } else {
    running.generations[part] = result.group.failure();
  }
  if (--running.missing > 0) return;
  if (running.plan.Advance(running.generations)) {
    finished_.push_back({ticket, running.plan.result()});
    running_.erase(ticket);
  } else {
    Submit(ticket, running);
  }
}

}  // namespace autodidact::estimators
