#include "text/chat_source.h"

#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"

namespace autodidact::text {
namespace {

using json::Json;

constexpr const char* kSpecialTokens[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                          "pad_token", "cls_token", "mask_token"};

Json ObjectIn(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return Json::object();
  Json value = json::ParseFile(file);
  if (!value.is_object()) {
    base::ThrowBadInput(base::Format("{}: holds {}, expected an object", file.string(), json::Describe(value)));
  }
  return value;
}

// A token is a text, or an object that holds it as its content. Null when it is neither.
Json TokenText(const Json& token) {
  if (token.is_object() && token.contains("content")) return TokenText(token["content"]);
  return token.is_string() ? token : Json();
}

std::string SpecialTokensOf(const std::filesystem::path& folder) {
  Json tokens = Json::object();
  for (const char* name : {"special_tokens_map.json", "tokenizer_config.json"}) {
    const Json config = ObjectIn(folder / name);
    for (const char* key : kSpecialTokens) {
      if (const auto found = config.find(key); found != config.end()) {
        if (Json text = TokenText(*found); !text.is_null()) tokens[key] = std::move(text);
      }
    }
    // A model's own, by name.
    if (const auto extra = config.find("extra_special_tokens"); extra != config.end() && extra->is_object()) {
      for (const auto& [key, token] : extra->items()) {
        if (Json text = TokenText(token); !text.is_null()) tokens[key] = std::move(text);
      }
    }
    const auto more = config.find("additional_special_tokens");
    if (more == config.end() || !more->is_array()) continue;
    Json list = Json::array();
    for (const Json& token : *more) {
      if (Json text = TokenText(token); !text.is_null()) list.push_back(std::move(text));
    }
    if (!list.empty()) tokens["additional_special_tokens"] = std::move(list);
  }
  return json::Dump(tokens);
}

// The template under "chat_template"; empty when there is none.
std::string TemplateIn(const std::filesystem::path& file) {
  const Json config = ObjectIn(file);
  const auto found = config.find("chat_template");
  if (found == config.end() || found->is_null()) return "";
  if (found->is_string()) return found->get<std::string>();
  const std::string where = file.string() + ": chat_template";
  if (found->is_object() && found->contains("default")) return json::GetString(*found, "default", where);
  if (found->is_array()) {
    for (const Json& item : *found) {
      if (item.is_object() && item.value("name", Json()) == "default") return json::GetString(item, "template", where);
    }
  }
  base::ThrowBadInput(
      base::Format("{} holds {}, expected text, or several with one named 'default'; name a file of "
                   "the template to use as prompt.template (or by --chat-template)",
                   where, json::Describe(*found)));
}

}  // namespace

std::optional<ChatSource> FindChatSource(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / "chat_template.jinja")) {
    return ReadChatSource(folder / "chat_template.jinja", folder);
  }
  for (const char* name : {"tokenizer_config.json", "chat_template.json"}) {
    const auto file = folder / name;
    std::string text = TemplateIn(file);
    if (text.empty()) continue;
    return ChatSource{.text = std::move(text), .where = file.string(), .special_tokens = SpecialTokensOf(folder)};
  }
  return std::nullopt;
}

ChatSource ReadChatSource(const std::filesystem::path& file, const std::filesystem::path& folder) {
  return {.text = json::ReadFile(file), .where = file.string(), .special_tokens = SpecialTokensOf(folder)};
}

}  // namespace autodidact::text
