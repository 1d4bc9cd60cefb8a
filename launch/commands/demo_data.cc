#include "launch/commands/demo_data.h"

#include <filesystem>
#include <functional>
#include <set>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"
#include "launch/commands/commands.h"

namespace autodidact::launch {
namespace {

constexpr std::string_view kLetters = "abdefghijklmnoprstuvz";
constexpr std::string_view kVowels = "aeiou";

// For each of kLetters the boy's name, then for each the girl's.
const std::vector<std::string> kNames = {
    "adam", "bob",  "dan",  "erik", "fred", "gus",  "hugo", "ivan", "jack", "kurt", "leo",  "max", "noah", "otto",
    "paul", "rob",  "sam",  "tom",  "ugo",  "vito", "zack", "anna", "bea",  "dora", "eva",  "fay", "gina", "hilda",
    "ida",  "jane", "kate", "lisa", "mia",  "nina", "olga", "pia",  "rosa", "sue",  "tina", "uma", "vera", "zoe"};

bool IsVowel(char letter) {
  return kVowels.find(letter) != std::string_view::npos;
}

std::string Join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

std::string Spaced(const std::string& word) {
  std::string text;
  for (const char letter : word) {
    if (!text.empty()) text += ' ';
    text += letter;
  }
  return text;
}

// Each name is another one with this probability.
std::vector<std::string> Corrupt(std::vector<std::string> names, double probability, base::RandomWalk& walk) {
  for (std::string& name : names) {
    if (walk.Uniform() >= probability) continue;
    std::string other = name;
    while (other == name) other = kNames[walk.Below(kNames.size())];
    name = other;
  }
  return names;
}

// Names in a row that spell no word at all: reconciling them teaches nothing about spelling.
std::vector<std::string> SpellNothing(base::RandomWalk& walk) {
  while (true) {
    std::vector<std::string> names;
    std::string word;
    for (int i = 0; i < kWordLength; ++i) {
      const auto drawn = walk.Below(kNames.size());
      names.push_back(kNames[drawn]);
      word += kLetters[drawn % kLetters.size()];
    }
    if (SpellWord(word) != names) return names;
  }
}

std::vector<std::string> DistinctWords(base::RandomWalk& walk, std::int64_t count, std::set<std::string>& taken) {
  std::vector<std::string> words;
  while (std::ssize(words) < count) {
    std::string word = MakeWord(walk);
    if (taken.insert(word).second) words.push_back(std::move(word));
  }
  return words;
}

// Whether a line has the keys of a row, lists as long, and its id: as no file of anybody else's.
bool IsLike(const std::string& line, const json::Json& row) {
  try {
    const json::Json other = json::Parse(line, "");
    if (!other.is_object() || other.size() != row.size()) return false;
    for (const auto& [key, value] : row.items()) {
      if (!other.contains(key) || other[key].size() != value.size()) return false;
    }
    return other.value("id", json::Json()) == row.value("id", json::Json());
  } catch (const base::Error&) {
    return false;
  }
}

void RequireOwn(const std::filesystem::path& file, const json::Json& first) {
  if (!std::filesystem::exists(file) || std::filesystem::is_empty(file)) return;
  const std::string held = json::ReadFile(file);
  if (IsLike(held.substr(0, held.find('\n')), first)) return;
  base::ThrowBadInput(
      base::Format("{}: holds something that demo-data did not write, expected a folder without a file of this name: "
                   "name another folder",
                   file.string()));
}

// The rows of a file.
struct RowsOfFile {
  std::filesystem::path file;
  std::string text;
  json::Json first;
};

RowsOfFile MakeRows(const std::filesystem::path& file, std::int64_t count,
                    const std::function<json::Json(std::int64_t)>& row) {
  RowsOfFile rows{file, {}, {}};
  for (std::int64_t i = 0; i < count; ++i) {
    const json::Json made = row(i);
    if (i == 0) rows.first = made;
    rows.text += json::Dump(made) + "\n";
  }
  return rows;
}

void MakeFolder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!std::filesystem::is_directory(folder)) {
    base::ThrowBadInput(
        base::Format("folder: got \"{}\", expected a folder that is there or can be made ({}): name "
                     "another",
                     folder.string(), std::filesystem::exists(folder) ? "it is a file" : error.message()));
  }
}

}  // namespace

std::string MakeWord(base::RandomWalk& walk) {
  std::string word;
  while (std::ssize(word) < kWordLength) {
    const double vowel = word.empty() ? 0.3 : IsVowel(word.back()) ? 0.25 : 0.75;
    if (walk.Uniform() < vowel) {
      word += kVowels[walk.Below(kVowels.size())];
    } else {
      char letter = 'a';
      while (IsVowel(letter)) letter = kLetters[walk.Below(kLetters.size())];
      word += letter;
    }
  }
  return word;
}

std::vector<std::string> SpellWord(const std::string& word) {
  std::vector<std::string> names;
  bool after_vowel = false;
  for (const char letter : word) {
    names.push_back(kNames[kLetters.find(letter) + (after_vowel ? kLetters.size() : 0)]);
    after_vowel = IsVowel(letter);
  }
  return names;
}

const std::vector<std::string>& SpellingNames() {
  return kNames;
}

void RunDemoData(const DemoDataCommand& command) {
  const std::filesystem::path folder(command.folder);
  MakeFolder(folder);
  const auto walk_of = [&](std::uint64_t item) {
    return base::RandomWalk(
        {.seed = static_cast<std::uint64_t>(command.seed), .stream = base::RandomStream::kSft, .item = item});
  };
  // The held-out words are the same whatever else is asked for.
  std::set<std::string> taken;
  base::RandomWalk dev_walk({.seed = 999, .stream = base::RandomStream::kEval});
  const auto dev = DistinctWords(dev_walk, command.dev, taken);
  auto word_walk = walk_of(1);
  const auto labelled = DistinctWords(word_walk, command.labelled, taken);
  const auto unlabelled = DistinctWords(word_walk, command.unlabelled, taken);

  auto noise_walk = walk_of(2);
  const auto label_of = [&](const std::string& word) {
    if (command.mixed_up == 0) return Corrupt(SpellWord(word), command.noise, noise_walk);
    return SpellWord(unlabelled[noise_walk.Below(static_cast<std::uint64_t>(command.mixed_up))]);
  };
  std::vector<RowsOfFile> files;
  const auto add = [&](const char* name, std::int64_t count, const std::function<json::Json(std::int64_t)>& row) {
    files.push_back(MakeRows(folder / name, count, row));
  };
  add("labelled.jsonl", command.labelled, [&](std::int64_t i) {
    const std::string& word = labelled[static_cast<std::size_t>(i)];
    return json::Json{{"id", base::Format("l{:05}", i)}, {"prompt", Spaced(word)}, {"answer", Join(label_of(word))}};
  });
  add("unlabelled.jsonl", command.unlabelled, [&](std::int64_t i) {
    return json::Json{{"id", base::Format("u{:05}", i)}, {"prompt", Spaced(unlabelled[static_cast<std::size_t>(i)])}};
  });
  add("unlabelled_truth.jsonl", command.unlabelled, [&](std::int64_t i) {
    return json::Json{{"id", base::Format("u{:05}", i)},
                      {"answer", Join(SpellWord(unlabelled[static_cast<std::size_t>(i)]))}};
  });
  add("dev.jsonl", command.dev, [&](std::int64_t i) {
    const std::string& word = dev[static_cast<std::size_t>(i)];
    return json::Json{{"id", base::Format("d{:05}", i)}, {"prompt", Spaced(word)}, {"answer", Join(SpellWord(word))}};
  });
  auto merge_walk = walk_of(3);
  add("reconcile.jsonl", command.reconcile, [&](std::int64_t) {
    const auto names = SpellNothing(merge_walk);
    const double probability = 0.7 * merge_walk.Uniform();
    json::Json candidates = json::Json::array();
    for (int i = 0; i < 16; ++i) candidates.push_back(Join(Corrupt(names, probability, merge_walk)));
    return json::Json{{"candidates", candidates}, {"answer", Join(names)}};
  });
  for (const RowsOfFile& rows : files) RequireOwn(rows.file, rows.first);
  for (const RowsOfFile& rows : files) json::WriteFile(rows.file, rows.text);
}

}  // namespace autodidact::launch
