// A chat template with what belongs to it, and where a model's folder keeps them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace autodidact::text {

struct ChatSource {
  std::string text;            // of the template
  std::string where;           // for messages: the file
  std::string special_tokens;  // JSON object: bos_token, eos_token, … as transformers gives them to the template
  std::string variables = {};  // JSON object: what else it is given (enable_thinking …); empty: nothing
  std::string python = {};     // the Python that has jinja2; empty: looked for (jinja.h)
};

// The folder's own template: chat_template.jinja, or chat_template in tokenizer_config.json or chat_template.json (a
// text, or several with the one named "default"), the first of these. Nothing when it has none. Error(kBadInput) naming
// the file when one of these cannot be read.
std::optional<ChatSource> FindChatSource(const std::filesystem::path& folder);

// Which template a model's chats are rendered by.
struct ChatChoice {
  std::string format =
      "auto";             // auto: the template of `file`, else of the model's folder, else plain; or a name (chat.h)
  std::string file = {};  // jinja2, in the place of the model's template; empty: the model's
  std::string variables = {};  // JSON object of what the template is given; empty: nothing
  std::string python = {};     // the Python that has jinja2; empty: looked for (jinja.h)
};

// The template of a file, with the special tokens of the folder.
ChatSource ReadChatSource(const std::filesystem::path& file, const std::filesystem::path& folder);

}  // namespace autodidact::text
