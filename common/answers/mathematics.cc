#include "answers/mathematics.h"

#include "answers/text_util.h"

namespace autodidact::answers {

bool EqualMathematics(std::string_view left, std::string_view right) {
  return Fold(left) == Fold(right);
}

}  // namespace autodidact::answers
