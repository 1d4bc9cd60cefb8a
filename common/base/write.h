// Bytes to a file descriptor: all of them, or an error.
#pragma once

#include <string>
#include <string_view>

namespace autodidact::base {

// Blocks until all is written. Error(kRetryLater) when it cannot be (a full disk, a pipe that nobody reads), saying
// `name` and why. A closed pipe is such an error only where SIGPIPE is ignored.
void WriteAll(int descriptor, std::string_view bytes, const std::string& name);

}  // namespace autodidact::base
