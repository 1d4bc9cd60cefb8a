#include "mathematics/names.h"

#include <utility>

namespace autodidact::mathematics {
namespace {

constexpr std::pair<std::string_view, std::string_view> kSame[] = {{"dfrac", "frac"},
                                                                   {"tfrac", "frac"},
                                                                   {"nicefrac", "frac"},
                                                                   {"sfrac", "frac"},
                                                                   {"tg", "tan"},
                                                                   {"ctg", "cot"},
                                                                   {"cosec", "csc"},
                                                                   {"arctg", "arctan"},
                                                                   {"arcctg", "arccot"},
                                                                   {"vee", "lor"},
                                                                   {"rightarrow", "to"},
                                                                   {"longrightarrow", "to"},
                                                                   {"wedge", "land"},
                                                                   {"equiv", "="},
                                                                   {"mod", "pmod"},
                                                                   {"leqq", "le"},
                                                                   {"geqq", "ge"},
                                                                   {"prime", "'"},
                                                                   {"thickapprox", "approx"},
                                                                   {"simeq", "approx"},
                                                                   {"sim", "approx"},
                                                                   {"overrightarrow", "vec"},
                                                                   {"cfrac", "frac"},
                                                                   {"leq", "le"},
                                                                   {"leqslant", "le"},
                                                                   {"geq", "ge"},
                                                                   {"geqslant", "ge"},
                                                                   {"neq", "ne"},
                                                                   {"lt", "<"},
                                                                   {"gt", ">"},
                                                                   {"ast", "*"},
                                                                   {"cdot", "*"},
                                                                   {"times", "*"},
                                                                   {"div", "/"},
                                                                   {"varnothing", "emptyset"},
                                                                   {"degrees", "degree"},
                                                                   {"lbrace", "{"},
                                                                   {"rbrace", "}"},
                                                                   {"lbrack", "["},
                                                                   {"rbrack", "]"},
                                                                   {"infinity", "infty"},
                                                                   {"inf", "infty"},
                                                                   {"dbinom", "binom"},
                                                                   {"tbinom", "binom"},
                                                                   {"vert", "|"},
                                                                   {"mid", "|"},
                                                                   {"colon", ":"},
                                                                   {"asin", "arcsin"},
                                                                   {"acos", "arccos"},
                                                                   {"atan", "arctan"},
                                                                   {"dots", "ldots"},
                                                                   {"cdots", "ldots"},
                                                                   {"varphi", "phi"},
                                                                   {"backslash", "setminus"},
                                                                   {"smallsetminus", "setminus"},
                                                                   {"lparen", "("},
                                                                   {"rparen", ")"},
                                                                   {"epsilon", "varepsilon"}};

}  // namespace

std::string_view CanonicalCommand(std::string_view command) {
  for (const auto& [from, to] : kSame) {
    if (command == from) return to;
  }
  return command;
}

}  // namespace autodidact::mathematics
