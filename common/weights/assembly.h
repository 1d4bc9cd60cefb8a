// The receiving end of one weight set: parts in, a verified set out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/error.h"
#include "schema/types.h"
#include "weights/flat_set.h"

namespace autodidact::weights {

// Takes the parts of one version in order. Nothing in a part is trusted: what does not fit is a failure, and the set is
// then to be fetched again. One thread. The base must outlive it.
class Assembly {
 public:
  // base: the set that deltas may refer to, with its version; null: none. The first part says what the set is.
  // Throws Error(kBadInput) when it is no first part or its tensors do not fit the config.
  Assembly(const schema::WeightPart& first, const model::ModelConfig& config, const FlatSet* base,
           schema::WeightVersion base_version);

  schema::WeightVersion version() const { return version_; }
  std::uint32_t num_parts() const { return num_parts_; }
  // Adds the next part. Throws Error(kBadInput) when it is not the one that is due, or does not decode.
  void Add(const schema::WeightPart& part);
  // The set, when all parts are there and the checksum is right; throws Error(kBadInput) when it is not.
  FlatSet Finish();

 private:
  const FlatSet* base_;
  const schema::WeightVersion base_version_;
  const schema::WeightVersion version_;
  const std::uint32_t num_parts_;
  const std::uint64_t checksum_;
  FlatSet set_;
  std::uint32_t next_part_ = 0;
  std::uint64_t filled_ = 0;
};

}  // namespace autodidact::weights
