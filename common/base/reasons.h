// Failures counted by their reasons.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace autodidact::base {

// Reasons that differ in their numbers alone ("the prompt has 612 tokens") are one. A value type; one thread.
class Reasons {
 public:
  void Add(const std::string& reason) { Add(reason, 1); }
  void Add(const Reasons& other);

  std::int64_t total() const { return total_; }
  // In the words of its first occurrence; empty for none. The alphabet decides between two that are as common.
  std::string Commonest() const;

 private:
  struct Known {
    std::string first;
    std::int64_t count = 0;
  };
  void Add(const std::string& reason, std::int64_t count);

  std::map<std::string, Known> known_;  // by the reason without its numbers
  std::int64_t total_ = 0;
};

}  // namespace autodidact::base
