#include "base/checksum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"

namespace autodidact::base {
namespace {

// The value that the algorithm's specification gives for no bytes.
TEST(ChecksumTest, IsXxh3) {
  EXPECT_EQ(Hex(Checksum("")), "2d06800538d394c2");
}

TEST(ChecksumTest, PiecesGiveTheSameAsTheWhole) {
  std::string bytes(10'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31);
  Checksummer checksummer;
  for (std::size_t at = 0, size = 1; at < bytes.size(); at += size, size = size * 2 + 1) {
    size = std::min(size, bytes.size() - at);
    checksummer.Update(bytes.data() + at, size);
  }
  EXPECT_EQ(checksummer.Digest(), Checksum(bytes));
}

TEST(ChecksumTest, OfAFileIsThatOfItsBytes) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "checksum_of_a_file";
  std::ofstream(file, std::ios::binary) << "some bytes";
  EXPECT_EQ(ChecksumOfFile(file), Checksum("some bytes"));
  std::filesystem::remove(file);
  EXPECT_THROW(ChecksumOfFile(file), Error);
}

}  // namespace
}  // namespace autodidact::base
