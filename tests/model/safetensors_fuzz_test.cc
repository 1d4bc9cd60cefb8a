// Any bytes as a safetensors file: read, or refused as bad input.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "model/safetensors.h"
#include "tests/fuzz/mutation.h"

namespace autodidact::model {
namespace {

std::string FileOf(const std::string& header, std::size_t data) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
  return bytes + header + std::string(data, 'x');
}

TEST(SafetensorsFuzzTest, AnyBytesAreReadOrRefused) {
  const std::vector<std::string> seeds = {
      FileOf(
          R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[],"data_offsets":[24,26]}})",
          26),
      FileOf(R"({"__metadata__":{"format":"pt"},"w":{"dtype":"F16","shape":[1,2],"data_offsets":[0,4]}})", 4),
      FileOf("{}", 0)};
  const std::vector<std::string> words = {"\"shape\"", "[0,", "-1", "18446744073709551615", "9223372036854775807",
                                          "\"F64\"",   "{}",  ",",  std::string(4, '\xff'), std::string(8, '\0')};
  const auto file = std::filesystem::temp_directory_path() / ("autodidact_fuzz_" + std::to_string(getpid()));
  int read = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const std::string bytes = fuzz::Input(seeds, words, i);
    std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    try {
      const SafetensorsFile opened(file);
      for (const auto& [name, entry] : opened.entries()) opened.Read(name, at::kFloat);
      ++read;
    } catch (const base::Error& error) {
      ASSERT_EQ(error.kind(), base::ErrorKind::kBadInput) << error.message();
    }
  }
  std::filesystem::remove(file);
  EXPECT_GE(read, 3);
}

}  // namespace
}  // namespace autodidact::model
