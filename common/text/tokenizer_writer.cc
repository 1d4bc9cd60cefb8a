#include "text/tokenizer_writer.h"

#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "base/format.h"
#include "text/unicode.h"

namespace autodidact::text {
namespace {

using json::Json;

Json AddedTokens(const TokenizerSpec& spec) {
  Json list = Json::array();
  for (const std::string& token : spec.special_tokens) {
    list.push_back(Json{{"id", list.size()},
                        {"content", token},
                        {"single_word", false},
                        {"lstrip", false},
                        {"rstrip", false},
                        {"normalized", false},
                        {"special", true}});
  }
  return list;
}

Json Template(const TokenizerSpec& spec) {
  if (spec.bos_token.empty()) return nullptr;
  const auto place = std::find(spec.special_tokens.begin(), spec.special_tokens.end(), spec.bos_token);
  const auto id = place - spec.special_tokens.begin();
  const auto special = [&](int type) {
    return Json{{"SpecialToken", Json{{"id", spec.bos_token}, {"type_id", type}}}};
  };
  const auto text = [](const char* name, int type) {
    return Json{{"Sequence", Json{{"id", name}, {"type_id", type}}}};
  };
  const Json token{{"id", spec.bos_token}, {"ids", Json::array({id})}, {"tokens", Json::array({spec.bos_token})}};
  return Json{{"type", "TemplateProcessing"},
              {"single", Json::array({special(0), text("A", 0)})},
              {"pair", Json::array({special(0), text("A", 0), special(1), text("B", 1)})},
              {"special_tokens", Json{{spec.bos_token, token}}}};
}

// The lists are written by hand: an object of the JSON library searches its keys one by one.
std::string DumpModel(const Json& model, const std::vector<std::string>& vocab,
                      const std::vector<std::pair<std::string, std::string>>& merges) {
  std::string text = json::Dump(model);
  text.back() = ',';
  text += "\"vocab\":{";
  for (std::size_t id = 0; id < vocab.size(); ++id) {
    text += base::Format("{}{}:{}", id == 0 ? "" : ",", json::Dump(vocab[id]), id);
  }
  text += '}';
  if (!merges.empty()) {
    text += ",\"merges\":[";
    for (const auto& [left, right] : merges) text += json::Dump(left + " " + right) + ",";
    text.back() = ']';
  } else if (model["type"] == "BPE") {
    text += ",\"merges\":[]";
  }
  return text + '}';
}

Json TokenizerConfig(const TokenizerSpec& spec) {
  Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
  const auto& special = spec.special_tokens;
  const auto name = [&](const char* key, const std::string& token) {
    if (std::find(special.begin(), special.end(), token) != special.end()) config[key] = token;
  };
  name("bos_token", spec.bos_token);
  name("eos_token", "<eos>");
  name("pad_token", "<pad>");
  name("unk_token", "<unk>");
  return config;
}

}  // namespace

void CheckSpec(const TokenizerSpec& spec, const std::string& where) {
  std::unordered_set<std::string> seen;
  for (const std::string& token : spec.special_tokens) {
    if (token.empty() || !IsValidUtf8(token)) base::ThrowBadInput(where + ": a special token is empty or not UTF-8");
    if (!seen.insert(token).second) {
      base::ThrowBadInput(base::Format("{}: the special token '{}' is listed twice", where, token));
    }
  }
  if (!spec.bos_token.empty() && !seen.contains(spec.bos_token)) {
    base::ThrowBadInput(base::Format("{}: bos_token '{}' is not a special token", where, spec.bos_token));
  }
}

void WriteTokenizer(const TokenizerSpec& spec, const Json& parts, const std::vector<std::string>& vocab,
                    const std::vector<std::pair<std::string, std::string>>& merges, const std::filesystem::path& file) {
  const Json head = {{"version", "1.0"},
                     {"truncation", nullptr},
                     {"padding", nullptr},
                     {"added_tokens", AddedTokens(spec)},
                     {"normalizer", nullptr},
                     {"pre_tokenizer", parts["pre_tokenizer"]},
                     {"post_processor", Template(spec)},
                     {"decoder", parts["decoder"]}};
  std::string text = json::Dump(head);
  text.back() = ',';
  json::WriteFile(file, text + "\"model\":" + DumpModel(parts["model"], vocab, merges) + "}\n");
  json::WriteFile(file.parent_path() / "tokenizer_config.json", TokenizerConfig(spec).dump(2) + "\n");
}

void WriteSymbolTokenizer(const TokenizerSpec& spec, const std::vector<std::string>& symbols,
                          const std::filesystem::path& file) {
  const std::string where = file.string();
  CheckSpec(spec, where);
  std::vector<std::string> vocab = spec.special_tokens;
  std::unordered_set<std::string> seen(vocab.begin(), vocab.end());
  for (const std::string& symbol : symbols) {
    if (symbol.empty() || symbol.find(' ') != std::string::npos || !IsValidUtf8(symbol)) {
      base::ThrowBadInput(base::Format("{}: the symbol '{}' is empty, holds a space or is not UTF-8", where, symbol));
    }
    if (seen.insert(symbol).second) vocab.push_back(symbol);
  }
  const Json split{{"type", "Split"}, {"pattern", Json{{"String", " "}}}, {"behavior", "Removed"}, {"invert", false}};
  const Json parts{
      {"pre_tokenizer", split}, {"decoder", nullptr}, {"model", Json{{"type", "WordLevel"}, {"unk_token", "<unk>"}}}};
  WriteTokenizer(spec, parts, vocab, {}, file);
}

}  // namespace autodidact::text
