// What is known of a key of a config.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace autodidact::launch {

// Whether a run that goes on may have another value of a key than it had.
enum class OnResume {
  kMustStay,   // what is sampled, asked, rewarded or learned from depends on it
  kMayChange,  // how fast and how long is learned, where and how quickly it is computed, what is measured and kept
  kByContent,  // names or picks what is read: that must stay, and may stand elsewhere
};

// What a description says of a key. A sentence alone leaves OnResume to the key's section, which says kMustStay unless
// it says something else.
struct About {
  About(const char* sentence) : help(sentence) {}  // NOLINT(google-explicit-constructor)
  About(const char* sentence, OnResume rule) : help(sentence), on_resume(rule) {}

  const char* help;
  std::optional<OnResume> on_resume = std::nullopt;
};
inline About MayChange(const char* help) {
  return {help, OnResume::kMayChange};
}
inline About ByContent(const char* help) {
  return {help, OnResume::kByContent};
}

// A key as its description says it.
struct KeyInfo {
  std::string name;      // in full: "train.max_steps"; of a list's items: "data[].file"
  std::string expected;  // "a whole number from 1 to 8 (tokens)"
  std::string fallback;  // its default, as YAML
  std::string help;
  OnResume on_resume = OnResume::kMustStay;
  // The same for programs: "string", "boolean", "integer", "number" or "object", or a list of it.
  std::string type = "string";
  bool list = false;
  std::optional<double> least = std::nullopt;
  std::optional<double> most = std::nullopt;
  bool or_zero = false;  // 0 too, below `least`
  std::vector<std::string> names = {};
};

// What to say about a key that no description names: the key that is meant, or where it stands.
class KeyGuide {
 public:
  // `others`: what the keys of the other kind of config belong to, "autodidact sft".
  KeyGuide(std::vector<KeyInfo> keys, std::vector<KeyInfo> other_keys, std::string others);

  // "expected a key of train: did you mean max_steps?" `known`: the keys of the section.
  std::string Advise(const std::string& section, const std::string& key, const std::vector<std::string>& known) const;
  const KeyInfo* Find(const std::string& name) const;
  // The full names of the keys that are meant by a name without its section, or by what other programs call them.
  std::vector<std::string> Meant(const std::string& name) const;

 private:
  std::vector<std::string> SectionsOf(const std::string& last) const;

  std::vector<KeyInfo> keys_;
  std::vector<KeyInfo> other_keys_;
  std::string others_;
};

}  // namespace autodidact::launch
