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
  kPlain,   // no template: the contents of the turns, joined by a space
  kLlama3,  // Llama 3.1
  kQwen3,   // thinking off
  kQwen2,   // Qwen 2.5: ChatML with its default system turn
  kChatMl,  // ChatML as SmolLM and others use it
  kGemma3,
};

// "plain", "llama3", "qwen3", "qwen2", "chatml", "gemma3"; Error(kBadInput) listing them otherwise.
ChatFormat ChatFormatNamed(std::string_view name);

// Recognises the format from the folder's own template (chat_template.jinja, or chat_template in
// tokenizer_config.json). Plain when the folder has none; an unknown template is Error(kBadInput) that says how to name
// a format in the config.
ChatFormat DetectChatFormat(const std::filesystem::path& folder);

// The text, with the header of the assistant's turn at its end when add_generation_prompt is set. It contains BOS where
// the model's template does: encode it with add_special_tokens = false unless the format is plain.
std::string RenderChat(ChatFormat format, const std::vector<ChatTurn>& turns, bool add_generation_prompt);

}  // namespace autodidact::text
