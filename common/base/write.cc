#include "base/write.h"
#include "base/fault.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace autodidact::base {

void WriteAll(int descriptor, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t written = FaultFails("base.write") ? -1 : ::write(descriptor, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd room{.fd = descriptor, .events = POLLOUT, .revents = 0};
      ::poll(&room, 1, -1);  // ended by the reader, who takes what is there or closes
    } else if (errno != EINTR) {
      throw Error(ErrorKind::kRetryLater, name + ": cannot be written: " + std::strerror(errno));
    }
  }
}

}  // namespace autodidact::base
