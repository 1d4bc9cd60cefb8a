#include "text/added_tokens.h"

#include <algorithm>

#include "base/format.h"
#include "text/unicode.h"

namespace autodidact::text {
namespace {

bool IsWordChar(char32_t character) {
  static const Regex kWord(base::Format("[{}]", kWordClass), "built-in pattern");
  std::string text;
  AppendUtf8(character, &text);
  std::vector<Span> matches;
  kWord.FindAll(text, &matches);
  return !matches.empty();
}

// The last character's begin, of text that is not empty.
std::size_t LastChar(std::string_view text) {
  std::size_t begin = text.size() - 1;
  while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
  return begin;
}

bool StandsAlone(std::string_view text, std::size_t begin, std::size_t end) {
  if (begin > 0) {
    std::size_t position = LastChar(text.substr(0, begin));
    if (IsWordChar(NextChar(text, &position))) return false;
  }
  if (end == text.size()) return true;
  std::size_t position = end;
  return !IsWordChar(NextChar(text, &position));
}

std::size_t SkipSpacesLeft(std::string_view text, std::size_t begin, std::size_t limit) {
  while (begin > limit) {
    const std::size_t last = LastChar(text.substr(0, begin));
    std::size_t position = last;
    if (last < limit || !IsSpace(NextChar(text, &position))) break;
    begin = last;
  }
  return begin;
}

std::size_t SkipSpacesRight(std::string_view text, std::size_t end) {
  while (end < text.size()) {
    std::size_t position = end;
    if (!IsSpace(NextChar(text, &position))) break;
    end = position;
  }
  return end;
}

}  // namespace

void AddedTokenFinder::Add(const AddedToken& token, std::string_view content) {
  if (content.empty()) return;
  std::int32_t node = 0;
  for (const char c : content) {
    const auto byte = static_cast<unsigned char>(c);
    std::int32_t child = Child(node, byte);
    if (child < 0) {
      child = static_cast<std::int32_t>(nodes_.size());
      nodes_[static_cast<std::size_t>(node)].next.emplace_back(byte, child);
      nodes_.emplace_back();
    }
    node = child;
  }
  nodes_[static_cast<std::size_t>(node)].token = static_cast<std::int32_t>(tokens_.size());
  tokens_.push_back(token);
  begins_[static_cast<unsigned char>(content[0])] = true;
}

std::int32_t AddedTokenFinder::Child(std::int32_t node, unsigned char byte) const {
  for (const auto& [label, child] : nodes_[static_cast<std::size_t>(node)].next) {
    if (label == byte) return child;
  }
  return -1;
}

std::pair<std::int32_t, std::size_t> AddedTokenFinder::LongestAt(std::string_view text, std::size_t position,
                                                                 const Refused& refused) const {
  std::pair<std::int32_t, std::size_t> longest{-1, position};
  std::int32_t node = 0;
  for (std::size_t i = position; i < text.size(); ++i) {
    node = Child(node, static_cast<unsigned char>(text[i]));
    if (node < 0) break;
    const std::int32_t token = nodes_[static_cast<std::size_t>(node)].token;
    if (token < 0 || (refused && refused(tokens_[static_cast<std::size_t>(token)], {position, i + 1}))) continue;
    longest = {token, i + 1};
  }
  return longest;
}

void AddedTokenFinder::Split(std::string_view text, std::vector<Segment>* segments, const Refused& refused) const {
  std::size_t done = 0;
  for (std::size_t position = 0; !tokens_.empty() && position < text.size();) {
    if (!begins_[static_cast<unsigned char>(text[position])]) {
      ++position;
      continue;
    }
    const auto [index, match_end] = LongestAt(text, position, refused);
    if (index < 0) {
      ++position;
      continue;
    }
    const AddedToken& token = tokens_[static_cast<std::size_t>(index)];
    std::size_t begin = std::max(position, done);
    std::size_t end = match_end;
    position = match_end;
    if (end <= begin || (token.single_word && !StandsAlone(text, begin, end))) continue;
    if (token.lstrip) begin = SkipSpacesLeft(text, begin, done);
    if (token.rstrip) end = SkipSpacesRight(text, end);
    if (done < begin) segments->push_back({{done, begin}, kNoToken});
    segments->push_back({{begin, end}, token.id});
    done = end;
  }
  if (done < text.size()) segments->push_back({{done, text.size()}, kNoToken});
}

std::vector<AddedToken> ReadAddedTokens(const Part& file) {
  std::vector<AddedToken> tokens;
  if (!file.value().contains("added_tokens") || file.value()["added_tokens"].is_null()) return tokens;
  for (const Part& part : file.List("added_tokens")) {
    AddedToken token;
    const std::int64_t id = part.Integer("id");
    token.content = part.String("content");
    if (id < 0 || id > INT32_MAX) part.Throw(base::Format("the id {} is out of range", id));
    if (token.content.empty()) part.Throw("the content is empty");
    token.id = static_cast<TokenId>(id);
    token.special = part.Bool("special", false);
    token.single_word = part.Bool("single_word", false);
    token.lstrip = part.Bool("lstrip", false);
    token.rstrip = part.Bool("rstrip", false);
    token.normalized = part.Bool("normalized", !token.special);
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace autodidact::text
