#include "engine/stop_text.h"

#include <algorithm>

namespace autodidact::engine {

StopText::StopText(const text::Tokenizer& tokenizer, const std::vector<std::string>& stop_strings)
    : stop_strings_(stop_strings), decoder_(tokenizer) {
  for (const std::string& stop : stop_strings) longest_ = std::max(longest_, stop.size());
}

bool StopText::Push(text::TokenId id) {
  const std::string piece = decoder_.Push(id);
  if (piece.empty()) return false;
  // A stop string that ends in the new piece begins at most longest_ - 1 bytes before it.
  const std::size_t from = text_.size() - std::min(text_.size(), longest_ > 0 ? longest_ - 1 : 0);
  text_ += piece;
  for (const std::string& stop : stop_strings_) {
    if (!stop.empty()) cut_ = std::min(cut_, text_.find(stop, from));
  }
  return cut_ != std::string::npos;
}

}  // namespace autodidact::engine
