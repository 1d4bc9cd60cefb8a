#include "answers/math_parser.h"

#include <string>
#include <utility>

namespace autodidact::answers {
Node Parser::Series(const std::string& name) {
  if (!TakeSymbol('_')) throw SyntaxError();
  Node lower = Primary();
  if (lower.op != Op::kRelation || lower.name != "=" || lower.args[0].op != Op::kSymbol) throw SyntaxError();
  Expect('^');
  Node upper = ScriptArgument();
  return MakeNode(Op::kCall, name, {std::move(lower.args[0]), std::move(lower.args[1]), std::move(upper), Product()});
}

}  // namespace autodidact::answers
