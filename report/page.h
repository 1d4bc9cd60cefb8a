// The page of a run.
#pragma once

#include <string>

#include "report/run.h"

namespace autodidact::report {

// A whole HTML document that refers to nothing outside of itself and runs no script; for wide and narrow screens, light
// and dark. The same run gives the same bytes.
std::string Page(const Run& run);

}  // namespace autodidact::report
