#include "base/error.h"
#include "engine/decoder.h"

namespace autodidact::engine {

std::unique_ptr<Decoder> MakeTorchDecoder(model::SharedWeights, std::int64_t) {
  base::ThrowBadInput("the engine computes with fp32 weights on the CPU only");
}

}  // namespace autodidact::engine
