#include "text/tokenizer_file.h"

#include <optional>

#include "base/error.h"
#include "base/format.h"
#include "json/dom_builder.h"

namespace autodidact::text {
namespace {

using json::Json;

// Takes model.vocab and model.merges out of the stream; passes everything else on.
class FileSax : public json::DomBuilder {
 public:
  explicit FileSax(TokenizerFile* file) : file_(file) {}

  bool null() {
    return Scalar([&] { return DomBuilder::null(); });
  }
  bool boolean(bool value) {
    return Scalar([&] { return DomBuilder::boolean(value); });
  }
  bool number_float(number_float_t value, const string_t& text) {
    return Scalar([&] { return DomBuilder::number_float(value, text); });
  }
  bool number_integer(number_integer_t value) {
    return state_ == State::kOutside ? DomBuilder::number_integer(value) : AddId(value);
  }
  bool number_unsigned(number_unsigned_t value) {
    return state_ == State::kOutside ? DomBuilder::number_unsigned(value) : AddId(static_cast<std::int64_t>(value));
  }
  bool string(string_t& value);
  bool key(string_t& name);
  bool start_object(std::size_t size);
  bool end_object();
  bool start_array(std::size_t size);
  bool end_array();

 private:
  enum class State { kOutside, kVocab, kMerges, kPair };

  template <class Fn>
  bool Scalar(Fn pass_on) {
    return state_ == State::kOutside ? pass_on() : Wrong();
  }
  bool Wrong() {
    return Fail(state_ == State::kVocab ? "model.vocab: expected {\"token\": id, …}"
                                        : "model.merges: expected \"left right\" or [\"left\", \"right\"]");
  }
  bool AddId(std::int64_t id);

  TokenizerFile* file_;
  State state_ = State::kOutside;
  bool in_model_ = false;
  std::string key_;    // the last key outside the long lists
  std::string token_;  // the last key of model.vocab
  std::vector<std::string> pair_;
};

bool FileSax::key(string_t& name) {
  if (state_ == State::kVocab) {
    token_ = std::move(name);
    return true;
  }
  key_ = name;
  return DomBuilder::key(name);
}

bool FileSax::AddId(std::int64_t id) {
  if (state_ != State::kVocab) return Wrong();
  file_->vocab.emplace_back(std::move(token_), id);
  return true;
}

bool FileSax::string(string_t& value) {
  if (state_ == State::kOutside) return DomBuilder::string(value);
  if (state_ == State::kPair) {
    pair_.push_back(std::move(value));
    return true;
  }
  if (state_ == State::kVocab) return Wrong();
  const std::size_t space = value.find(' ');
  if (space == std::string::npos || value.find(' ', space + 1) != std::string::npos) return Wrong();
  file_->merges.emplace_back(value.substr(0, space), value.substr(space + 1));
  return true;
}

bool FileSax::start_object(std::size_t size) {
  if (state_ != State::kOutside) return Wrong();
  if (depth() == 1 && key_ == "model") in_model_ = true;
  if (in_model_ && depth() == 2 && key_ == "vocab") {
    state_ = State::kVocab;
    return true;
  }
  return DomBuilder::start_object(size);
}

bool FileSax::end_object() {
  if (state_ == State::kVocab) {
    state_ = State::kOutside;
    return true;
  }
  if (depth() == 2) in_model_ = false;
  return DomBuilder::end_object();
}

bool FileSax::start_array(std::size_t size) {
  if (state_ == State::kMerges) {
    state_ = State::kPair;
    pair_.clear();
    return true;
  }
  if (state_ != State::kOutside) return Wrong();
  if (in_model_ && depth() == 2 && key_ == "merges") {
    state_ = State::kMerges;
    return true;
  }
  return DomBuilder::start_array(size);
}

bool FileSax::end_array() {
  if (state_ == State::kPair) {
    if (pair_.size() != 2) return Wrong();
    file_->merges.emplace_back(std::move(pair_[0]), std::move(pair_[1]));
    state_ = State::kMerges;
    return true;
  }
  if (state_ == State::kMerges) {
    state_ = State::kOutside;
    return true;
  }
  return DomBuilder::end_array();
}

}  // namespace

TokenizerFile ReadTokenizerFile(const std::filesystem::path& path) {
  const std::string text = json::ReadFile(path);
  TokenizerFile file;
  file.path = path.string();
  FileSax sax(&file);
  if (!Json::sax_parse(text.begin(), text.end(), &sax)) json::ThrowParseError(path, text, sax);
  file.parts = std::move(sax.root());
  if (!file.parts.is_object()) {
    base::ThrowBadInput(base::Format("{}: found {}, expected an object", file.path, json::Describe(file.parts)));
  }
  return file;
}

Part Part::At(const std::string& key) const {
  if (!value_->is_object()) Throw("found " + json::Describe(*value_) + ", expected an object");
  auto it = value_->find(key);
  if (it == value_->end()) Throw("the key '" + key + "' is missing");
  return {*it, where_ + "." + key};
}

std::vector<Part> Part::List(const std::string& key) const {
  const Part list = At(key);
  if (!list.value().is_array()) list.Throw("found " + json::Describe(list.value()) + ", expected a list");
  std::vector<Part> elements;
  for (const Json& element : list.value()) {
    elements.emplace_back(element, base::Format("{}[{}]", list.where(), elements.size()));
  }
  return elements;
}

bool Part::Bool(const std::string& key, bool otherwise) const {
  if (!value_->is_object()) Throw("found " + json::Describe(*value_) + ", expected an object");
  auto it = value_->find(key);
  if (it == value_->end() || it->is_null()) return otherwise;
  if (!it->is_boolean()) Throw(base::Format("the key '{}' holds {}, expected true or false", key, json::Describe(*it)));
  return it->get<bool>();
}

std::string Part::StringOr(const std::string& key, const std::string& otherwise) const {
  if (!value_->is_object()) Throw("found " + json::Describe(*value_) + ", expected an object");
  auto it = value_->find(key);
  if (it == value_->end() || it->is_null()) return otherwise;
  return String(key);
}

void Part::Throw(const std::string& message) const {
  base::ThrowBadInput(where_ + ": " + message);
}

void Part::ThrowUnsupported(const std::string& type, const char* supported) const {
  Throw(base::Format("type '{}' is not supported; supported are {}", type, supported));
}

}  // namespace autodidact::text
