// Verdicts that need not be asked for again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "judge_service/backend.h"

namespace autodidact::judge_service {

// Keyed by judge, kind of question, item and response; the oldest verdict goes when it is full. Holds valid verdicts
// only. One thread.
class VerdictCache {
 public:
  explicit VerdictCache(std::size_t capacity) : capacity_(capacity) {}

  std::optional<ItemVerdict> Find(std::string_view judge, std::string_view item, std::string_view response) const;
  void Put(std::string_view judge, std::string_view item, std::string_view response, ItemVerdict verdict);
  std::size_t size() const { return verdicts_.size(); }

 private:
  const std::size_t capacity_;
  std::unordered_map<std::string, ItemVerdict> verdicts_;  // by 16 bytes of checksums
  std::deque<std::string> order_;                          // the oldest first
};

}  // namespace autodidact::judge_service
