#include "text/normalizer.h"

#include <algorithm>
#include <memory>

#include "text/pattern.h"
#include "text/unicode.h"

namespace autodidact::text {
namespace {

constexpr const char* kNormalizers = "Sequence, NFC, NFD, NFKC, NFKD, Prepend, Replace, Lowercase, Strip, StripAccents";

// Characters below U+0300 neither compose nor change order; their first bytes lie below 0xCC.
bool IsSurelyComposed(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0xCC; });
}

void Strip(bool left, bool right, std::string* text) {
  std::size_t begin = text->size(), end = 0;
  for (std::size_t position = 0; position < text->size();) {
    const std::size_t start = position;
    if (IsSpace(NextChar(*text, &position))) continue;
    begin = std::min(begin, start);
    end = position;
  }
  if (!left) begin = 0;
  if (!right) end = text->size();
  *text = begin < end ? text->substr(begin, end - begin) : "";
}

}  // namespace

void Normalizer::Apply(std::string* text) const {
  for (const auto& step : steps_) step(text);
}

void Normalizer::Add(const Part& part) {
  if (part.value().is_null()) return;
  const std::string type = part.String("type");
  const auto add_form = [this](NormalForm form) {
    steps_.push_back([form](std::string* text) {
      if (form == NormalForm::kNfc && IsSurelyComposed(*text)) return;
      *text = Normalize(*text, form);
    });
  };
  if (type == "Sequence") {
    for (const Part& element : part.List("normalizers")) Add(element);
  } else if (type == "NFC") {
    add_form(NormalForm::kNfc);
  } else if (type == "NFD") {
    add_form(NormalForm::kNfd);
  } else if (type == "NFKC") {
    add_form(NormalForm::kNfkc);
  } else if (type == "NFKD") {
    add_form(NormalForm::kNfkd);
  } else if (type == "Prepend") {
    steps_.push_back([prefix = part.String("prepend")](std::string* text) {
      if (!text->empty()) text->insert(0, prefix);
    });
  } else if (type == "Replace") {
    AddReplace(part);
  } else if (type == "Lowercase") {
    steps_.push_back([](std::string* text) { *text = Lowercase(*text); });
  } else if (type == "Strip") {
    const bool left = part.Bool("strip_left", true), right = part.Bool("strip_right", true);
    steps_.push_back([left, right](std::string* text) { Strip(left, right, text); });
  } else if (type == "StripAccents") {
    steps_.push_back([](std::string* text) { *text = StripAccents(*text); });
  } else {
    part.ThrowUnsupported(type, kNormalizers);
  }
}

void Normalizer::AddReplace(const Part& part) {
  const auto pattern = std::make_shared<const Pattern>(part.At("pattern"));
  steps_.push_back(
      [pattern, content = part.String("content")](std::string* text) { *text = pattern->Replace(*text, content); });
}

}  // namespace autodidact::text
