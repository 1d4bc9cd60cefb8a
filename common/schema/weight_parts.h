// Weights on their way from the learner to the actors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace autodidact::schema {

// The number of optimizer steps behind a set of weights.
using WeightVersion = std::uint64_t;

enum class ElementType : std::uint16_t { kFloat32, kBFloat16, kFloat16 };

struct TensorInfo {
  std::string name;
  ElementType type = ElementType::kFloat32;
  std::vector<std::int64_t> shape;

  bool operator==(const TensorInfo&) const = default;
};

// actor -> weight publisher: one part of the oldest set that is at least min_version, as a delta from have if it can
// be.
struct WeightRequest {
  bool has_weights = false;
  WeightVersion have = 0;         // only with has_weights
  WeightVersion min_version = 0;  // wait for it; the reply is a Failure(kRetryLater) when it does not come in time
  std::uint32_t wait_milliseconds = 0;
  std::uint32_t part = 0;
  bool has_version = false;  // parts after the first name the version that the first one had
  WeightVersion version = 0;

  bool operator==(const WeightRequest&) const = default;
};

// A part of a weight set: the tensors' bytes concatenated, split evenly, whole or as a compressed XOR with `base`.
struct WeightPart {
  WeightVersion version = 0;
  bool is_delta = false;
  WeightVersion base = 0;           // only of a delta
  std::vector<TensorInfo> tensors;  // in part 0 only: what the bytes are
  std::uint32_t part = 0;
  std::uint32_t num_parts = 1;
  std::uint64_t raw_size = 0;  // bytes of this part once decoded
  std::uint64_t checksum = 0;  // XXH3-64 of the whole set's raw bytes
  std::string payload;

  bool operator==(const WeightPart&) const = default;
};

}  // namespace autodidact::schema
