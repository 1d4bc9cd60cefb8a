#include "model/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/fault.h"
#include "base/format.h"

namespace autodidact::model {

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
  temporary_ = target_;
  temporary_ += base::Format(".{}.tmp", ::getpid());
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) Fail("create");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::Write(const void* data, std::size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = base::FaultFails("model.write") ? -1 : ::write(descriptor_, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) Fail("write");
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::Commit() {
  if (base::FaultFails("model.fsync") || ::fsync(descriptor_) != 0) Fail("flush");
  if (base::FaultFails("model.rename") || ::rename(temporary_.c_str(), target_.c_str()) != 0) Fail("rename");
  ::close(descriptor_);
  descriptor_ = -1;
}

void AtomicFile::Fail(const char* doing) const {
  base::ThrowBadInput(base::Format("{}: cannot {}: {}", target_.string(), doing, std::strerror(errno)));
}

}  // namespace autodidact::model
