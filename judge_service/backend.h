// What answers yes or no: a model on this engine, or an endpoint.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/metrics.h"
#include "schema/types.h"

namespace autodidact::judge_service {

// One response and what it is held against: criteria, or one reference.
struct Task {
  std::uint64_t id = 0;
  std::string response;
  std::vector<std::string> items;
  std::uint32_t attempt = 1;  // of these items; a backend that samples does so with other random numbers
};

struct ItemVerdict {
  schema::VerdictKind kind = schema::VerdictKind::kInvalid;
  std::string reason;
  bool may_retry = true;  // of an invalid one: another attempt may end differently
};

struct TaskResult {
  std::uint64_t id = 0;
  std::vector<ItemVerdict> verdicts;  // one per item
};

// One thread.
class Backend {
 public:
  Backend() = default;
  virtual ~Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  // Never blocks.
  virtual void Start(Task task) = 0;
  // Works, or waits for what is under way, until something finished or `until` passes (a computation is not broken
  // off).
  virtual std::vector<TaskResult> Step(base::Deadline until) = 0;
  virtual bool idle() const = 0;
  // Names the judge: equal identities give equal verdicts, as far as the judge is deterministic.
  virtual const std::string& identity() const = 0;
};

}  // namespace autodidact::judge_service
