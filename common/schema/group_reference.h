// A group's reference, and what its rollouts are held against for it.
#pragma once

#include <utility>

#include "base/error.h"
#include "schema/types.h"

namespace autodidact::schema {

struct GroupReference {
  Reference reference;
  Target target;
};

// A reference that is all that the rollouts are held against.
inline base::Outcome<GroupReference> WithTarget(base::Outcome<Reference> reference) {
  if (!reference.ok()) return reference.failure();
  Target target = TargetOf(*reference);
  return GroupReference{std::move(*reference), std::move(target)};
}

}  // namespace autodidact::schema
