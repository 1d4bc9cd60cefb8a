// Chat formats: messages to the exact prompt text that the model was trained on.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace autodidact::text {

struct ChatTurn {
  std::string role;  // system, user, assistant
  std::string content;
};

enum class ChatFormat {
  kPlain,    // no template: the contents of the turns, joined by a space
  kLlama3,   // Llama 3.1, with the fixed date of its template
  kQwen3,    // thinking off
  kQwen2,    // Qwen 2.5: ChatML with its default system turn
  kChatMl,   // ChatML without a default system turn, as SmolLM and others use it
  kSmolLm2,  // ChatML with SmolLM2's default system turn
  kGemma3,
};

// "plain", "llama3", "qwen3", "qwen2", "chatml", "smollm2", "gemma3"; Error(kBadInput) listing them otherwise.
ChatFormat ChatFormatNamed(std::string_view name);

// Recognises the format from the folder's own template (chat_template.jinja, or chat_template in
// tokenizer_config.json). Plain when the folder has none; an unknown template is Error(kBadInput) that says how to name
// a format in the config.
ChatFormat DetectChatFormat(const std::filesystem::path& folder);

// Recognises the format from the text of a template; `where` is for the error.
ChatFormat RecogniseChatFormat(std::string_view chat_template, const std::string& where);

// The text, exactly as the model's template renders it without tools, with the header of the assistant's turn at its
// end when add_generation_prompt is set. It contains BOS where the model's template does: encode it with
// add_special_tokens = false unless the format is plain. Error(kBadInput) for no turns, a role other than system, user
// and assistant, and for what the template itself refuses (Gemma: turns that do not alternate).
std::string RenderChat(ChatFormat format, const std::vector<ChatTurn>& turns, bool add_generation_prompt);

}  // namespace autodidact::text
