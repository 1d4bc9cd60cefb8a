// What is said to an OpenAI-compatible endpoint, and the reading of what it says back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "judge_service/backend.h"
#include "judge_service/config.h"

namespace autodidact::judge_service {

// What an endpoint has said that it does not take.
struct Dialect {
  bool max_completion_tokens = false;  // in the place of max_tokens
  bool no_seed = false;
  bool no_temperature = false;
  bool operator==(const Dialect&) const = default;
};

// The address that chats are posted to: BASE_URL/chat/completions before any query ("?api-version=…"), or BASE_URL
// itself where its path ends so already. Error(kBadInput) for an address without a host, with a port that
// is none, with spaces or a fragment.
std::string ChatUrl(std::string base_url);

// The body of POST BASE_URL/chat/completions: the task's rules as the system turn; response and items as the members of
// one JSON object in the user turn. Inside a JSON string a response has no way to end its own quotation. Retries ask
// at temperature 0.7 with the attempt as the seed.
std::string RequestBody(const TalkConfig& config, const Dialect& dialect, const Task& task);

// The dialect after a refusal (HTTP 400 or 422) with this body: changed where it says that a parameter of ours is not
// supported.
Dialect Adapted(Dialect dialect, std::string_view refusal);

// What a reply's body holds beside its HTTP status 200.
struct ReplyBody {
  long status = 200;    // of an error that was sent as a success: the status that it names, else 502
  std::string error;    // what that error, or a body without a message, says; empty: there is a message
  std::string content;  // the message's text; parts of it are joined
  std::string ending;   // why the text is not whole ("length": max_tokens was reached); empty: it is
};
ReplyBody ReadBody(std::string_view body);

// A message as one verdict per item. It holds one JSON object, or the list in it alone:
//   {"verdicts": [{"criterion": 1, "met": true, "reason": "…"}, …]}
// with one entry for each item, in order; thoughts, fences and sentences around it are passed over (json::FindJson). A
// message without it, or with two that differ (one may be quoted from the response), is a failure (kRetryLater) that
// says why; an entry whose "met" is neither true nor false is an invalid verdict on its item alone.
base::Outcome<std::vector<ItemVerdict>> ReadVerdicts(std::string_view content, std::size_t num_items);

// Both: the verdicts that a reply with status 200 and no error in it holds.
base::Outcome<std::vector<ItemVerdict>> ReadReply(const ReplyBody& reply, const TalkConfig& config,
                                                  std::size_t num_items);

}  // namespace autodidact::judge_service
