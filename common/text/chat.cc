#include "text/chat.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/checksum.h"
#include "base/error.h"
#include "base/format.h"
#include "json/json.h"
#include "text/chat_formats.h"
#include "text/chat_marks.h"
#include "text/jinja.h"
#include "text/unicode.h"

namespace autodidact::text {
namespace {

using json::Json;

// Templates that are known by their exact text: their checksum and length, and the BOS that the format writes. The test
// ChatGoldenTest compares the formats with what jinja2 renders from them.
struct KnownTemplate {
  std::uint64_t checksum = 0;
  std::size_t size = 0;
  ChatFormat format = ChatFormat::kPlain;
  std::string_view bos;
};
constexpr KnownTemplate kKnown[] = {
    {0xa8344fceb19d98ceu, 4614, ChatFormat::kLlama3, "<|begin_of_text|>"},
    {0x639547fe4d33fa67u, 2507, ChatFormat::kQwen2, ""},
    {0x0283f874ff58d644u, 4116, ChatFormat::kQwen3Thinking, ""},
    {0x6d23022eb1773ed6u, 1532, ChatFormat::kGemma3, "<bos>"},
    {0x4c6e807ee5fe9f4au, 199, ChatFormat::kChatMl, ""},
    {0x99ab995e9629dacdu, 368, ChatFormat::kSmolLm2, ""},
    {0x83059ddcb62b07a0u, 373, ChatFormat::kSmolLm2, ""},
};

// Keys of a message that change what it says.
constexpr std::string_view kMeaningful[] = {"content",   "tool_calls", "tool_call_id",  "name",     "reasoning_content",
                                            "reasoning", "thinking",   "function_call", "refusal",  "audio",
                                            "images",    "documents",  "citations",     "tool_plan"};

Json ParseVariables(const std::string& variables) {
  return variables.empty() ? Json::object() : json::Parse(variables, "prompt.template_variables");
}

// The format that renders what the source does, where that is known.
std::optional<ChatFormat> KnownFormat(const ChatSource& source) {
  const std::uint64_t checksum = base::Checksum(source.text);
  const auto known = std::find_if(std::begin(kKnown), std::end(kKnown), [&](const KnownTemplate& one) {
    return one.checksum == checksum && one.size == source.text.size();
  });
  if (known == std::end(kKnown)) return std::nullopt;
  if (!known->bos.empty() && json::Parse(source.special_tokens, source.where).value("bos_token", "") != known->bos) {
    return std::nullopt;
  }
  const Json variables = ParseVariables(source.variables);
  if (variables.empty()) return known->format;
  const bool only_thinking = variables.size() == 1 && variables.contains("enable_thinking");
  if (!only_thinking) return std::nullopt;
  if (known->format != ChatFormat::kQwen3Thinking) return known->format;  // the others do not ask for it
  if (variables["enable_thinking"] == false) return ChatFormat::kQwen3;
  return variables["enable_thinking"] == true ? std::optional(known->format) : std::nullopt;
}

bool IsEmpty(const Json& value) {
  return value.is_null() || value.empty() || (value.is_string() && value.get_ref<const std::string&>().empty());
}

// The variables of one rendering.
Json ToVariables(const Chat& chat) {
  Json variables = chat.variables.empty() ? Json::object() : json::Parse(chat.variables, "chat");
  Json messages = Json::array();
  for (const ChatTurn& turn : chat.turns) {
    messages.push_back(turn.message.empty() ? Json{{"role", turn.role}, {"content", turn.content}}
                                            : json::Parse(turn.message, "message"));
  }
  variables["messages"] = std::move(messages);
  variables["add_generation_prompt"] = chat.add_generation_prompt;
  return variables;
}

// The chat with valid UTF-8 only.
Chat Valid(Chat chat) {
  for (ChatTurn& turn : chat.turns) {
    if (IsValidUtf8(turn.content)) continue;
    turn.content = ReplaceInvalidUtf8(turn.content);
    turn.foreign.reset();
  }
  return chat;
}

bool IsMeaningful(const std::string& key) {
  return std::find(std::begin(kMeaningful), std::end(kMeaningful), key) != std::end(kMeaningful);
}

// Whether only jinja2 can render it: a role, or parts of a message, that no format here has.
bool IsRich(const Chat& chat) {
  const auto is_rich = [](const ChatTurn& turn) {
    if (turn.role != "system" && turn.role != "user" && turn.role != "assistant") return true;
    if (turn.message.empty()) return false;
    const Json message = json::Parse(turn.message, "message");
    const auto items = message.items();
    return std::any_of(items.begin(), items.end(), [](const auto& item) {
      return item.key() == "content" ? !item.value().is_string() : IsMeaningful(item.key()) && !IsEmpty(item.value());
    });
  };
  return !chat.variables.empty() || std::any_of(chat.turns.begin(), chat.turns.end(), is_rich);
}

// What a format, which renders roles and contents, would leave out.
void RequireNothingElse(const Chat& chat, ChatFormat format) {
  const auto refuse = [&](const std::string& what) {
    base::ThrowBadInput(
        base::Format("{}, which the chat format '{}' does not render; expected a role and a content, "
                     "or a model with a chat template that renders it",
                     what, Name(format)));
  };
  for (const ChatTurn& turn : chat.turns) {
    if (turn.message.empty()) continue;
    const Json message = json::Parse(turn.message, "message");
    for (const auto& [key, value] : message.items()) {
      if (key != "content" && IsMeaningful(key) && !IsEmpty(value)) refuse("a message has the key '" + key + "'");
    }
  }
  if (chat.variables.empty()) return;
  const Json variables = json::Parse(chat.variables, "chat");
  for (const auto& [key, value] : variables.items()) {
    if (!IsEmpty(value)) refuse("the chat has '" + key + "'");
  }
}

bool LooksLikeTag(std::string_view token) {
  return token.size() > 2 &&
         ((token.starts_with('<') && token.ends_with('>')) || (token.starts_with('[') && token.ends_with(']')));
}

std::vector<Span> BracketsIn(std::string_view text, const std::vector<Span>& within) {
  std::vector<Span> brackets;
  for (const Span& span : within) {
    for (std::size_t at = span.begin; at < span.end; ++at) {
      if (std::string_view("<>[]|").find(text[at]) != std::string_view::npos) brackets.push_back({at, at + 1});
    }
  }
  return brackets;
}

}  // namespace

class ChatTemplate::Impl {
 public:
  explicit Impl(ChatFormat format) : format_(format), description_(std::string("the format ") + Name(format)) {}

  explicit Impl(ChatSource source) : source_(std::move(source)) {
    const Json variables = ParseVariables(source_->variables);
    if (const auto known = KnownFormat(*source_)) {
      format_ = *known;
      description_ = base::Format("{}, known by its text as the format {}", source_->where, Name(*known));
      leaves_thinking_open_ = *known == ChatFormat::kQwen3Thinking && variables.empty();
      return;
    }
    jinja_ = Jinja::For(*source_);
    description_ = base::Format("{} by jinja2 {} ({})", source_->where, jinja_->version(),
                                jinja_->sandboxed() ? "in the sandbox" : "without the sandbox of programs");
    for (const auto& [key, value] : variables.items()) {
      // Off where there is nothing to switch is no mistake.
      if (key == "enable_thinking" || jinja_->Asks(key)) continue;
      base::ThrowBadInput(base::Format("prompt.template_variables: '{}' is nothing that the chat template {} asks for",
                                       key, source_->where));
    }
    leaves_thinking_open_ = jinja_->Asks("enable_thinking") && !variables.contains("enable_thinking");
  }

  bool is_plain() const { return !source_ && format_ == ChatFormat::kPlain; }
  const std::string& description() const { return description_; }
  bool leaves_thinking_open() const { return leaves_thinking_open_; }

  std::string Render(const Chat& chat) const {
    const auto texts = RenderAll({chat});
    if (!texts.front().ok()) throw base::Error(texts.front().failure().kind, texts.front().failure().reason);
    return *texts.front();
  }

  // The ranges of the text that come from outside.
  struct Marked {
    std::string text;
    std::vector<Span> foreign;
  };
  Marked RenderMarked(const Chat& chat, const Tokenizer& tokenizer) const;

  // Whether a token that is no special one is still the template's to write: <think>, say.
  bool IsTag(const std::string& token) const {
    if (!LooksLikeTag(token)) return false;
    if (source_) return source_->text.find(token) != std::string::npos;
    return (format_ == ChatFormat::kQwen3 || format_ == ChatFormat::kQwen3Thinking) &&
           (token == "<think>" || token == "</think>");
  }

 private:
  // Of the same chat in versions of it; throws when the first cannot be rendered.
  std::vector<base::Outcome<std::string>> RenderAll(const std::vector<Chat>& versions) const {
    const Chat& chat = versions.front();
    if (chat.turns.empty()) base::ThrowBadInput("a chat without turns has no prompt");
    std::shared_ptr<const Jinja> jinja = jinja_;
    if (!jinja && source_ && IsRich(chat)) jinja = Jinja::For(*source_);
    if (jinja) return RenderByJinja(*jinja, versions);
    RequireNothingElse(chat, format_);
    std::vector<base::Outcome<std::string>> texts;
    for (const Chat& version : versions) {
      texts.emplace_back(RenderFormat(format_, version.turns, version.add_generation_prompt));
    }
    return texts;
  }

  std::vector<base::Outcome<std::string>> RenderByJinja(const Jinja& jinja, const std::vector<Chat>& versions) const;

  ChatFormat format_ = ChatFormat::kPlain;
  std::optional<ChatSource> source_;
  std::shared_ptr<const Jinja> jinja_;
  std::string description_;
  bool leaves_thinking_open_ = false;
};

std::vector<base::Outcome<std::string>> ChatTemplate::Impl::RenderByJinja(const Jinja& jinja,
                                                                          const std::vector<Chat>& versions) const {
  std::vector<Json> chats;
  for (const Chat& version : versions) chats.push_back(ToVariables(version));
  std::vector<base::Outcome<std::string>> texts;
  const auto rendered = jinja.Render(chats);
  for (const auto& one : rendered) {
    texts.emplace_back(one.ok() ? base::Outcome<std::string>(one->text) : base::Outcome<std::string>(one.failure()));
  }
  if (!rendered.front().ok()) return texts;
  const auto refuse = [&](const std::string& what) {
    texts.front() = base::Failure{base::ErrorKind::kBadInput,
                                  base::Format("{}: the chat template does not look at {}, so that it would be "
                                               "left out without a word",
                                               source_->where, what)};
  };
  for (const std::string& key : rendered.front()->unread) {
    if (key == "content" || !IsMeaningful(key)) continue;
    const auto& messages = chats.front()["messages"];
    const bool holds = std::any_of(messages.begin(), messages.end(), [&](const Json& message) {
      return message.contains(key) && !IsEmpty(message[key]);
    });
    if (holds) refuse("the key '" + key + "' of a message");
  }
  for (const auto& [key, value] : chats.front().items()) {
    if (key == "messages" || key == "add_generation_prompt") continue;
    if (!IsEmpty(value) && !jinja.Asks(key)) refuse("'" + key + "' of the chat");
  }
  return texts;
}

ChatTemplate::Impl::Marked ChatTemplate::Impl::RenderMarked(const Chat& chat, const Tokenizer& tokenizer) const {
  const char32_t mask = UnusedCharacter(chat, source_ ? source_->text : "");
  const auto is_tag = [&](const SpelledToken& token) { return !token.special && IsTag(tokenizer.TokenOf(token.id)); };
  // All of it; but what an assistant thought between the template's own tags is still thought.
  const auto all = [&](std::string_view role, std::string_view text) {
    std::vector<Span> ranges;
    std::size_t done = 0;
    if (role == "assistant") {
      for (const SpelledToken& token : tokenizer.FindSpelled(text)) {
        if (!is_tag(token)) continue;
        ranges.push_back({done, token.span.begin});
        done = token.span.end;
      }
    }
    ranges.push_back({done, text.size()});
    return ranges;
  };
  const auto texts = RenderAll({chat, Masked(chat, all, mask)});
  if (!texts[0].ok()) throw base::Error(texts[0].failure().kind, texts[0].failure().reason);
  const std::string& text = *texts[0];
  const auto ranges_of = [&](const base::Outcome<std::string>& masked) {
    return masked.ok() ? MaskedRanges(text, *masked, mask) : std::nullopt;
  };
  if (auto ranges = ranges_of(texts[1])) return {text, std::move(*ranges)};
  // A template that looks at words of the contents: then the brackets are masked, of which tokens are made.
  const auto brackets = [&](std::string_view role, std::string_view part) { return BracketsIn(part, all(role, part)); };
  if (auto ranges = ranges_of(RenderAll({Masked(chat, brackets, mask)})[0])) return {text, std::move(*ranges)};
  // Or what they spell, and nothing else.
  for (const bool tags : {true, false}) {
    bool any = false;
    const auto spelled = [&](std::string_view role, std::string_view part) {
      std::vector<Span> ranges;
      for (const SpelledToken& token : tokenizer.FindSpelled(part)) {
        if (token.special || (tags && role != "assistant" && is_tag(token))) ranges.push_back(token.span);
      }
      any = any || !ranges.empty();
      return ranges;
    };
    const Chat masked = Masked(chat, spelled, mask);
    if (!any) return {text, {}};
    if (auto ranges = ranges_of(RenderAll({masked})[0])) return {text, std::move(*ranges)};
  }
  base::ThrowBadInput(
      base::Format("{}: a message spells a control token, and the chat template takes it for its own, so that the two "
                   "cannot be told apart in '{}'",
                   description_, text.substr(0, 200)));
}

ChatTemplate::ChatTemplate(ChatFormat format) : impl_(std::make_shared<const Impl>(format)) {}
ChatTemplate::ChatTemplate(ChatSource source) : impl_(std::make_shared<const Impl>(std::move(source))) {}

std::string ChatTemplate::Render(const Chat& chat) const {
  return impl_->Render(Valid(chat));
}

ChatTemplate::Prompt ChatTemplate::Encode(const Chat& chat, const Tokenizer& tokenizer, bool add_special_tokens) const {
  const Chat valid = Valid(chat);
  for (const ChatTurn& turn : valid.turns) {
    const auto tokens = tokenizer.FindSpelled(turn.role);
    if (std::any_of(tokens.begin(), tokens.end(), [](const SpelledToken& token) { return token.special; })) {
      base::ThrowBadInput(base::Format("the role '{}' of a message holds a control token", turn.role));
    }
  }
  auto [text, foreign] = impl_->RenderMarked(valid, tokenizer);
  std::vector<TokenId> tags;
  for (const SpelledToken& token : tokenizer.FindSpelled(text)) {
    if (!token.special && Overlaps(token.span, foreign) && impl_->IsTag(tokenizer.TokenOf(token.id))) {
      tags.push_back(token.id);
    }
  }
  auto ids = tokenizer.EncodeMarked(text, add_special_tokens && is_plain(), foreign, tags);
  return {std::move(text), std::move(ids)};
}

bool ChatTemplate::is_plain() const {
  return impl_->is_plain();
}
const std::string& ChatTemplate::description() const {
  return impl_->description();
}
bool ChatTemplate::leaves_thinking_open() const {
  return impl_->leaves_thinking_open();
}

}  // namespace autodidact::text
