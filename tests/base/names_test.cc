#include "base/names.h"

#include <gtest/gtest.h>

namespace autodidact::base {
namespace {

enum class Colour { kRed, kGreen, kNameless };
constexpr auto NamesOf(Colour) {
  return NameTable<Colour, 2>{{{Colour::kRed, "red"}, {Colour::kGreen, "green"}}};
}

TEST(NamesTest, GoBothWays) {
  for (const Colour colour : {Colour::kRed, Colour::kGreen}) EXPECT_EQ(ValueNamed<Colour>(NameIn(colour), "c"), colour);
  EXPECT_EQ(AllValues<Colour>(), (std::vector<Colour>{Colour::kRed, Colour::kGreen}));
  EXPECT_EQ(AllNames<Colour>(), (std::vector<std::string>{"red", "green"}));
}

TEST(NamesTest, AnUnknownNameIsBadInputThatListsThem) {
  try {
    ValueNamed<Colour>("Red", "paint");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_EQ(error.message(), "paint: got \"Red\", expected one of red, green");
  }
  EXPECT_THROW(NameIn(Colour::kNameless), Error);
}

}  // namespace
}  // namespace autodidact::base
