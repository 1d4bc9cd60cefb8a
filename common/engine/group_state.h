// A group between Add and its result.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/engine.h"
#include "engine/page_pool.h"
#include "engine/sampling.h"
#include "engine/stop_text.h"

namespace autodidact::engine {

struct RolloutState {
  schema::Rollout rollout;
  std::vector<PageId> pages;            // of its own tokens; given back as soon as it stops
  std::unique_ptr<StopText> stop_text;  // null without stop strings
  bool running = false;
};

// waiting -> running -> finished; running -> waiting when it is preempted, all its tokens forgotten.
class GroupState {
 public:
  GroupState(GroupRequest request, std::uint64_t sequence) : request_(std::move(request)), sequence_(sequence) {}

  const GroupRequest& request() const { return request_; }
  std::uint64_t sequence() const { return sequence_; }  // place in the order of Add
  std::int64_t prompt_length() const { return static_cast<std::int64_t>(request_.prompt_ids.size()); }

  std::optional<base::Failure> failure;
  std::vector<PageId> prompt_pages;
  std::vector<RolloutState> rollouts;
  std::int64_t pages_wanted = 0;  // free pages to wait for before it is admitted

  std::int64_t num_running() const;
  std::int64_t num_pages() const;
  // What the next decode step must allocate.
  std::int64_t new_pages_needed() const;

  void Start(PagePool& pool, const text::Tokenizer& tokenizer);
  // Gives all pages back and forgets all tokens.
  void Reset(PagePool& pool);
  // Takes the pages that the next decode step writes to.
  void Grow(PagePool& pool);

  DrawSpec Draw(std::uint32_t rollout) const;
  // Appends a token; stops the rollout when the token says so.
  void Accept(std::uint32_t rollout, const DrawnToken& token, std::uint64_t version, const model::ModelConfig& config,
              const text::Tokenizer& tokenizer, PagePool& pool);
  // Only when num_running() is 0.
  schema::RolloutGroup TakeResult();

 private:
  GroupRequest request_;
  std::uint64_t sequence_;
};

// Why the group can never be generated with this model and cache; nothing when it can be tried.
std::optional<base::Failure> FindMisfit(const GroupRequest& request, const model::ModelConfig& config,
                                        std::int64_t num_pages, std::int64_t max_rows);

}  // namespace autodidact::engine
