// Tokens that are found in the text as a whole, before anything else is done to it: "<|eot_id|>", "</think>", ….
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/normalizer.h"
#include "text/regex.h"
#include "text/string_table.h"

namespace autodidact::text {

struct AddedToken {
  TokenId id = kNoToken;
  std::string content;
  bool single_word = false;  // not inside a word
  bool lstrip = false;       // takes the spaces before it along
  bool rstrip = false;       // and those after it
  bool normalized = false;   // looked for in the normalized text
  bool special = false;
};

// A range of the text: a token, or text between tokens (kNoToken).
struct Segment {
  Span span;
  TokenId token = kNoToken;
};

// Finds a set of added tokens, the leftmost first and the longest of those. Immutable, hence thread-safe.
class AddedTokenFinder {
 public:
  AddedTokenFinder() { nodes_.emplace_back(); }

  // `content` is what to look for (normalized, say); an empty one is never found. Later ones replace equal ones.
  void Add(const AddedToken& token, std::string_view content);

  // Appends the segments that cover `text`, none empty. A token of which `refused` says so is not found there.
  using Refused = std::function<bool(const AddedToken& token, const Span& span)>;
  void Split(std::string_view text, std::vector<Segment>* segments, const Refused& refused = nullptr) const;

 private:
  struct Node {
    std::int32_t token = -1;  // index into tokens_
    std::vector<std::pair<unsigned char, std::int32_t>> next;
  };

  std::int32_t Child(std::int32_t node, unsigned char byte) const;
  // The longest token that begins at `position`, and its end; -1 when there is none.
  std::pair<std::int32_t, std::size_t> LongestAt(std::string_view text, std::size_t position,
                                                 const Refused& refused) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_;
  bool begins_[256] = {};
};

// The file's "added_tokens"; a missing list is an empty one.
std::vector<AddedToken> ReadAddedTokens(const Part& file);

}  // namespace autodidact::text
