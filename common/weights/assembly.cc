#include "weights/assembly.h"

#include "base/format.h"
#include "weights/delta.h"

namespace autodidact::weights {
namespace {

[[noreturn]] void Refuse(const schema::WeightPart& part, const std::string& why) {
  base::ThrowBadInput(
      base::Format("weights: version {}, part {} of {}: {}", part.version, part.part, part.num_parts, why));
}

}  // namespace

Assembly::Assembly(const schema::WeightPart& first, const model::ModelConfig& config, const FlatSet* base,
                   schema::WeightVersion base_version)
    : base_(base),
      base_version_(base_version),
      version_(first.version),
      num_parts_(first.num_parts),
      checksum_(first.checksum),
      set_(first.tensors, config) {
  if (first.part != 0 || num_parts_ == 0) Refuse(first, "expected the first part");
  Add(first);
}

void Assembly::Add(const schema::WeightPart& part) {
  if (part.version != version_ || part.num_parts != num_parts_ || part.checksum != checksum_) {
    Refuse(part, base::Format("it belongs to another set than version {} in {} parts", version_, num_parts_));
  }
  if (part.part != next_part_) Refuse(part, base::Format("part {} is due", next_part_));
  if (part.raw_size == 0 && set_.size() > 0) Refuse(part, "it is empty");
  if (part.raw_size > set_.size() - filled_) {
    Refuse(part, base::Format("{} bytes, but only {} are left of the set", part.raw_size, set_.size() - filled_));
  }
  if (!part.is_delta) {
    if (part.payload.size() != part.raw_size) {
      Refuse(part, base::Format("{} bytes, expected {}", part.payload.size(), part.raw_size));
    }
    set_.Write(filled_, part.raw_size, part.payload.data());
  } else {
    if (base_ == nullptr || part.base != base_version_ || base_->infos() != set_.infos()) {
      Refuse(part, base::Format("a delta from version {}, which is not the one held", part.base));
    }
    std::string before(part.raw_size, '\0');
    base_->Read(filled_, part.raw_size, before.data());
    const auto after = ApplyDelta(before, part.payload);
    if (!after) Refuse(part, "the delta does not decode");
    set_.Write(filled_, part.raw_size, after->data());
  }
  filled_ += part.raw_size;
  ++next_part_;
}

FlatSet Assembly::Finish() {
  if (next_part_ != num_parts_ || filled_ != set_.size()) {
    base::ThrowBadInput(base::Format("weights: version {}: {} of {} bytes after {} of {} parts", version_, filled_,
                                     set_.size(), next_part_, num_parts_));
  }
  const std::uint64_t checksum = set_.Checksum();
  if (checksum != checksum_) {
    base::ThrowBadInput(
        base::Format("weights: version {}: checksum {:016x}, expected {:016x}", version_, checksum, checksum_));
  }
  return std::move(set_);
}

}  // namespace autodidact::weights
