// Where the results of a command go. What cannot be written is an error, never lost.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace autodidact::process {

// Paths under the names by which people gave them: "--out", "data.train". An empty path is none.
using NamedPaths = std::vector<std::pair<std::string, std::filesystem::path>>;

// Before the work whose results they are to hold. Error(kBadInput) naming the two: an output, or the file in which it
// is kept until it is whole, is a file that the command reads (also by another name of it, as a link, or as a file in a
// folder that is read), or another output. Standard output counts as one where it leads into a file. Error(kBadInput)
// too for an output that cannot be written.
void RequireOutputs(const NamedPaths& outputs, const NamedPaths& inputs);

// The same for what reads standard input: it must not read what it writes.
void RequireInputApart();

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
