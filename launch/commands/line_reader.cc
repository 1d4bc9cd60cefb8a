#include "launch/commands/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/format.h"

namespace autodidact::launch {

std::optional<std::string> LineReader::Next(bool wait) {
  for (std::string line;;) {
    while (TakeLine(&line)) {
      if (line.find_first_not_of(" \t\r") != std::string::npos) return line;
    }
    if (at_end_ || !Fill(wait)) return std::nullopt;
  }
}

bool LineReader::TakeLine(std::string* line) {
  std::size_t end = buffer_.find('\n', begin_);
  if (end == std::string::npos) {
    if (!at_end_ || begin_ == buffer_.size()) return false;
    end = buffer_.size();  // a last line without a line break
  }
  line->assign(buffer_, begin_, end - begin_);
  begin_ = std::min(end + 1, buffer_.size());
  ++number_;
  return true;
}

// False when nothing has arrived.
bool LineReader::Fill(bool wait) {
  buffer_.erase(0, begin_);
  begin_ = 0;
  pollfd input{.fd = descriptor_, .events = POLLIN, .revents = 0};
  if (!wait && ::poll(&input, 1, 0) == 0) return false;
  char bytes[1 << 16];
  ssize_t count = 0;
  do {
    count = ::read(descriptor_, bytes, sizeof bytes);
  } while (count < 0 && errno == EINTR);
  if (count < 0) base::ThrowBadInput(base::Format("standard input cannot be read: {}", std::strerror(errno)));
  if (count == 0) at_end_ = true;
  buffer_.append(bytes, static_cast<std::size_t>(count));
  return true;
}

}  // namespace autodidact::launch
