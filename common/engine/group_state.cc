#include "engine/group_state.h"

#include <algorithm>

#include "base/format.h"

namespace autodidact::engine {
namespace {

base::Failure BadInput(std::string reason) {
  return {base::ErrorKind::kBadInput, std::move(reason)};
}

bool Contains(const std::vector<std::int32_t>& ids, schema::TokenId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

std::int64_t GroupState::num_running() const {
  return std::count_if(rollouts.begin(), rollouts.end(), [](const RolloutState& state) { return state.running; });
}

std::int64_t GroupState::num_pages() const {
  std::int64_t pages = static_cast<std::int64_t>(prompt_pages.size());
  for (const RolloutState& state : rollouts) pages += static_cast<std::int64_t>(state.pages.size());
  return pages;
}

std::int64_t GroupState::new_pages_needed() const {
  std::int64_t pages = 0;
  for (const RolloutState& state : rollouts) {
    // The last of n tokens is written to slot n - 1.
    if (state.running) {
      pages +=
          PagesFor(static_cast<std::int64_t>(state.rollout.ids.size())) - static_cast<std::int64_t>(state.pages.size());
    }
  }
  return pages;
}

void GroupState::Start(PagePool& pool, const text::Tokenizer& tokenizer) {
  pool.Take(PagesFor(prompt_length()), prompt_pages);
  rollouts.resize(request_.num_rollouts);
  for (RolloutState& state : rollouts) {
    state.running = true;
    if (!request_.sampling.stop_strings.empty()) {
      state.stop_text = std::make_unique<StopText>(tokenizer, request_.sampling.stop_strings);
    }
  }
}

void GroupState::Reset(PagePool& pool) {
  pool.Return(prompt_pages);
  for (RolloutState& state : rollouts) pool.Return(state.pages);
  rollouts.clear();
}

void GroupState::Grow(PagePool& pool) {
  for (RolloutState& state : rollouts) {
    if (!state.running) continue;
    const std::int64_t needed = PagesFor(static_cast<std::int64_t>(state.rollout.ids.size()));
    pool.Take(needed - static_cast<std::int64_t>(state.pages.size()), state.pages);
  }
}

DrawSpec GroupState::Draw(std::uint32_t rollout) const {
  DrawSpec draw;
  draw.params = &request_.sampling;
  draw.key = {request_.seed, request_.stream, request_.ticket, rollout};
  draw.position = static_cast<std::uint32_t>(rollouts[rollout].rollout.ids.size());
  draw.prompt = request_.prompt_ids;
  draw.generated = rollouts[rollout].rollout.ids;
  return draw;
}

void GroupState::Accept(std::uint32_t index, const DrawnToken& token, std::uint64_t version,
                        const model::ModelConfig& config, const text::Tokenizer& tokenizer, PagePool& pool) {
  RolloutState& state = rollouts[index];
  schema::Rollout& rollout = state.rollout;
  if (rollout.ids.empty()) rollout.first_version = version;
  rollout.last_version = version;
  rollout.ids.push_back(token.id);
  rollout.logprobs.push_back(token.logprob);
  rollout.sampled_logprobs.push_back(token.sampled_logprob);

  const SamplingParams& sampling = request_.sampling;
  const std::int64_t limit =
      std::min<std::int64_t>(sampling.max_new_tokens, config.max_position_embeddings - prompt_length());
  bool stopped = true;
  bool cut = false;
  if (Contains(config.eos_token_ids, token.id) || Contains(sampling.stop_ids, token.id)) {
    rollout.stop = schema::StopReason::kEndOfText;
  } else if (state.stop_text && state.stop_text->Push(token.id)) {
    rollout.stop = schema::StopReason::kStopString;
    cut = true;
  } else if (static_cast<std::int64_t>(rollout.ids.size()) >= limit) {
    rollout.stop = schema::StopReason::kMaxLength;
  } else {
    stopped = false;
  }
  if (!stopped) return;
  rollout.text = cut ? state.stop_text->Cut() : tokenizer.Decode(rollout.ids);
  state.running = false;
  state.stop_text.reset();
  pool.Return(state.pages);
}

schema::RolloutGroup GroupState::TakeResult() {
  schema::RolloutGroup group;
  group.ticket = request_.ticket;
  group.prompt_ids = request_.prompt_ids;
  for (RolloutState& state : rollouts) group.rollouts.push_back(std::move(state.rollout));
  return group;
}

std::optional<base::Failure> FindMisfit(const GroupRequest& request, const model::ModelConfig& config,
                                        std::int64_t num_pages, std::int64_t max_rows) {
  const std::int64_t length = static_cast<std::int64_t>(request.prompt_ids.size());
  if (length == 0) return BadInput("the prompt has no tokens");
  if (request.num_rollouts == 0) return BadInput("a group of 0 rollouts was asked for");
  if (request.sampling.max_new_tokens < 1) {
    return BadInput(base::Format("max_new_tokens is {}, expected at least 1", request.sampling.max_new_tokens));
  }
  for (const schema::TokenId id : request.prompt_ids) {
    if (id < 0 || id >= config.vocab_size) {
      return BadInput(
          base::Format("the prompt holds token id {}, the model's vocabulary has {}", id, config.vocab_size));
    }
  }
  if (length >= config.max_position_embeddings) {
    return BadInput(
        base::Format("the prompt has {} tokens, the model's context is {}", length, config.max_position_embeddings));
  }
  if (request.num_rollouts > max_rows) {
    return BadInput(base::Format("the group has {} rollouts, max_rows is {}", request.num_rollouts, max_rows));
  }
  if (PagesFor(length) > num_pages) {
    return BadInput(base::Format("the prompt has {} tokens, the cache holds {}", length, num_pages * kTokensPerPage));
  }
  return std::nullopt;
}

}  // namespace autodidact::engine
