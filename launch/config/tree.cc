#include "launch/config/tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <fstream>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/format.h"
#include "launch/config/rules.h"
#include "text/unicode.h"

namespace autodidact::launch {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr int kMostValues = 100'000;
constexpr int kMostDepth = 32;

using Kind = ConfigNode::Kind;

// Takes a document for its form alone.
class Unheeding final : public YAML::EventHandler {
  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnAlias(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnScalar(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& /*value*/) override {}
  void OnSequenceStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {}
  void OnMapEnd() override {}
};

// Reads two of them at most: yaml-cpp takes a token that no document begins with for an empty one, and never passes it.
bool HasSeveralDocuments(const std::string& bytes) {
  std::istringstream stream(bytes);
  YAML::Parser parser(stream);
  Unheeding handler;
  return parser.HandleNextDocument(handler) && parser.HandleNextDocument(handler);
}

std::string ReadText(const std::filesystem::path& file) {
  const std::string name = file.string();
  if (std::filesystem::is_directory(file)) {
    base::ThrowBadInput(name + ": got a folder, expected a YAML file: name the file in it");
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    base::ThrowBadInput(
        base::Format("{}: there is no such file, or it cannot be read, expected a YAML file: check the "
                     "path (the working folder is {})",
                     name, std::filesystem::current_path().string()));
  }
  std::string bytes(kMostBytes + 1, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  if (bytes.size() > kMostBytes) {
    base::ThrowBadInput(name +
                        ": got more than 1 MiB, expected a config: data belongs into files that the config names");
  }
  return bytes;
}

void RequireText(const std::string& name, const std::string& bytes) {
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF") || bytes.find('\0') != std::string::npos) {
    base::ThrowBadInput(name + ": got UTF-16 or a binary file, expected YAML in UTF-8: save it as UTF-8");
  }
  if (text::IsValidUtf8(bytes)) return;
  std::int64_t line = 1;
  std::istringstream lines(bytes);
  for (std::string each; std::getline(lines, each); ++line) {
    if (!text::IsValidUtf8(each)) break;
  }
  base::ThrowBadInput(
      base::Format("{}:{}: got bytes that are not valid UTF-8, expected UTF-8: save the file as UTF-8", name, line));
}

std::string LineOf(const std::string& text, int line) {
  std::istringstream lines(text);
  std::string found;
  for (int i = 0; i <= line && std::getline(lines, found); ++i) {
  }
  return found;
}

// What is most often behind a line that YAML does not take.
std::string YamlAdvice(const std::string& error, const std::string& line) {
  if (error.find("flow") != std::string::npos) return "close the bracket, or put a text that begins with one in quotes";
  if (error.find("EOF in scalar") != std::string::npos) return "close the quotes";
  if (line.find('\t') != std::string::npos) return "the line holds a tab: indent with spaces";
  const auto colon = line.find(": ");
  const std::string value = colon == std::string::npos ? line : line.substr(colon + 2);
  const auto first = value.find_first_not_of(' ');
  if (first != std::string::npos && std::string("{[*&!%@`|>").find(value[first]) != std::string::npos) {
    return base::Format("a text that begins with {} must stand in quotes", value[first]);
  }
  if (value.find(": ") != std::string::npos) return "a text that holds \": \" must stand in quotes";
  return "check indentation, brackets and quotes here and in the line before";
}

[[noreturn]] void ThrowYaml(const std::string& place, const YAML::Exception& error, const std::string& line) {
  std::string shown = line.substr(line.find_first_not_of(" \r") == std::string::npos ? 0 : line.find_first_not_of(' '));
  while (shown.ends_with('\r')) shown.pop_back();
  const std::string at = shown.empty() ? "the end of the text" : Quoted(shown);
  base::ThrowBadInput(
      base::Format("{}: got {}, expected YAML ({}): {}", place, at, error.msg, YamlAdvice(error.msg, line)));
}

// Copies yaml-cpp's nodes, which aliases may share, into a tree of limited size.
class Copier {
 public:
  // `override`: the text of a --set; empty: the nodes stand in the file.
  Copier(std::string file, std::string override, ConfigProblems& problems)
      : file_(std::move(file)), override_(std::move(override)), problems_(problems) {}

  ConfigNode Copy(const YAML::Node& from, const std::string& path, int depth = 0) {
    if (++count_ > kMostValues) {
      base::ThrowBadInput(
          base::Format("{}: got more than {} values, expected a config: aliases (*name) are counted as "
                       "often as they are used; write fewer",
                       file_, kMostValues));
    }
    ConfigNode node;
    node.place = PlaceOf(from);
    node.overridden = !override_.empty();
    if (depth > kMostDepth) {
      base::ThrowBadInput(
          base::Format("{}: got values nested deeper than {}, expected sections of keys: take out the "
                       "needless brackets or the alias (*name) of itself",
                       node.place.text, kMostDepth));
    }
    if (from.IsScalar()) {
      node.kind = Kind::kScalar;
      node.text = from.Scalar();
      node.quoted = from.Tag() == "!";
    } else if (from.IsSequence()) {
      node.kind = Kind::kList;
      for (std::size_t i = 0; i < from.size(); ++i) {
        node.children.push_back(Copy(from[i], base::Format("{}[{}]", path, i), depth + 1));
      }
    } else if (from.IsMap()) {
      node.kind = Kind::kSection;
      for (const auto& entry : from) CopyMember(entry.first, entry.second, path, depth, node);
    }
    return node;
  }

 private:
  void CopyMember(const YAML::Node& key, const YAML::Node& value, const std::string& path, int depth,
                  ConfigNode& section) {
    const ConfigPlace place = PlaceOf(key);
    if (!key.IsScalar()) {
      problems_.Add(place, path,
                    "got a key that is a list or a section, expected KEY: VALUE: a text that begins with { or [ must "
                    "stand in quotes");
      return;
    }
    const std::string& name = key.Scalar();
    const std::string full = path.empty() ? name : path + "." + name;
    if (const ConfigNode* first = section.Child(name)) {
      problems_.Add(place, full,
                    base::Format("got it twice, first in {}, expected it once: join the two", first->key_place.text));
      return;
    }
    ConfigNode child = Copy(value, full, depth + 1);
    child.key = name;
    child.key_place = place;
    if (child.kind == Kind::kNothing || child.place.text.empty()) child.place = place;
    section.children.push_back(std::move(child));
  }

  ConfigPlace PlaceOf(const YAML::Node& node) const {
    if (!override_.empty()) return {"--set " + override_, INT_MAX};
    const YAML::Mark mark = node.Mark();
    if (mark.is_null()) return {};
    return {base::Format("{}:{}", file_, mark.line + 1), mark.line + 1};
  }

  std::string file_;
  std::string override_;
  ConfigProblems& problems_;
  int count_ = 0;
};

// "data[0].file" and "data.0.file" -> data, 0, file.
std::vector<std::string> PartsOf(const std::string& path) {
  std::string plain;
  for (const char c : path) {
    if (c == '[') plain += '.';
    if (c != '[' && c != ']') plain += c;
  }
  std::vector<std::string> keys;
  std::istringstream stream(plain);
  for (std::string key; std::getline(stream, key, '.');) keys.push_back(key);
  if (plain.empty() || plain.ends_with('.')) keys.emplace_back();
  return keys;
}

// The values of `from` go over those of `to`: sections key by key, all else as a whole.
void Merge(ConfigNode& to, ConfigNode from) {
  if (to.kind != Kind::kSection || from.kind != Kind::kSection) {
    from.key = to.key;
    from.key_place = from.place;
    to = std::move(from);
    return;
  }
  for (ConfigNode& child : from.children) {
    if (ConfigNode* known = to.Child(child.key)) {
      Merge(*known, std::move(child));
    } else {
      to.children.push_back(std::move(child));
    }
  }
}

// The child of a section, made where it is missing, or of a list; null with a problem where there can be none.
ConfigNode* Step(ConfigNode& node, const std::string& key, const ConfigPlace& place, ConfigProblems& problems) {
  if (node.kind == Kind::kNothing) node.kind = Kind::kSection;
  if (node.kind == Kind::kList) {
    const bool number = !key.empty() && key.size() < 6 && key.find_first_not_of("0123456789") == std::string::npos;
    if (number && std::stoul(key) < node.children.size()) return &node.children[std::stoul(key)];
    problems.Add(place, "",
                 base::Format("got \"{}\" behind a list of {}, expected the number of an item: write one from 0, or "
                              "set the whole list as in --set 'KEY=[a, b]'",
                              key, node.children.size()));
    return nullptr;
  }
  if (node.kind == Kind::kScalar) {
    problems.Add(place, "",
                 base::Format("got \"{}\" behind {}, which is a value, expected a section there: leave out .{}", key,
                              node.key, key));
    return nullptr;
  }
  if (ConfigNode* known = node.Child(key)) return known;
  ConfigNode child;
  child.key = key;
  child.place = child.key_place = place;
  child.overridden = true;
  return &node.children.emplace_back(std::move(child));
}

void Override(ConfigNode& root, const std::string& text, const std::string& file, ConfigProblems& problems) {
  const ConfigPlace place{"--set " + text, INT_MAX};
  const auto equals = text.find('=');
  const std::vector<std::string> keys = PartsOf(text.substr(0, equals));
  if (equals == std::string::npos || std::find(keys.begin(), keys.end(), "") != keys.end()) {
    problems.Add(place, "",
                 base::Format("got {}, expected KEY=VALUE: write it as --set train.max_steps=10",
                              equals == std::string::npos ? "no =" : "an empty key"));
    return;
  }
  const std::string written = text.substr(equals + 1);
  ConfigNode value;
  try {
    value = Copier(file, text, problems).Copy(YAML::Load(written), text.substr(0, equals));
  } catch (const YAML::Exception& error) {
    problems.Add(place, "",
                 base::Format("got {}, expected a value in YAML ({}): put a text with {{ [ : or # in quotes of its "
                              "own, as in --set 'prompt.text=\"{{prompt}} =\"'",
                              Quoted(written), error.msg));
    return;
  }
  value.place = place;
  ConfigNode* node = &root;
  for (const std::string& key : keys) {
    if (node = Step(*node, key, place, problems); node == nullptr) return;
  }
  Merge(*node, std::move(value));
}

}  // namespace

const ConfigNode* ConfigNode::Child(const std::string& name) const {
  const auto found = std::find_if(children.begin(), children.end(), [&](const ConfigNode& c) { return c.key == name; });
  return kind == Kind::kSection && found != children.end() ? &*found : nullptr;
}

ConfigNode* ConfigNode::Child(const std::string& name) {
  return const_cast<ConfigNode*>(std::as_const(*this).Child(name));
}

void ConfigProblems::Add(const ConfigPlace& place, const std::string& key, const std::string& what) {
  if (!key.empty() && Has(key)) return;
  problems_.push_back({place, key, what});
}

void ConfigProblems::Warn(const ConfigPlace& place, const std::string& key, const std::string& what) {
  warnings_.push_back({place, key, what});
}

bool ConfigProblems::Has(const std::string& key) const {
  return std::any_of(problems_.begin(), problems_.end(), [&](const Problem& problem) {
    return !problem.key.empty() &&
           (problem.key == key || key.starts_with(problem.key + ".") || key.starts_with(problem.key + "["));
  });
}

namespace {

std::string Line(const std::string& file, const ConfigPlace& place, const std::string& key, const std::string& what) {
  return (place.text.empty() ? file : place.text) + ": " + (key.empty() ? "" : key + ": ") + what;
}

}  // namespace

void ConfigProblems::ThrowIfAny() const {
  if (problems_.empty()) return;
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Problem& a, const Problem& b) { return a.place.order < b.place.order; });
  std::string message;
  if (sorted.size() > 1) message = base::Format("{}: {} errors", file_, sorted.size());
  for (const Problem& problem : sorted) {
    message += (message.empty() ? "" : "\n  ") + Line(file_, problem.place, problem.key, problem.message);
  }
  base::ThrowBadInput(message);
}

std::vector<std::string> ConfigProblems::warnings() const {
  std::vector<std::string> lines;
  for (const Problem& warning : warnings_) lines.push_back(Line(file_, warning.place, warning.key, warning.message));
  return lines;
}

ConfigNode LoadConfigTree(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                          ConfigProblems& problems) {
  const std::string name = file.string();
  const std::string bytes = ReadText(file);
  RequireText(name, bytes);
  ConfigNode root;
  try {
    // A quote that is never closed is found only where no line follows it.
    if (HasSeveralDocuments(bytes.substr(0, bytes.find_last_not_of(" \r\n") + 1))) {
      base::ThrowBadInput(name +
                          ": got several YAML documents, expected one: take out the lines of ---, and what no entry "
                          "begins with (one of , ] and })");
    }
    root = Copier(name, "", problems).Copy(YAML::Load(bytes), "");
  } catch (const YAML::Exception& error) {
    const int line = error.mark.is_null() ? 0 : error.mark.line;
    ThrowYaml(base::Format("{}:{}", name, line + 1), error, LineOf(bytes, line));
  }
  if (root.kind == Kind::kNothing) root.kind = Kind::kSection;
  if (root.kind != Kind::kSection) {
    base::ThrowBadInput(base::Format("{}: got {}, expected lines of KEY: VALUE: write model: models/mine and so on",
                                     root.place.text.empty() ? name : root.place.text,
                                     root.kind == Kind::kList ? "a list" : "the text " + Quoted(root.text)));
  }
  for (const std::string& text : overrides) Override(root, text, name, problems);
  return root;
}

const ConfigNode* FindNode(const ConfigNode& root, const std::string& key) {
  const ConfigNode* node = &root;
  std::istringstream stream(key);
  for (std::string part; node != nullptr && std::getline(stream, part, '.');) {
    const auto bracket = part.find('[');
    node = node->Child(part.substr(0, bracket));
    if (node != nullptr && bracket != std::string::npos) {
      const std::size_t index = std::stoul(part.substr(bracket + 1));
      node = index < node->children.size() ? &node->children[index] : nullptr;
    }
  }
  return node;
}

}  // namespace autodidact::launch
