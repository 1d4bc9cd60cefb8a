#include "text/post_processor.h"

#include "base/format.h"

namespace autodidact::text {
namespace {

TokenId CheckedId(const json::Json& value, const Part& part) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > INT32_MAX) {
    part.Throw("found " + json::Describe(value) + ", expected a token id");
  }
  return value.get<TokenId>();
}

// ["</s>", 2]
TokenId IdOfPair(const Part& part) {
  const json::Json& pair = part.value();
  if (!pair.is_array() || pair.size() != 2) part.Throw("expected [token, id]");
  return CheckedId(pair[1], part);
}

}  // namespace

void PostProcessor::Add(const Part& part) {
  if (part.value().is_null()) return;
  const std::string type = part.String("type");
  if (type == "Sequence") {
    for (const Part& element : part.List("processors")) Add(element);
  } else if (type == "TemplateProcessing") {
    AddTemplate(part);
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    before_.insert(before_.begin(), IdOfPair(part.At("cls")));
    after_.push_back(IdOfPair(part.At("sep")));
  } else if (type != "ByteLevel") {  // which moves offsets only
    part.ThrowUnsupported(type, "Sequence, TemplateProcessing, ByteLevel, BertProcessing, RobertaProcessing");
  }
}

void PostProcessor::AddTemplate(const Part& part) {
  const Part known = part.At("special_tokens");
  std::vector<TokenId> before, after;
  bool seen_text = false;
  for (const Part& piece : part.List("single")) {
    if (piece.value().is_object() && piece.value().contains("Sequence")) {
      if (seen_text) piece.Throw("the text stands twice in the template");
      seen_text = true;
      continue;
    }
    const Part token = known.At(piece.At("SpecialToken").String("id"));
    for (const Part& id : token.List("ids")) (seen_text ? after : before).push_back(CheckedId(id.value(), id));
  }
  if (!seen_text) part.Throw("the template has no place for the text");
  before_.insert(before_.begin(), before.begin(), before.end());
  after_.insert(after_.end(), after.begin(), after.end());
}

}  // namespace autodidact::text
