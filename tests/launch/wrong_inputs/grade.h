// The grade of a message about a wrong input, by the rule of the README beside this.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "json/json.h"

namespace autodidact::tests {

// From 0 to 3; the test fails for what the row asks for and the message lacks. `filled` puts this run's paths into what
// the row asks for.
inline int GradeOf(
    const json::Json& row, const std::string& message,
    const std::function<std::string(std::string)>& filled = [](std::string part) { return part; }) {
  const auto says = [&](const char* part) {
    if (!row.contains(part)) return false;
    const bool found = message.find(filled(row[part].get<std::string>())) != std::string::npos;
    EXPECT_TRUE(found) << part << ": " << row[part] << " is missing in\n" << message << "\nabout\n" << row.dump();
    return found;
  };
  const bool where = says("where"), got = says("got"), expected = says("expected"), todo = says("todo");
  const int grade = !where ? 0 : !(got && expected) ? 1 : !todo ? 2 : 3;
  EXPECT_GE(grade, 1) << message << "\nabout\n" << row.dump();
  return grade;
}

}  // namespace autodidact::tests
