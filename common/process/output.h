// Where the results of a command go. What cannot be written is an error, never lost.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace autodidact::process {

// Standard output, or a file that appears under its name once it is whole. Nothing is buffered. One thread.
class Output {
 public:
  // Standard output for an empty name. Error(kBadInput) when the file cannot be opened. A file is written as
  // NAME.partial, which stays where it is when the output is not finished; a device or a pipe is written as it is.
  explicit Output(const std::filesystem::path& file = {});
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // What is written until it is finished.
  const std::filesystem::path& partial() const { return partial_; }

  // Error(kRetryLater) when it cannot all be written: a full disk, a closed pipe.
  void Write(std::string_view text);
  // Gives the file its name. Errors as Write.
  void Finish();

 private:
  std::filesystem::path file_;     // empty: standard output
  std::filesystem::path partial_;  // empty: the file itself is written
  int descriptor_ = -1;
};

}  // namespace autodidact::process
