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
  text::ChatFormat format = text::ChatFormat::kPlain;
};

// The turns of the prompt, the system's first.
std::vector<text::ChatTurn> QuestionTurns(const QuestionFormat& format, const schema::Prompt& prompt);

// The token ids that the model continues: the tokenizer adds its special tokens (BOS) to the plain format only.
// Error(kBadInput) for turns that the chat format refuses or a text that the vocabulary cannot express.
std::vector<schema::TokenId> EncodeTurns(text::ChatFormat format, const std::vector<text::ChatTurn>& turns,
                                         const text::Tokenizer& tokenizer);

// The prompt as one text for people: its text, or its turns as "role: content" lines.
std::string QuestionText(const schema::Prompt& prompt);

}  // namespace autodidact::estimators
