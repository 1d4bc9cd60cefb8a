// What is said to an OpenAI-compatible endpoint, and the strict reading of what it says back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "judge_service/backend.h"

namespace autodidact::judge_service {

struct TalkConfig {
  JudgeKind kind = JudgeKind::kRubric;
  std::string model;   // as the endpoint names it
  std::string system;  // put before the protocol; empty: built in
  std::int64_t max_tokens = 1024;
  std::string extra_body;  // JSON object whose members go into the body; null takes a member out; empty: none
};

// The body of POST BASE_URL/chat/completions: the task's rules as the system turn; response and items as the members of
// one JSON object in the user turn. Inside a JSON string a response has no way to end its own quotation. Retries ask
// at temperature 0.7 with the attempt as the seed.
std::string RequestBody(const TalkConfig& config, const Task& task);

// The reply's body as one opinion per item. The message must be one JSON object (bare, or in one ``` fence), nothing
// before or after it:
//   {"verdicts": [{"criterion": 1, "met": true, "reason": "…"}, …]}
// with one entry for each item, in order. A whole that is not like that is a failure (kRetryLater) that says why; an
// entry whose "met" is neither true nor false is an invalid opinion on its item alone.
base::Outcome<std::vector<Opinion>> ReadReply(std::string_view body, std::size_t num_items);

}  // namespace autodidact::judge_service
