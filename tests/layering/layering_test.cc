// Which room may include which, and which foreign library lives in which room: the arrows of the architecture as a
// test. It reads the sources and the rooms' CMakeLists.txt; it links nothing of the project.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/paths.h"

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

// Room -> the rooms that it may include. launch/main.cc, tests and benchmarks may include anything; no room outside of
// launch includes a room of launch.
const std::map<std::string, Names>& AllowedRooms() {
  static const std::map<std::string, Names> table = {
      {"base", {}},
      {"json", {"base"}},
      {"process", {"base"}},
      {"schema", {"base"}},
      {"net", {"base"}},
      {"membership", {"base", "schema", "net"}},
      {"collective", {"base"}},
      {"text", {"base", "json", "process"}},
      {"model", {"base", "json"}},
      {"mathematics", {"base"}},
      {"answers", {"base", "mathematics"}},
      {"programs", {"base", "json", "process"}},
      {"data", {"base", "json", "schema"}},
      {"engine", {"base", "schema", "text", "model"}},
      {"estimators", {"base", "json", "schema", "text", "answers", "engine"}},
      {"weights", {"base", "schema", "net", "collective", "model"}},
      {"actors", {"base", "schema", "net", "text", "data", "engine", "weights"}},
      {"anchor_service", {"base", "schema", "net", "text", "estimators", "engine"}},
      {"judge_service", {"base", "json", "process", "schema", "net", "text", "answers", "programs", "engine"}},
      {"learner", {"base", "schema", "net", "membership", "text", "data", "model", "engine", "weights", "collective"}},
      {"sft", {"base", "json", "schema", "text", "data", "model", "engine", "estimators", "learner"}},
      {"evaluation", {"base", "json", "schema", "text", "answers", "data", "estimators", "engine"}},
      {"report", {"base", "json"}},
      {"launch/config",
       {"base", "json", "net", "text", "answers", "programs", "data", "model", "engine", "estimators", "judge_service",
        "learner", "sft", "evaluation"}},
      {"launch/job", {"launch/config", "launch/hosts", "base", "json", "schema", "process", "net", "collective"}},
      {"launch/wiring",
       {"launch/config", "base", "json", "schema", "process", "text", "answers", "programs", "data", "model", "engine",
        "estimators", "actors", "judge_service", "learner", "evaluation"}},
      {"launch/hosts", {"base", "json", "process", "data", "net", "collective"}},
      {"launch/train", {"launch/config", "launch/wiring", "launch/job", "base",      "json",    "schema",
                        "process",       "net",           "collective", "text",      "answers", "data",
                        "model",         "engine",        "estimators", "weights",   "actors",  "anchor_service",
                        "judge_service", "learner",       "evaluation", "membership"}},
      {"launch/commands",
       {"launch/config", "launch/wiring", "launch/hosts", "base", "json", "schema", "process", "net", "collective",
        "text", "answers", "programs", "data", "model", "engine", "learner", "sft", "evaluation", "report"}},
  };
  return table;
}

const Names kRoles = {"actors", "anchor_service", "judge_service", "learner"};
const Names kTorchRooms = {"collective", "model",        "engine",       "weights",        "actors",
                           "learner",    "sft",          "launch",       "launch/config",  "launch/wiring",
                           "launch/job", "launch/hosts", "launch/train", "launch/commands"};

// First part of an include in angle brackets -> the rooms of that library. A C header of the system has no entry.
const std::map<std::string, Names>& ForeignLibraries() {
  static const std::map<std::string, Names> table = {
      {"torch", kTorchRooms},
      {"ATen", kTorchRooms},
      {"c10", kTorchRooms},
      {"cuda", {"collective", "model", "engine", "weights"}},
      {"cuda_runtime.h", {"collective", "model", "engine", "weights"}},
      {"cuda_runtime_api.h", {"collective", "model", "engine", "weights"}},
      {"mpi.h", {"collective"}},
      {"nccl.h", {"collective"}},
      {"capnp", {"schema"}},
      {"kj", {"schema"}},
      {"zmq.h", {"net"}},
      {"zmq.hpp", {"net"}},
      {"zmq_addon.hpp", {"net"}},
      {"nlohmann", {"json"}},
      {"spdlog", {"base"}},
      {"pcre2.h", {"text"}},
      {"yaml-cpp", {"launch/config", "launch/train"}},
      {"CLI", {"launch"}},
      {"flint", {"mathematics"}},
      {"acb.h", {"mathematics"}},
      {"arb.h", {"mathematics"}},
      {"mag.h", {"mathematics"}},
      {"curl", {"judge_service"}},
      {"zstd.h", {"weights"}},
      {"xxhash.h", {"base"}},
      {"gtest", {}},
      {"gmock", {}},
      {"benchmark", {}},
  };
  return table;
}
// Rooms with one header for all others.
const std::map<std::string, std::string> kOnlyHeader = {{"mathematics", "mathematics/mathematics.h"}};
const Names kSystemFolders = {"sys", "netinet", "arpa", "linux", "net"};

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

struct Source {
  std::string room;  // "" outside of the rooms
  fs::path path;     // from the root
  std::string text;
};

// "common/text/bpe.cc" -> "text", "launch/config/read.cc" -> "launch/config", "launch/main.cc" -> "launch",
// "tests/text/bpe_test.cc" -> "". Of an include, "launch/config/visitor.h" -> "launch/config".
std::string RoomOf(const fs::path& path) {
  std::vector<std::string> parts(path.begin(), path.end());
  if (parts.size() >= 3 && parts[0] == "launch") {
    const std::string inner = parts[0] + "/" + parts[1];
    return AllowedRooms().contains(inner) ? inner : "launch";
  }
  if (parts.size() >= 3 && parts[0] == "common") return parts[1];
  if (parts.size() >= 2 && (AllowedRooms().contains(parts[0]) || parts[0] == "launch")) return parts[0];
  return "";
}

bool IsSkippedFolder(const std::string& name) {
  return name == "build" || name == "runs" || name == "__pycache__" || (name.starts_with('.') && name != ".ci");
}

// Every file of the checkout whose name matches, with its text.
std::vector<Source> ReadSources(const std::regex& name_pattern) {
  std::vector<Source> sources;
  for (auto it = fs::recursive_directory_iterator(autodidact::tests::SourceFolder());
       it != fs::recursive_directory_iterator(); ++it) {
    std::string name = it->path().filename().string();
    if (it->is_directory() && IsSkippedFolder(name)) it.disable_recursion_pending();
    if (!it->is_regular_file() || !std::regex_search(name, name_pattern)) continue;
    fs::path path = it->path().lexically_relative(autodidact::tests::SourceFolder());
    sources.push_back({RoomOf(path), path, ReadFile(it->path())});
  }
  return sources;
}

const std::vector<Source>& CodeSources() {
  static const std::vector<Source> sources = ReadSources(std::regex(R"(\.(h|cc|cu|cuh)$)"));
  return sources;
}

struct Include {
  bool angled;
  std::string path;
  std::string first;  // its room, or the library's folder: the part before the first slash, or all
  bool has_folder;
};

std::vector<Include> Includes(const std::string& text) {
  static const std::regex pattern(R"re((?:^|\n)[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"])re");
  std::vector<Include> includes;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), pattern); it != std::sregex_iterator(); ++it) {
    std::string path = (*it)[2];
    std::size_t slash = path.find('/');
    const std::string room = path.starts_with("launch/") ? RoomOf(path) : path.substr(0, slash);
    includes.push_back({(*it)[1] == "<", path, room, slash != std::string::npos});
  }
  return includes;
}

// What is wrong with an include of a room, if anything.
std::optional<std::string> Violation(const std::string& room, const Include& include) {
  if (include.angled) {
    auto library = ForeignLibraries().find(include.first);
    if (library == ForeignLibraries().end()) {
      if (!include.has_folder || kSystemFolders.contains(include.first)) return std::nullopt;
      return "an unknown library: give it one room in tests/layering";
    }
    if (library->second.contains(room)) return std::nullopt;
    return "a foreign library that lives in another room";
  }
  if (include.path.ends_with(".capnp.h")) {
    if (room == "schema") return std::nullopt;
    return "a generated wire type outside of schema";
  }
  if (include.first == room || room == "launch") return std::nullopt;
  auto only = kOnlyHeader.find(include.first);
  if (only != kOnlyHeader.end() && include.path != only->second)
    return "a private header: " + only->second + " is for all";
  auto allowed = AllowedRooms().find(room);
  if (allowed != AllowedRooms().end() && allowed->second.contains(include.first)) return std::nullopt;
  return "not in the table of rooms";
}

// "common/text/bpe.cc: #include "engine/engine.h": not in the table of rooms", a line each.
std::string Violations(const Source& source) {
  std::string found;
  for (const Include& include : Includes(source.text)) {
    if (auto reason = Violation(source.room, include)) {
      found += source.path.string() + ": include of " + include.path + ": " + *reason + "\n";
    }
  }
  return found;
}

TEST(LayeringTest, EveryRoomIncludesOnlyWhatTheTableAllows) {
  std::string found;
  int num_files = 0;
  for (const Source& source : CodeSources()) {
    if (source.room.empty()) continue;
    ++num_files;
    found += Violations(source);
  }
  EXPECT_GT(num_files, 40) << "the sources were not found under " << autodidact::tests::SourceFolder();
  EXPECT_EQ(found, "");
}

TEST(LayeringTest, EveryRoomHasALineInTheTable) {
  for (const Source& source : CodeSources()) {
    if (source.room.empty() || source.room == "launch") continue;
    EXPECT_TRUE(AllowedRooms().contains(source.room)) << source.path;
  }
}

TEST(LayeringTest, RolesNeverIncludeEachOther) {
  for (const std::string& role : kRoles) {
    for (const std::string& other : kRoles)
      EXPECT_FALSE(AllowedRooms().at(role).contains(other)) << role << " " << other;
  }
}

TEST(LayeringTest, TheTableHasNoCycle) {
  std::map<std::string, Names> open = AllowedRooms();
  bool shrunk = true;
  while (shrunk) {
    shrunk = false;
    for (auto it = open.begin(); it != open.end();) {
      bool is_leaf = true;
      for (const std::string& room : it->second) is_leaf = is_leaf && !open.contains(room);
      shrunk = shrunk || is_leaf;
      it = is_leaf ? open.erase(it) : std::next(it);
    }
  }
  EXPECT_TRUE(open.empty()) << "a cycle runs through " << open.begin()->first;
}

// A room's CMake line must not link what the room may not include, and must name every room that it does include.
TEST(LayeringTest, CMakeDependsAgreeWithTheIncludes) {
  static const std::regex pattern(R"(autodidact_room\(\s*(\w+)\s*(?:TORCH)?\s*DEPENDS([a-z_\s]*))");
  for (const Source& cmake : ReadSources(std::regex("^CMakeLists\\.txt$"))) {
    std::smatch match;
    if (cmake.room.empty() || cmake.room == "launch" || !std::regex_search(cmake.text, match, pattern)) continue;
    std::istringstream words(match[2]);
    Names depends;
    for (std::string word; words >> word;) {
      depends.insert(AllowedRooms().contains("launch/" + word) ? "launch/" + word : word);
    }
    for (const std::string& room : depends) {
      EXPECT_TRUE(AllowedRooms().at(cmake.room).contains(room)) << cmake.path << " links " << room;
    }
    for (const Source& source : CodeSources()) {
      if (source.room != cmake.room) continue;
      for (const Include& include : Includes(source.text)) {
        if (include.angled || include.first == cmake.room || !AllowedRooms().contains(include.first)) continue;
        EXPECT_TRUE(depends.contains(include.first))
            << cmake.path << " does not name " << include.first << ", which " << source.path << " includes";
      }
    }
  }
}

TEST(LayeringTest, EveryRoomHasAReadme) {
  for (const Source& cmake : ReadSources(std::regex("^CMakeLists\\.txt$"))) {
    if (cmake.room.empty()) continue;
    EXPECT_TRUE(fs::exists((autodidact::tests::SourceFolder() / cmake.path).replace_filename("README.md")))
        << cmake.room;
  }
}

TEST(LayeringTest, NoFileNamesAnAbsolutePathOfAMachine) {
  static const std::regex pattern(R"((^|[^A-Za-z0-9_.~}$-])/(work|root|home)/)");
  for (const Source& source :
       ReadSources(std::regex(R"(\.(h|cc|cu|md|sh|py|txt|cmake|ya?ml|json|sbatch|capnp)$|^run$)"))) {
    if (source.path.filename() == "layering_test.cc" || source.text.size() > (1u << 20)) continue;
    std::istringstream lines(source.text);
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number) {
      EXPECT_FALSE(std::regex_search(line, pattern)) << source.path << ":" << number << ": " << line;
    }
  }
}

TEST(LayeringCheckerTest, FindsWhatIsForbidden) {
  auto check = [](const std::string& room, const std::string& text) { return Violations({room, "x.cc", text}) != ""; };
  EXPECT_TRUE(check("actors", "#include \"learner/queue.h\"\n"));
  EXPECT_TRUE(check("base", "// first\n#include \"schema/types.h\"\n"));
  EXPECT_TRUE(check("learner", "#include \"launch/config/run_config.h\"\n"));
  EXPECT_TRUE(check("text", "#include <ATen/ATen.h>\n"));
  EXPECT_TRUE(check("learner", "#include <yaml-cpp/yaml.h>\n"));
  EXPECT_TRUE(check("learner", "  #  include <mpi.h>\n"));
  EXPECT_TRUE(check("schema", "#include <boost/any.hpp>\n"));
  EXPECT_TRUE(check("net", "#include \"flow.capnp.h\"\n"));
  EXPECT_TRUE(check("answers", "#include \"mathematics/parse.h\"\n")) << "a private header";
  EXPECT_TRUE(check("model", "#include \"safetensors.h\"\n")) << "an include without its room";
}

TEST(LayeringCheckerTest, AcceptsWhatIsAllowed) {
  auto check = [](const std::string& room, const std::string& text) { return Violations({room, "x.cc", text}); };
  EXPECT_EQ(check("actors", "#include \"engine/engine.h\"\n#include \"actors/courier.h\"\n#include <vector>\n"), "");
  EXPECT_EQ(check("collective", "#include <mpi.h>\n#include <sys/wait.h>\n#include <c10/core/Stream.h>\n"), "");
  EXPECT_EQ(check("launch/wiring", "#include \"launch/config/rules.h\"\n"), "");
  EXPECT_EQ(check("launch", "#include <CLI/CLI.hpp>\n#include \"learner/queue.h\"\n"), "");
  EXPECT_EQ(check("schema", "#include <capnp/message.h>\n#include \"flow.capnp.h\"\n"), "");
  EXPECT_EQ(check("answers", "#include \"mathematics/mathematics.h\"\n"), "");
  EXPECT_EQ(check("base", "// see #include \"learner/queue.h\"\n"), "");
}

}  // namespace
