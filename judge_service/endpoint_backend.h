// A judge behind an OpenAI-compatible HTTP endpoint.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "judge_service/backend.h"
#include "judge_service/config.h"

namespace autodidact::judge_service {

// Retry-After is honoured up to this.
inline constexpr std::chrono::minutes kLongestRetryAfter{10};

// One call per task. A call that fails on the way (429, 408, 5xx, time-out, no or a cut connection) is tried again
// after a pause, Retry-After for all calls; when its retries are used up, or on any other status, its items are
// invalid and not asked again. A reply that is not in the protocol is an invalid verdict that may be retried. Calls go
// on inside Step only. Redirects are not followed.
std::unique_ptr<Backend> MakeEndpointBackend(EndpointConfig config);

}  // namespace autodidact::judge_service
