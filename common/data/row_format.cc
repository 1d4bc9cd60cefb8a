#include "data/row_format.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "json/strict.h"

namespace autodidact::data {
namespace {

using namespace std::string_view_literals;

constexpr const char* kExpected = "expected one JSON object a line";

// Words of the parser's message, or a line's beginning, and what they mean for the file.
using Sign = std::pair<std::string_view, const char*>;

constexpr Sign kBeginnings[] = {
    {"version https://git-lfs"sv, "this is a pointer of Git LFS: fetch the file by git lfs pull"},
    {"<"sv, "this is a page of HTML or XML: look at what was downloaded"},
    {"["sv, "a list of rows: write each on a line of its own, as by jq -c '.[]' FILE"},
    {"#"sv, "JSON has no comments: take the line out"},
    {"//"sv, "JSON has no comments: take the line out"},
    {"{'"sv, "JSON has double quotes: write rows by json.dumps, not by str or print"},
};

constexpr Sign kMessages[] = {
    {"unexpected end of input"sv,
     "an object that goes over several lines, or was cut: write it on one line, as by jq -c . FILE"},
    {"missing closing quote"sv, "the line was cut, or breaks inside a text: write a line break as \\n"},
    {"expected end of input"sv, "something stands behind the object: end the line there, by \\n"},
    {"ill-formed UTF-8"sv, "save the file as UTF-8, as by iconv -f latin1 -t utf-8 FILE"},
    {"control character"sv, "write a line break as \\n and a tab as \\t inside a text"},
    {"number overflow"sv, "write the number as a text, in quotes"},
    {"surrogate"sv, "half a character was written: leave it out"},
    {"unexpected '}'"sv, "a comma too many, or a value that is missing, before it"},
    {"unexpected ']'"sv, "a comma too many, or a value that is missing, before it"},
};

constexpr std::string_view kPythonsWords[] = {"NaN", "Infinity", "None", "True", "False"};

bool EndsInPythonsWord(std::string_view line, std::string_view message) {
  // The parser shows what it has read up to the first letter that cannot be.
  if (message.find("invalid literal") == std::string_view::npos) return false;
  for (const std::string_view word : kPythonsWords) {
    for (const std::string_view before : {": "sv, ":"sv, ", "sv, ","sv, "["sv}) {
      if (line.find(std::string(before) + std::string(word)) != std::string_view::npos) return true;
    }
  }
  return false;
}

std::string Advice(std::string_view line, std::string_view message) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
  for (const auto& [start, advice] : kBeginnings) {
    if (line.starts_with(start)) return advice;
  }
  if (EndsInPythonsWord(line, message)) {
    return "NaN, Infinity, None, True and False are no JSON: write null, true, false, or leave the key out";
  }
  for (const auto& [words, advice] : kMessages) {
    if (message.find(words) != std::string_view::npos) return advice;
  }
  if (!line.starts_with("{")) {
    return "this is no JSON: rows of a table are converted by pandas' to_json(orient=\"records\", lines=True)";
  }
  return "look at the column that is named: names and texts stand in double quotes, with commas between";
}

}  // namespace

json::Json ParseRow(std::string_view line, const std::string& where) {
  json::Json row;
  std::string wrong;
  try {
    row = json::ParseStrict(line, where);
    if (row.is_object()) return row;
    wrong = base::Format("{}: found {}", where, json::Describe(row));
  } catch (const base::Error& error) {
    wrong = error.message();
    if (wrong.ends_with("twice")) base::ThrowBadInput(wrong + "; expected each key once: take one of them out");
    if (wrong.find("column ") == std::string::npos) throw;  // well-formed, and refused for what it says
  }
  base::ThrowBadInput(base::Format("{}; {}: {}", wrong, kExpected, Advice(line, wrong)));
}

void RefuseOtherFormats(const std::filesystem::path& file, std::string_view bytes) {
  static constexpr Sign kFormats[] = {
      {"\xFF\xFE"sv, "is UTF-16; save it as UTF-8"},
      {"\xFE\xFF"sv, "is UTF-16; save it as UTF-8"},
      {"\x1F\x8B"sv, "is compressed by gzip; unpack it first"},
      {"\x28\xB5\x2F\xFD"sv, "is compressed by zstd; unpack it first"},
      {"BZh"sv, "is compressed by bzip2; unpack it first"},
      {"\xFD"
       "7zXZ"sv,
       "is compressed by xz; unpack it first"},
      {"PK\x03\x04"sv, "is a zip archive; unpack it first"},
      {"PAR1"sv, "is a Parquet file; convert it to JSON lines, as by pandas' to_json(orient=\"records\", lines=True)"},
      {"ARROW1"sv, "is an Arrow file; convert it to JSON lines, as by datasets' to_json"},
  };
  for (const auto& [start, is] : kFormats) {
    if (bytes.starts_with(start))
      base::ThrowBadInput(base::Format("{}:1: the file {}; {}", file.string(), is, kExpected));
  }
}

}  // namespace autodidact::data
