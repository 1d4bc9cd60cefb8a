#include "answers/compare.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace autodidact::answers {
namespace {

TEST(CompareExactTest, FoldsWhiteSpaceOnly) {
  EXPECT_TRUE(Equal(Comparator::kExact, " K  AE T", "K AE T\n"));
  EXPECT_FALSE(Equal(Comparator::kExact, "k ae t", "K AE T"));
  EXPECT_FALSE(Equal(Comparator::kExact, "1/2", "0.5"));
}

TEST(ClassesTest, PointToTheFirstMember) {
  EXPECT_EQ(Classes(Comparator::kExact, {"a", "b", " a", "c", "b "}), (std::vector<std::size_t>{0, 1, 0, 3, 1}));
  EXPECT_TRUE(Classes(Comparator::kExact, {}).empty());
}

TEST(CompareTest, UndecidedAsMathematicsAlone) {
  const std::string pole = "\\tan 90^\\circ";
  EXPECT_EQ(Compare(Comparator::kMathematics, pole, "42"), Sameness::kUndecided);
  EXPECT_EQ(Compare(Comparator::kExact, pole, "42"), Sameness::kUnequal);
  EXPECT_FALSE(CanBeCompared(Comparator::kMathematics, pole));
  EXPECT_TRUE(CanBeCompared(Comparator::kExact, pole));
  EXPECT_EQ(CompareAny(Comparator::kMathematics, "42", {"1", pole}), Sameness::kUndecided);
  EXPECT_EQ(CompareAny(Comparator::kMathematics, "42", {pole, "42"}), Sameness::kEqual);
  EXPECT_EQ(CompareAny(Comparator::kMathematics, "42", {"1", "2"}), Sameness::kUnequal);
}

TEST(EqualAnyTest, NeedsOneEqualReference) {
  EXPECT_TRUE(EqualAny(Comparator::kExact, "b", {"a", "b"}));
  EXPECT_FALSE(EqualAny(Comparator::kExact, "c", {"a", "b"}));
  EXPECT_FALSE(EqualAny(Comparator::kExact, "c", {}));
}

}  // namespace
}  // namespace autodidact::answers
