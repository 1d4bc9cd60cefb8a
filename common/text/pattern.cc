#include "text/pattern.h"

namespace autodidact::text {

Pattern::Pattern(const Part& part) {
  if (part.value().is_object() && part.value().contains("Regex")) {
    regex_ = std::make_unique<Regex>(part.String("Regex"), part.where());
    return;
  }
  literal_ = part.String("String");
  if (literal_.empty()) part.Throw("the pattern is empty");
}

void Pattern::FindAll(std::string_view text, std::vector<Span>* matches) const {
  if (regex_) {
    regex_->FindAll(text, matches);
    return;
  }
  for (std::size_t at = text.find(literal_); at != std::string_view::npos; at = text.find(literal_, at)) {
    matches->push_back({at, at + literal_.size()});
    at += literal_.size();
  }
}

std::string Pattern::Replace(std::string_view text, std::string_view content) const {
  std::vector<Span> matches;
  FindAll(text, &matches);
  std::string replaced;
  replaced.reserve(text.size() + matches.size() * content.size());
  std::size_t done = 0;
  for (const Span& match : matches) {
    replaced.append(text.substr(done, match.begin - done)).append(content);
    done = match.end;
  }
  return replaced.append(text.substr(done));
}

}  // namespace autodidact::text
