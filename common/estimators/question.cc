#include "estimators/question.h"

#include "text/substitute.h"

namespace autodidact::estimators {

std::vector<text::ChatTurn> QuestionTurns(const QuestionFormat& format, const schema::Prompt& prompt) {
  std::vector<text::ChatTurn> turns;
  if (!format.system.empty()) turns.emplace_back("system", text::MarkedText{format.system});
  for (const schema::ChatMessage& message : prompt.messages) {
    turns.emplace_back(message.role, message.content).message = message.json;
  }
  if (prompt.messages.empty()) {
    turns.emplace_back("user", text::SubstituteMarked(format.text, {{"{prompt}", text::Foreign(prompt.text)}}));
  }
  return turns;
}

text::Chat QuestionChat(const QuestionFormat& format, const schema::Prompt& prompt) {
  return {.turns = QuestionTurns(format, prompt), .variables = prompt.variables};
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
