// Standard input, line by line, without waiting for lines that are not there yet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace autodidact::launch {

// One thread; reads the descriptor, which it does not own. Error(kBadInput) when it cannot be read.
class LineReader {
 public:
  explicit LineReader(int descriptor) : descriptor_(descriptor) {}

  // The next line that is not blank, without its line break. Nothing at the end of the input, or, without `wait`, when
  // no whole line has arrived. Waits for as long as the writer takes: the end of the input ends it.
  std::optional<std::string> Next(bool wait);
  // Of the line that Next gave last, from 1.
  std::int64_t number() const { return number_; }

 private:
  bool TakeLine(std::string* line);
  bool Fill(bool wait);

  int descriptor_;
  bool at_end_ = false;
  std::int64_t number_ = 0;
  std::string buffer_;
  std::size_t begin_ = 0;  // of the first line that was not given yet
};

}  // namespace autodidact::launch
