// Stands in for device_memory_cuda.cc in the variant without CUDA.
#include "model/device.h"

namespace autodidact::model {

std::int64_t PeakDeviceBytes(at::Device /*device*/) {
  return 0;
}

}  // namespace autodidact::model
