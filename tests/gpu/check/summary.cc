#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/format.h"
#include "tests/gpu/check/check.h"

namespace autodidact::gpu_check {
namespace {

using json::Json;

// The figures of a part that are worth a place in its line.
std::string Brief(const Json& figures) {
  std::string text;
  const auto add = [&](const std::string& name, const Json& value) {
    if (!value.is_number()) return;
    if (!text.empty()) text += ", ";
    text += value.is_number_integer() ? base::Format("{} {}", name, value.get<std::int64_t>())
                                      : base::Format("{} {:.4g}", name, value.get<double>());
  };
  for (const auto& [name, value] : figures.items()) {
    if (value.is_object()) {
      for (const auto& [inner, number] : value.items()) add(name + "." + inner, number);
    } else {
      add(name, value);
    }
  }
  return text;
}

}  // namespace

std::vector<Json> ReadLines(const std::filesystem::path& file) {
  std::istringstream text(json::ReadFile(file));
  std::vector<Json> lines;
  for (std::string line; std::getline(text, line);) {
    if (!line.empty()) lines.push_back(json::Parse(line, base::Format("{}:{}", file.string(), lines.size() + 1)));
  }
  return lines;
}

Json Summary(const std::filesystem::path& folder, const std::string& card) {
  Json parts = Json::array();
  std::int64_t failed = 0;
  std::istringstream text(json::ReadFile(folder / "parts.tsv"));
  for (std::string line; std::getline(text, line);) {
    std::istringstream fields(line);
    std::string name, status, seconds, note;
    std::getline(fields, name, '\t');
    std::getline(fields, status, '\t');
    std::getline(fields, seconds, '\t');
    std::getline(fields, note);
    Json part = {{"name", name}, {"status", status}, {"seconds", std::stol(seconds)}, {"note", note}};
    const auto figures = folder / (name + ".json");
    if (std::filesystem::exists(figures)) part["figures"] = json::ParseFile(figures);
    if (status == "failed") ++failed;
    parts.push_back(std::move(part));
  }
  return {{"card", card}, {"failed", failed}, {"parts", std::move(parts)}};
}

std::string Table(const Json& summary) {
  std::string table = "card: " + summary.at("card").get<std::string>() + "\n";
  for (const Json& part : summary.at("parts")) {
    table += base::Format("{:<26}{:<9}{:>5} s  ", part.at("name").get<std::string>(),
                          part.at("status").get<std::string>(), part.at("seconds").get<std::int64_t>());
    const auto note = part.at("note").get<std::string>();
    table += note.empty() && part.contains("figures") ? Brief(part.at("figures")) : note;
    table += "\n";
  }
  const auto failed = summary.at("failed").get<std::int64_t>();
  return table + (failed == 0 ? "all parts passed\n" : base::Format("{} parts failed\n", failed));
}

}  // namespace autodidact::gpu_check
