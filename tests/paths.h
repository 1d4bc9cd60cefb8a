// Where tests find things. Compiled once per build folder, so that no test's own object depends on where the checkout
// is.
#pragma once

#include <filesystem>

namespace autodidact::tests {

// The checkout.
std::filesystem::path SourceFolder();

// The public data sets: AUTODIDACT_DATA, or shared/data beside the checkout. They may be absent: such a test is
// skipped.
std::filesystem::path DataFolder();

// Inputs with what is right for them: AUTODIDACT_CASES, or shared/cases beside the checkout. They may be absent, too.
std::filesystem::path CasesFolder();

// The built program; for tests that are not unit tests.
std::filesystem::path ProgramFile();

}  // namespace autodidact::tests
