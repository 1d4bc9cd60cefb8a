#include "base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

namespace autodidact::base {
namespace {

// Standard error as a pipe, for as long as it lives.
class StandardErrorPipe {
 public:
  StandardErrorPipe() : before_(dup(STDERR_FILENO)) {
    EXPECT_EQ(pipe(ends_.data()), 0);
    dup2(ends_[1], STDERR_FILENO);
    close(ends_[1]);
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  ~StandardErrorPipe() {
    dup2(before_, STDERR_FILENO);
    close(before_);
    close(ends_[0]);
  }
  // What is there.
  std::string Read() const {
    std::string text;
    std::array<char, 4096> bytes{};
    for (ssize_t got = 0; (got = read(ends_[0], bytes.data(), bytes.size())) > 0;) {
      text.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  int before_;
  std::array<int, 2> ends_{};
};

TEST(LogTest, AReaderThatStopsReadingHoldsNobodyUpAndHearsOfTheLinesThatItMissed) {
  const StandardErrorPipe error;
  SetUpLog({});
  LogInfo("first");
  EXPECT_NE(error.Read().find("first"), std::string::npos);
  const std::string long_line(10'000, 'x');
  for (int i = 0; i < 100; ++i) LogInfo("{}", long_line);  // many times what a pipe holds
  error.Read();
  LogInfo("last");
  const std::string text = error.Read();
  EXPECT_NE(text.find("lines are missing: standard error was not read)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("last"), std::string::npos) << text;
}

}  // namespace
}  // namespace autodidact::base
