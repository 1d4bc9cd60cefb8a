// The values of a config file with the overrides of the command line put over them, each with the place where it was
// written. The only reader of YAML.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace autodidact::launch {

// Where something was written: "run.yaml:12" or "--set train.max_steps=3".
struct ConfigPlace {
  std::string text;
  int order = 0;  // of messages: lines of the file, then the overrides
};

struct ConfigNode {
  enum class Kind { kNothing, kScalar, kList, kSection };

  Kind kind = Kind::kNothing;
  std::string text = {};                  // of a scalar
  bool quoted = false;                    // a scalar in quotes or of several lines
  std::vector<ConfigNode> children = {};  // of a list or a section
  ConfigPlace place = {};
  std::string key = {};  // under which it stands in its section
  ConfigPlace key_place = {};
  bool overridden = false;  // from the command line

  // The child of this key; null where there is none.
  const ConfigNode* Child(const std::string& name) const;
  ConfigNode* Child(const std::string& name);
};

// What was wrong with a config, all of it. A key that was found wrong once is not told of again.
class ConfigProblems {
 public:
  explicit ConfigProblems(std::string file) : file_(std::move(file)) {}

  const std::string& file() const { return file_; }
  // `key` may be empty: the file as a whole.
  void Add(const ConfigPlace& place, const std::string& key, const std::string& what);
  void Warn(const ConfigPlace& place, const std::string& key, const std::string& what);
  // Whether something was found wrong with the key, or with a section that it stands in.
  bool Has(const std::string& key) const;

  // Error(kBadInput): one line if there is one problem, else a line each below how many there are.
  void ThrowIfAny() const;
  std::vector<std::string> warnings() const;

 private:
  struct Problem {
    ConfigPlace place;
    std::string key;
    std::string message;
  };

  std::string file_;
  std::vector<Problem> problems_;
  std::vector<Problem> warnings_;
};

// The section that the file holds, with the overrides ("a.b=value", the value in YAML) put over it. A file that cannot
// be read or parsed is Error(kBadInput) at once; a key that is given twice and an override that cannot be placed are
// problems. A config is at most 1 MiB, of at most 100,000 values (aliases counted as often as they are used).
ConfigNode LoadConfigTree(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                          ConfigProblems& problems);

// The value of a full key ("train.max_steps"), null where none was given.
const ConfigNode* FindNode(const ConfigNode& root, const std::string& key);

}  // namespace autodidact::launch
