// A judge behind an OpenAI-compatible HTTP endpoint.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "judge_service/endpoint_talk.h"

namespace autodidact::judge_service {

struct EndpointConfig {
  TalkConfig talk;
  std::string base_url;                // "http://127.0.0.1:8000/v1"
  std::string api_key;                 // sent as a bearer token; empty: none. It is never logged and in no reason
  std::int64_t concurrency = 8;        // calls at once
  base::Milliseconds timeout{60'000};  // of one call
  std::int64_t retries = 5;            // of one call that failed on the way
  base::Milliseconds backoff{500};     // before the first retry, doubled each time, with jitter
  base::Milliseconds max_backoff{30'000};
  std::uint64_t seed = 0;  // of the jitter
};

// Retry-After is honoured up to this.
inline constexpr std::chrono::minutes kLongestRetryAfter{10};

// One call per task. A call that fails on the way (429, 408, 5xx, time-out, no or a cut connection) is tried again
// after a pause, Retry-After for all calls; when its retries are used up, or on any other status, its items are
// invalid and not asked again. A reply that is not in the protocol is an invalid opinion that may be retried. Calls go
// on inside Step only. Redirects are not followed.
std::unique_ptr<Backend> MakeEndpointBackend(EndpointConfig config);

}  // namespace autodidact::judge_service
