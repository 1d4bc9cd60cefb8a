#include "launch/commands/line_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

namespace autodidact::launch {
namespace {

class LineReaderTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe(ends_.data()), 0); }
  void TearDown() override {
    close(ends_[0]);
    Close();
  }
  void Write(const std::string& text) {
    ASSERT_EQ(write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void Close() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }

  std::array<int, 2> ends_{};
};

TEST_F(LineReaderTest, GivesWholeLinesOnlyAndCountsBlankOnes) {
  LineReader reader(ends_[0]);
  EXPECT_FALSE(reader.Next(/*wait=*/false));
  Write("one\n \n\ntwo\nthr");
  EXPECT_EQ(reader.Next(false), "one");
  EXPECT_EQ(reader.number(), 1);
  EXPECT_EQ(reader.Next(false), "two");
  EXPECT_EQ(reader.number(), 4);
  EXPECT_FALSE(reader.Next(false));
  Write("ee");
  Close();
  EXPECT_EQ(reader.Next(true), "three");  // the last line has no line break
  EXPECT_EQ(reader.number(), 5);
  EXPECT_FALSE(reader.Next(true));
  EXPECT_FALSE(reader.Next(false));
}

TEST_F(LineReaderTest, LinesLongerThanOneReadAreWhole) {
  LineReader reader(ends_[0]);
  const std::string part(40'000, 'x');
  Write(part);
  EXPECT_FALSE(reader.Next(false));
  Write(part);
  EXPECT_FALSE(reader.Next(false));
  Write("\n");
  EXPECT_EQ(reader.Next(true), part + part);
}

}  // namespace
}  // namespace autodidact::launch
