// What the program logs while a test looks.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/log.h"

namespace autodidact::tests {

// From its making on the log goes into a file. One at a time.
class LogLines {
 public:
  LogLines() {
    std::filesystem::remove(file_);
    base::SetUpLog({.to_stderr = false, .file = file_});
  }
  ~LogLines() {
    base::SetUpLog({.file = {}});
    std::filesystem::remove(file_);
  }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;

  std::string text() const {
    std::ifstream file(file_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  const std::filesystem::path file_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".log");
};

}  // namespace autodidact::tests
