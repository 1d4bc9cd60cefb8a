// Chats to prompts: the exact text that the model's own template renders, and its token ids.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/chat_source.h"
#include "text/span.h"
#include "text/substitute.h"
#include "text/tokenizer.h"

namespace autodidact::text {

struct ChatTurn {
  ChatTurn(std::string its_role, std::string its_content)
      : role(std::move(its_role)), content(std::move(its_content)) {}
  ChatTurn(std::string its_role, MarkedText its_content)
      : role(std::move(its_role)), content(std::move(its_content.text)), foreign(std::move(its_content.foreign)) {}

  std::string role;  // system, user, assistant; what else there is, the template decides
  std::string content;
  // The ranges of the content that come from outside of the config (users, rollouts, candidates), in order. Nothing in
  // them becomes a control token. Without a value: all of it.
  std::optional<std::vector<Span>> foreign = {};
  // The whole message as a JSON object where it has more than a role and a text (tool calls, a list of parts); empty
  // otherwise. The content then is its text alone, for formats that render nothing else.
  std::string message = {};
};

struct Chat {
  std::vector<ChatTurn> turns;
  std::string variables = {};  // JSON object of what else the row gives the template (tools, documents); empty: nothing
  bool add_generation_prompt = true;  // the header of the assistant's turn at the end
};

// Formats that are rendered here, without a template.
enum class ChatFormat {
  kPlain,          // no template: the contents of the turns, joined by a space
  kLlama3,         // Llama 3.1, with the fixed date of its template
  kQwen3,          // thinking off
  kQwen3Thinking,  // as Qwen 3's template does it unless told otherwise
  kQwen2,          // Qwen 2.5: ChatML with its default system turn
  kChatMl,         // ChatML without a default system turn, as SmolLM and others use it
  kSmolLm2,        // ChatML with SmolLM2's default system turn
  kGemma3,
};

// "plain", "llama3", "qwen3", "qwen3_thinking", "qwen2", "chatml", "smollm2", "gemma3"; Error(kBadInput) listing them
// otherwise.
ChatFormat ChatFormatNamed(std::string_view name);
const char* Name(ChatFormat format);

// How chats become prompts. A handle that is cheap to copy; immutable, hence thread-safe.
class ChatTemplate {
 public:
  ChatTemplate(ChatFormat format = ChatFormat::kPlain);  // NOLINT(google-explicit-constructor)

  // A template of a model or of a file. One whose exact text is known, with the special tokens that belong to it and
  // without variables, is rendered here, by the format that equals it; every other by jinja2 in a process of its own
  // (jinja.h), as transformers does it. Starts that process. Error(kBadInput) when there is none that could, or the
  // template is not one.
  explicit ChatTemplate(ChatSource source);

  // The text. Error(kBadInput) for no turns, for what the template itself refuses, and for a key of a message
  // (tool_calls, reasoning_content, name …) or of the chat (tools …) that it does not look at.
  std::string Render(const Chat& chat) const;

  struct Prompt {
    std::string text;
    std::vector<TokenId> ids;
  };
  // The text of Render, and its ids. What the template and the config write is read as they mean it, control tokens
  // included; text from outside is only ever text, whatever it spells. For chats that spell no control token the ids
  // are those of the whole text. A template's text brings its own BOS; add_special_tokens counts for the plain format
  // only. Error(kBadInput) also when the vocabulary cannot express the text, or cannot express it as text alone.
  Prompt Encode(const Chat& chat, const Tokenizer& tokenizer, bool add_special_tokens = true) const;

  bool is_plain() const;
  // For people: which template it is, and who renders it.
  const std::string& description() const;
  // Whether the template asks for enable_thinking and nobody set it.
  bool leaves_thinking_open() const;

 private:
  class Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace autodidact::text
