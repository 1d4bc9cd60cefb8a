#include "text/chat_formats.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "text/unicode.h"

namespace autodidact::text {

// Jinja's trim is Python's strip, which takes four control characters along.
bool IsPythonSpace(char32_t character) {
  return IsSpace(character) || (character >= 0x1C && character <= 0x1F);
}

namespace {

using Turns = std::vector<ChatTurn>;

constexpr std::pair<std::string_view, ChatFormat> kNames[] = {
    {"plain", ChatFormat::kPlain},   {"llama3", ChatFormat::kLlama3},
    {"qwen3", ChatFormat::kQwen3},   {"qwen2", ChatFormat::kQwen2},
    {"chatml", ChatFormat::kChatMl}, {"smollm2", ChatFormat::kSmolLm2},
    {"gemma3", ChatFormat::kGemma3}, {"qwen3_thinking", ChatFormat::kQwen3Thinking},
};
constexpr const char* kNameList = "plain, llama3, qwen3, qwen3_thinking, qwen2, chatml, smollm2, gemma3";

constexpr std::string_view kQwen2System = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.";
constexpr std::string_view kSmolLm2System = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

std::string_view PythonStrip(std::string_view text) {
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
  if (has_system) text += PythonStrip(turns.front().content);
  text += "<|eot_id|>";
  for (std::size_t i = has_system ? 1 : 0; i < turns.size(); ++i) {
    text.append(header(turns[i].role)).append(PythonStrip(turns[i].content)).append("<|eot_id|>");
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

std::string RenderQwen3(const Turns& turns, bool add_generation_prompt, bool thinking) {
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
  if (add_generation_prompt) text += "<|im_start|>assistant\n";
  return add_generation_prompt && !thinking ? text + "<think>\n\n</think>\n\n" : text;
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
    text.append(PythonStrip(turns[i].content)).append("<end_of_turn>\n");
  }
  return add_generation_prompt ? text + "<start_of_turn>model\n" : text;
}

}  // namespace

ChatFormat ChatFormatNamed(std::string_view name) {
  for (const auto& [known, format] : kNames) {
    if (known == name) return format;
  }
  base::ThrowBadInput(base::Format("chat format '{}' is not known; known are {}", name, kNameList));
}

const char* Name(ChatFormat format) {
  for (const auto& [known, value] : kNames) {
    if (value == format) return known.data();
  }
  base::ThrowBug("unknown chat format");
}

std::string RenderFormat(ChatFormat format, const std::vector<ChatTurn>& turns, bool add_generation_prompt) {
  if (turns.empty()) base::ThrowBadInput("a chat without turns has no prompt");
  for (const ChatTurn& turn : turns) {
    if (turn.role != "system" && turn.role != "user" && turn.role != "assistant") {
      base::ThrowBadInput(
          base::Format("a chat turn is of the role '{}', expected system, user or assistant", turn.role));
    }
  }
  switch (format) {
    case ChatFormat::kPlain:
      return RenderPlain(turns);
    case ChatFormat::kLlama3:
      return RenderLlama3(turns, add_generation_prompt);
    case ChatFormat::kQwen3:
      return RenderQwen3(turns, add_generation_prompt, /*thinking=*/false);
    case ChatFormat::kQwen3Thinking:
      return RenderQwen3(turns, add_generation_prompt, /*thinking=*/true);
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
