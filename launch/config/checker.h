// Checks of what the keys of a config say together, after each was read by itself.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/format.h"
#include "engine/config.h"
#include "launch/config/rules.h"
#include "launch/config/tree.h"

namespace autodidact::launch {

// Turns what is wrong with a key into a problem that says where the key stands. Borrows both.
class ConfigChecker {
 public:
  ConfigChecker(const ConfigNode& root, ConfigProblems& problems) : root_(root), problems_(problems) {}

  // Whether the config gives a value for the key.
  bool Given(const std::string& key) const;

  // `what`: "got …, expected …: what to do". `cause`: another key, whose place is told where `key` is left out.
  void Fail(const std::string& key, const std::string& what, const std::string& cause = {}) const;
  void Warn(const std::string& key, const std::string& what) const;
  // Runs a check that throws on its own.
  template <class Check>
  void Named(const std::string& key, Check check, const std::string& cause = {}) const {
    try {
      check();
    } catch (const base::Error& error) {
      Fail(key, error.message(), cause);
    }
  }

  // The text has its placeholder, which stands for `what`.
  void Holds(const std::string& key, const std::string& text, const std::string& placeholder,
             const std::string& what) const;
  // A file of JSON lines that is there.
  void JsonLines(const std::string& key, const std::string& path) const;
  void File(const std::string& key, const std::string& path) const;
  // A folder that is there and holds a config.json.
  void ModelFolder(const std::string& key, const std::string& path, const std::string& cause = {}) const;
  // How tokens are drawn, as far as the keys have to do with each other.
  void Sampling(const std::string& section, const engine::SamplingParams& keys) const;

 private:
  bool NoPath(const std::string& key, const std::string& path, const std::string& expected) const;
  ConfigPlace PlaceOf(const std::string& key, const std::string& cause = {}) const;

  const ConfigNode& root_;
  ConfigProblems& problems_;
};

}  // namespace autodidact::launch
