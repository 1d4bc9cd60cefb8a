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

TEST(EqualAnyTest, NeedsOneEqualReference) {
  EXPECT_TRUE(EqualAny(Comparator::kExact, "b", {"a", "b"}));
  EXPECT_FALSE(EqualAny(Comparator::kExact, "c", {"a", "b"}));
  EXPECT_FALSE(EqualAny(Comparator::kExact, "c", {}));
}

TEST(ComparatorNameTest, UnknownNamesAreRefused) {
  EXPECT_EQ(ComparatorNamed("math"), Comparator::kMathematics);
  EXPECT_THROW(ComparatorNamed("maths"), base::Error);
}

}  // namespace
}  // namespace autodidact::answers
