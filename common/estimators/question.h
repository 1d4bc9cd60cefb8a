// How a question stands before a model.
#pragma once

#include <string>
#include <vector>

#include "schema/types.h"
#include "text/chat.h"
#include "text/tokenizer.h"

namespace autodidact::estimators {

struct QuestionFormat {
  std::string system;             // a turn before all others; empty: none
  std::string text = "{prompt}";  // the user turn of a prompt in text; a prompt in turns stands as it is
  text::ChatTemplate format;
};

// The turns of the prompt, the system's first.
std::vector<text::ChatTurn> QuestionTurns(const QuestionFormat& format, const schema::Prompt& prompt);

// The same with what else the row gives the template.
text::Chat QuestionChat(const QuestionFormat& format, const schema::Prompt& prompt);

// The prompt as one text for people: its text, or its turns as "role: content" lines.
std::string QuestionText(const schema::Prompt& prompt);

}  // namespace autodidact::estimators
