#include "process/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/write.h"

namespace autodidact::process {

namespace fs = std::filesystem;

Output::Output(const fs::path& file) : file_(file) {
  if (file_.empty()) {
    descriptor_ = STDOUT_FILENO;
    return;
  }
  std::error_code ignored;
  if (fs::is_symlink(file_, ignored) && fs::exists(file_, ignored)) file_ = fs::canonical(file_);
  const fs::file_status status = fs::status(file_, ignored);
  if (!fs::exists(status) || fs::is_regular_file(status)) partial_ = file_.string() + ".partial";
  const fs::path& opened = partial_.empty() ? file_ : partial_;
  descriptor_ = ::open(opened.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    base::ThrowBadInput(base::Format("{}: cannot be written: {}", opened.string(), std::strerror(errno)));
  }
}

Output::~Output() {
  if (!file_.empty() && descriptor_ >= 0) ::close(descriptor_);
}

void Output::Write(std::string_view text) {
  base::WriteAll(descriptor_, text, file_.empty() ? "standard output" : file_.string());
}

void Output::Finish() {
  if (file_.empty()) return;
  const auto fail = [&](const std::string& why) {
    throw base::Error(base::ErrorKind::kRetryLater, base::Format("{}: cannot be written: {}", file_.string(), why));
  };
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(std::strerror(errno));
  std::error_code error;
  if (!partial_.empty()) fs::rename(partial_, file_, error);
  if (error) fail(error.message());
}

}  // namespace autodidact::process
