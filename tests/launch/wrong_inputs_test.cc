// Wrong configs and what is said about them: tests/launch/wrong_inputs/README.md says how the rows are read and graded.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/rows.h"
#include "json/json.h"
#include "launch/config/sft_config.h"
#include "tests/launch/config_folder.h"
#include "tests/launch/wrong_inputs/grade.h"
#include "tests/paths.h"

namespace autodidact::launch {
namespace {

std::vector<json::Json> Rows(const char* name) {
  std::vector<json::Json> rows;
  const auto file = tests::SourceFolder() / "tests/launch/wrong_inputs" / name;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) rows.push_back(json::Parse(line, file.string()));
  return rows;
}

std::string BytesOf(const json::Json& row) {
  std::string bytes;
  if (row.contains("hex")) {
    const std::string hex = row["hex"];
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return bytes;
  }
  const char* key = row.contains("rows") ? "rows" : "config";
  for (int i = 0; i < row.value("times", 1); ++i) bytes += row[key].get<std::string>();
  return bytes;
}

// What is said about a row's config; empty: nothing.
std::string MessageOf(const ConfigFolder& folder, const json::Json& row) {
  std::vector<std::string> overrides;
  for (const json::Json& override : row.value("set", json::Json::array())) {
    overrides.push_back(folder.Filled(override.get<std::string>()));
  }
  const std::string model = row.value("whole", false) ? "" : "model: FOLDER/model\n";
  const auto file = folder.Write("run.yaml", folder.Filled(model + BytesOf(row)));
  try {
    row.value("command", "train") == "sft" ? void(ReadSftConfig(file, overrides))
                                           : void(ReadRunConfig(file, overrides));
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput) << error.message();  // exit code 2
    return error.message();
  }
  return {};
}

// What is said about a file of rows; empty: nothing.
std::string MessageOfRows(const ConfigFolder& folder, const json::Json& row) {
  const auto file = folder.Write("rows.jsonl", BytesOf(row));
  const std::string as = row.value("as", "prompts");
  try {
    if (as == "pairs") {
      data::ReadPairs(file);
    } else {
      const auto rows = data::ReadRows(file);
      if (as == "labelled") data::RequireLabels(rows, "eval");
    }
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput) << error.message();
    return error.message();
  }
  return {};
}

// The mean grade, each at least 1.
double MeanGrade(const ConfigFolder& folder, const std::vector<json::Json>& rows,
                 std::string (*message_of)(const ConfigFolder&, const json::Json&)) {
  double sum = 0;
  for (const json::Json& row : rows) {
    sum +=
        tests::GradeOf(row, message_of(folder, row), [&](std::string part) { return folder.Filled(std::move(part)); });
  }
  return sum / static_cast<double>(rows.size());
}

TEST(WrongInputsTest, EachConfigIsToldWhereItIsWhatItIsWhatWasExpectedAndWhatToDo) {
  const auto rows = Rows("configs.jsonl");
  EXPECT_GE(rows.size(), 120u);
  EXPECT_GE(MeanGrade(ConfigFolder(), rows, MessageOf), 2.7);
}

TEST(WrongInputsTest, EachFileOfRowsIsToldSoToo) {
  const auto rows = Rows("rows.jsonl");
  EXPECT_GE(rows.size(), 50u);
  EXPECT_GE(MeanGrade(ConfigFolder(), rows, MessageOfRows), 2.7);
}

}  // namespace
}  // namespace autodidact::launch
