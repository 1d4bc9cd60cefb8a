// The special tokens put around a text.
#pragma once

#include <vector>

#include "text/tokenizer.h"
#include "text/tokenizer_file.h"

namespace autodidact::text {

// Immutable, hence thread-safe.
class PostProcessor {
 public:
  PostProcessor() = default;  // adds nothing
  // The file's "post_processor", which may be null. Error(kBadInput) for a type that is not supported.
  explicit PostProcessor(const Part& part) { Add(part); }

  const std::vector<TokenId>& before() const { return before_; }
  const std::vector<TokenId>& after() const { return after_; }

 private:
  void Add(const Part& part);
  void AddTemplate(const Part& part);

  std::vector<TokenId> before_;
  std::vector<TokenId> after_;
};

}  // namespace autodidact::text
