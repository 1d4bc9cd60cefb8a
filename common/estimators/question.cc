#include "estimators/question.h"

#include "text/substitute.h"

namespace autodidact::estimators {

std::vector<text::ChatTurn> QuestionTurns(const QuestionFormat& format, const schema::Prompt& prompt) {
  std::vector<text::ChatTurn> turns;
  if (!format.system.empty()) turns.push_back({"system", format.system});
  for (const schema::ChatMessage& message : prompt.messages) turns.push_back({message.role, message.content});
  if (prompt.messages.empty()) turns.push_back({"user", text::Substitute(format.text, {{"{prompt}", prompt.text}})});
  return turns;
}

std::vector<schema::TokenId> EncodeTurns(text::ChatFormat format, const std::vector<text::ChatTurn>& turns,
                                         const text::Tokenizer& tokenizer) {
  return tokenizer.Encode(text::RenderChat(format, turns, /*add_generation_prompt=*/true),
                          /*add_special_tokens=*/format == text::ChatFormat::kPlain);
}

std::string QuestionText(const schema::Prompt& prompt) {
  if (prompt.messages.empty()) return prompt.text;
  std::string text;
  for (const schema::ChatMessage& message : prompt.messages) {
    if (!text.empty()) text += "\n";
    text += message.role + ": " + message.content;
  }
  return text;
}

}  // namespace autodidact::estimators
