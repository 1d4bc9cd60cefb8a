#include <gtest/gtest.h>

#include "collective/collective.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  autodidact::collective::InitMpi();
  const int result = RUN_ALL_TESTS();
  autodidact::collective::FinalizeMpi();
  return result;
}
