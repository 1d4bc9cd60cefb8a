// What the roles of one run have in common.
#pragma once

#include <cstdint>

#include "launch/config/run_config.h"

namespace autodidact::launch {

// Checksum of the config's keys on which it depends what is sampled, asked, rewarded or learned from (kMustStay of
// resume_rules.h), by which a learner tells its own roles from those of another run. Never 0. Paths and machines do not
// count.
std::uint64_t ConfigChecksum(const RunConfig& config);

}  // namespace autodidact::launch
