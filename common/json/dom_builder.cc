#include "json/dom_builder.h"

#include <utility>

namespace autodidact::json {

bool DomBuilder::key(string_t& name) {
  if (repeated_ == RepeatedKey::kRefused && open_.back()->contains(name)) {
    return Fail("an object has the key '" + name + "' twice");
  }
  key_ = std::move(name);
  return true;
}

Json* DomBuilder::Place(Json value) {
  if (open_.empty()) {
    root_ = std::move(value);
    return &root_;
  }
  Json& parent = *open_.back();
  if (parent.is_array()) {
    parent.push_back(std::move(value));
    return &parent.back();
  }
  Json& member = parent[key_];
  member = std::move(value);
  return &member;
}

bool DomBuilder::Add(Json value) {
  Place(std::move(value));
  return true;
}

bool DomBuilder::Open(Json container) {
  if (open_.size() >= static_cast<std::size_t>(kMaxDepth)) {
    return Fail("nested deeper than " + std::to_string(kMaxDepth) + " levels");
  }
  // A container's siblings are added only after it was closed, so the pointer stays valid while it is open.
  open_.push_back(Place(std::move(container)));
  return true;
}

bool DomBuilder::Close() {
  open_.pop_back();
  return true;
}

bool DomBuilder::Fail(std::string message) {
  error_ = std::move(message);
  return false;
}

bool DomBuilder::parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) {
  error_ = error.what();
  // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while …"
  if (auto text = error_.find("] "); text != std::string::npos) error_.erase(0, text + 2);
  if (error_.starts_with("parse error at ")) {
    if (auto text = error_.find(": "); text != std::string::npos) error_.erase(0, text + 2);
  }
  error_position_ = position;
  return false;
}

}  // namespace autodidact::json
