#include "data/event_file.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "data/run_folder.h"
#include "json/json.h"

namespace autodidact::data {
namespace {

namespace fs = std::filesystem;

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) {
    char pair[3];
    std::snprintf(pair, sizeof(pair), "%02x", static_cast<unsigned char>(byte));
    hex += pair;
  }
  return hex;
}

fs::path NewFolder() {
  const fs::path folder = fs::path(testing::TempDir()) /
                          ("events_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

// The values of RFC 3720, appendix B.4.
TEST(Crc32cTest, IsThatOfTheStandard) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(Crc32c(""), 0u);
}

// Bytes that tensorboard's own EventFileWriter writes for the same values.
TEST(EventFileTest, BytesAreThoseOfTensorboardsWriter) {
  EXPECT_EQ(Hex(EncodeRecord(EncodeVersionEvent(1.5))),
            "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c");
  EXPECT_EQ(Hex(EncodeRecord(EncodeScalars(2.25, 300, {{"kl", -0.5}, {"reward", 0.75}}))),
            "2800000000000000ff70164a09000000000000024010ac022a1a0a090a026b6c15000000bf0a0d0a06726577617264150000403fa1"
            "8a28c3");
}

// A run of three steps that was resumed behind the second, and behind the second once more.
TEST(EventFileTest, AResumedRunStartsANewFileAndHoldsNoStepTwice) {
  const fs::path folder = NewFolder() / "run";
  {
    RunFolder run(folder, false, 0);
    for (int step = 1; step <= 3; ++step) run.WriteMetrics(step, {{"reward", step}});
  }
  const fs::path first = folder / "events.out.tfevents.0000000000.autodidact";
  const fs::path second = folder / "events.out.tfevents.0000000002.autodidact";
  const auto size_of_three = fs::file_size(first);
  for (int attempt = 0; attempt < 2; ++attempt) {
    RunFolder run(folder, true, 2);
    run.WriteMetrics(3, {{"reward", 3}});
  }
  const std::size_t version = EncodeRecord(EncodeVersionEvent(0)).size();
  const std::size_t step = EncodeRecord(EncodeScalars(0, 1, {{"reward", 1}})).size();
  EXPECT_EQ(size_of_three, version + 3 * step);
  EXPECT_EQ(fs::file_size(first), version + 2 * step);
  EXPECT_EQ(fs::file_size(second), version + step);
}

TEST(EventFileTest, ARecordThatIsNotWholeIsCutOff) {
  const fs::path folder = NewFolder();
  const fs::path file = folder / "events.out.tfevents.0000000000.autodidact";
  { EventFile(folder, 0).Write(1, {{"reward", 1}}); }
  const std::string whole = json::ReadFile(file);
  for (const std::size_t lost : {1u, 5u, 20u}) {
    json::WriteFile(file, whole + whole.substr(0, whole.size() - lost));
    CutEventFiles(folder, 7);
    const std::string kept = json::ReadFile(file);
    EXPECT_EQ(kept.substr(0, whole.size()), whole);
    EXPECT_LT(kept.size(), 2 * whole.size() - lost);
  }
  std::string damaged = whole;
  damaged[whole.size() - 6] ^= 1;
  json::WriteFile(file, damaged);
  CutEventFiles(folder, 7);
  EXPECT_EQ(json::ReadFile(file).size(), EncodeRecord(EncodeVersionEvent(0)).size());
}

TEST(EventFileTest, AFolderThatCannotBeWrittenIsAnError) {
  EXPECT_THROW(EventFile("/no/such/folder", 0), base::Error);
}

}  // namespace
}  // namespace autodidact::data
