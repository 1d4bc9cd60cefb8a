#include "text/chat.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"
#include "text/unicode.h"

namespace autodidact::text {
namespace {

using Turns = std::vector<ChatTurn>;

constexpr std::pair<std::string_view, ChatFormat> kNames[] = {
    {"plain", ChatFormat::kPlain},   {"llama3", ChatFormat::kLlama3}, {"qwen3", ChatFormat::kQwen3},
    {"qwen2", ChatFormat::kQwen2},   {"chatml", ChatFormat::kChatMl}, {"smollm2", ChatFormat::kSmolLm2},
    {"gemma3", ChatFormat::kGemma3},
};
constexpr const char* kNameList = "plain, llama3, qwen3, qwen2, chatml, smollm2, gemma3";

constexpr std::string_view kQwen2System = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";
constexpr std::string_view kSmolLm2System = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

// Jinja's trim is Python's strip, which takes four control characters along.
bool IsPythonSpace(char32_t character) {
  return IsSpace(character) || (character >= 0x1C && character <= 0x1F);
}

std::string_view Trim(std::string_view text) {
  std::size_t begin = text.size(), end = 0;
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t start = position;
    if (IsPythonSpace(NextChar(text, &position))) continue;
    begin = std::min(begin, start);
    end = position;
  }
  return begin < end ? text.substr(begin, end - begin) : std::string_view();
}

std::string_view StripLeft(std::string_view text, char c) {
  text.remove_prefix(std::min(text.find_first_not_of(c), text.size()));
  return text;
}

std::string_view StripRight(std::string_view text, char c) {
  const std::size_t last = text.find_last_not_of(c);
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

void AddChatMlTurn(std::string_view role, std::string_view content, std::string* text) {
  text->append("<|im_start|>").append(role).append("\n").append(content).append("<|im_end|>\n");
}

std::string RenderPlain(const Turns& turns) {
  std::string text;
  for (const ChatTurn& turn : turns) text.append(text.empty() ? "" : " ").append(turn.content);
  return text;
}

std::string RenderLlama3(const Turns& turns, bool add_generation_prompt) {
  const auto header = [](std::string_view role) {
    return "<|start_header_id|>" + std::string(role) + "<|end_header_id|>\n\n";
  };
  const bool has_system = turns.front().role == "system";
  std::string text = "<|begin_of_text|>" + header("system");
  text += "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
  if (has_system) text += Trim(turns.front().content);
  text += "<|eot_id|>";
  for (std::size_t i = has_system ? 1 : 0; i < turns.size(); ++i) {
    text.append(header(turns[i].role)).append(Trim(turns[i].content)).append("<|eot_id|>");
  }
  return add_generation_prompt ? text + header("assistant") : text;
}

// default_system: empty for none.
std::string RenderChatMl(const Turns& turns, bool add_generation_prompt, std::string_view default_system) {
  std::string text;
  if (turns.front().role != "system" && !default_system.empty()) AddChatMlTurn("system", default_system, &text);
  for (const ChatTurn& turn : turns) AddChatMlTurn(turn.role, turn.content, &text);
  return add_generation_prompt ? text + "<|im_start|>assistant\n" : text;
}

// What stands behind the thoughts, and the thoughts.
std::pair<std::string_view, std::string_view> SplitThoughts(std::string_view content) {
  constexpr std::string_view kOpen = "<think>", kClose = "</think>";
  const std::size_t first = content.find(kClose);
  if (first == std::string_view::npos) return {content, {}};
  std::string_view thoughts = StripRight(content.substr(0, first), '\n');
  if (const std::size_t open = thoughts.rfind(kOpen); open != std::string_view::npos) {
    thoughts.remove_prefix(open + kOpen.size());
  }
  return {StripLeft(content.substr(content.rfind(kClose) + kClose.size()), '\n'), StripLeft(thoughts, '\n')};
}

bool IsToolResponse(std::string_view content) {
  return content.starts_with("<tool_response>") && content.ends_with("</tool_response>");
}

std::string RenderQwen3(const Turns& turns, bool add_generation_prompt) {
  // Thoughts are kept only after the last question.
  std::size_t last_question = turns.size() - 1;
  for (std::size_t i = turns.size(); i-- > 0;) {
    if (turns[i].role != "user" || IsToolResponse(turns[i].content)) continue;
    last_question = i;
    break;
  }
  std::string text;
  for (std::size_t i = 0; i < turns.size(); ++i) {
    if (turns[i].role != "assistant") {
      AddChatMlTurn(turns[i].role, turns[i].content, &text);
      continue;
    }
    const auto [content, thoughts] = SplitThoughts(turns[i].content);
    std::string answer(content);
    if (i > last_question && (i + 1 == turns.size() || !thoughts.empty())) {
      answer = "<think>\n" + std::string(StripRight(thoughts, '\n')) + "\n</think>\n\n";
      answer += StripLeft(content, '\n');
    }
    AddChatMlTurn("assistant", answer, &text);
  }
  return add_generation_prompt ? text + "<|im_start|>assistant\n<think>\n\n</think>\n\n" : text;
}

std::string RenderGemma3(const Turns& turns, bool add_generation_prompt) {
  const std::size_t first = turns.front().role == "system" ? 1 : 0;
  std::string text = "<bos>";
  for (std::size_t i = first; i < turns.size(); ++i) {
    const std::string& role = turns[i].role;
    if ((role == "user") != ((i - first) % 2 == 0)) {
      base::ThrowBadInput(
          base::Format("chat turn {} is of the role '{}'; Gemma's turns must alternate user, assistant", i + 1, role));
    }
    text.append("<start_of_turn>").append(role == "assistant" ? "model" : role).append("\n");
    if (i == first && first == 1) text.append(turns.front().content).append("\n\n");
    text.append(Trim(turns[i].content)).append("<end_of_turn>\n");
  }
  return add_generation_prompt ? text + "<start_of_turn>model\n" : text;
}

// The default system turns written out in a ChatML template.
std::vector<std::string> DefaultSystems(std::string_view chat_template) {
  constexpr std::string_view kHeader = "<|im_start|>system";
  std::vector<std::string> found;
  for (std::size_t at = chat_template.find(kHeader); at != std::string_view::npos;
       at = chat_template.find(kHeader, at)) {
    at += kHeader.size();
    std::string_view rest = chat_template.substr(at);
    if (rest.starts_with("\\n")) {
      rest.remove_prefix(2);
    } else if (rest.starts_with("\n")) {
      rest.remove_prefix(1);
    }
    const std::string_view literal = rest.substr(0, rest.find_first_of("'\"{"));
    if (!literal.empty()) found.emplace_back(literal.substr(0, literal.find("<|im_end|>")));
  }
  return found;
}

std::string TemplateIn(const std::filesystem::path& file) {
  const json::Json config = json::ParseFile(file);
  if (!config.is_object() || !config.contains("chat_template")) return "";
  const json::Json& value = config["chat_template"];
  if (value.is_string()) return value.get<std::string>();
  // Several templates: [{"name": "default", "template": …}, …]
  if (value.is_array()) {
    for (const json::Json& item : value) {
      if (item.is_object() && item.value("name", json::Json()) == "default") {
        return json::GetString(item, "template", file.string() + ": chat_template");
      }
    }
  }
  if (value.is_null()) return "";
  base::ThrowBadInput(base::Format("{}: chat_template holds {}, expected text or a list with one named 'default'",
                                   file.string(), json::Describe(value)));
}

}  // namespace

ChatFormat ChatFormatNamed(std::string_view name) {
  for (const auto& [known, format] : kNames) {
    if (known == name) return format;
  }
  base::ThrowBadInput(base::Format("chat format '{}' is not known; known are {}", name, kNameList));
}

ChatFormat RecogniseChatFormat(std::string_view chat_template, const std::string& where) {
  const auto has = [&](std::string_view feature) { return chat_template.find(feature) != std::string_view::npos; };
  // A template that asks for today's date would give another prompt every day.
  if (has("<|start_header_id|>") && has("Today Date: ") && has("26 Jul 2024") && !has("strftime_now")) {
    return ChatFormat::kLlama3;
  }
  if (has("<start_of_turn>") && has("first_user_prefix")) return ChatFormat::kGemma3;
  if (has("<|im_start|>") && has("enable_thinking")) return ChatFormat::kQwen3;
  if (has("<|im_start|>") && !has("<think>") && !has("<|im_sep|>")) {
    const std::vector<std::string> defaults = DefaultSystems(chat_template);
    const auto all_are = [&](std::string_view text) {
      return std::all_of(defaults.begin(), defaults.end(), [&](const std::string& found) { return found == text; });
    };
    if (defaults.empty()) return ChatFormat::kChatMl;
    if (all_are(kQwen2System)) return ChatFormat::kQwen2;
    if (all_are(kSmolLm2System)) return ChatFormat::kSmolLm2;
  }
  base::ThrowBadInput(
      base::Format("{}: the chat template is not known; name the nearest format in the config as prompt.format (or by "
                   "--chat-format): one of {}",
                   where, kNameList));
}

ChatFormat DetectChatFormat(const std::filesystem::path& folder) {
  const auto jinja = folder / "chat_template.jinja";
  if (std::filesystem::exists(jinja)) return RecogniseChatFormat(json::ReadFile(jinja), jinja.string());
  for (const char* name : {"chat_template.json", "tokenizer_config.json"}) {
    const auto file = folder / name;
    if (!std::filesystem::exists(file)) continue;
    const std::string chat_template = TemplateIn(file);
    if (!chat_template.empty()) return RecogniseChatFormat(chat_template, file.string());
  }
  return ChatFormat::kPlain;
}

std::string RenderChat(ChatFormat format, const Turns& turns, bool add_generation_prompt) {
  if (turns.empty()) base::ThrowBadInput("a chat without turns has no prompt");
  for (const ChatTurn& turn : turns) {
    if (turn.role != "system" && turn.role != "user" && turn.role != "assistant") {
      base::ThrowBadInput(
          base::Format("a chat turn is of the role '{}', expected system, user or assistant", turn.role));
    }
    // What follows steps through whole characters.
    if (!IsValidUtf8(turn.content)) {
      Turns valid = turns;
      for (ChatTurn& part : valid) part.content = ReplaceInvalidUtf8(part.content);
      return RenderChat(format, valid, add_generation_prompt);
    }
  }
  switch (format) {
    case ChatFormat::kPlain:
      return RenderPlain(turns);
    case ChatFormat::kLlama3:
      return RenderLlama3(turns, add_generation_prompt);
    case ChatFormat::kQwen3:
      return RenderQwen3(turns, add_generation_prompt);
    case ChatFormat::kQwen2:
      return RenderChatMl(turns, add_generation_prompt, kQwen2System);
    case ChatFormat::kChatMl:
      return RenderChatMl(turns, add_generation_prompt, "");
    case ChatFormat::kSmolLm2:
      return RenderChatMl(turns, add_generation_prompt, kSmolLm2System);
    case ChatFormat::kGemma3:
      return RenderGemma3(turns, add_generation_prompt);
  }
  base::ThrowBug("unknown chat format");
}

}  // namespace autodidact::text
