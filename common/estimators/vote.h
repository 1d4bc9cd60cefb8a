// Votes where answers are compared by something that may fail.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "answers/extract.h"
#include "base/error.h"
#include "schema/types.h"

namespace autodidact::estimators {

// Whether two answers are the same, or why that is not known.
using SameAnswer = std::function<base::Outcome<bool>(const std::string& left, const std::string& right)>;

// MajorityReference with classes under `same`: an answer belongs to the first class whose first member it is the same
// as. Fails as `same` does: a vote that is not known is no vote for another class.
base::Outcome<schema::Reference> MajorityUnder(const SameAnswer& same, answers::Extractor extractor,
                                               const std::vector<std::string>& texts);

}  // namespace autodidact::estimators
