// How a question stands before a model.
#pragma once

#include <string>
#include <vector>

#include "estimators/config.h"
#include "schema/types.h"
#include "text/chat.h"

namespace autodidact::estimators {

// The turns of the prompt, the system's first.
std::vector<text::ChatTurn> QuestionTurns(const QuestionFormat& format, const schema::Prompt& prompt);

// The same with what else the row gives the template.
text::Chat QuestionChat(const QuestionFormat& format, const schema::Prompt& prompt);

// The prompt as one text for people: its text, or its turns as "role: content" lines.
std::string QuestionText(const schema::Prompt& prompt);

}  // namespace autodidact::estimators
