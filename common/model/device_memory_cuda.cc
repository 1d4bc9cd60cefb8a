#include <c10/cuda/CUDACachingAllocator.h>

#include "model/device.h"

namespace autodidact::model {

std::int64_t PeakDeviceBytes(at::Device device) {
  if (!device.is_cuda()) return 0;
  const auto index = device.has_index() ? device.index() : c10::cuda::current_device();
  const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(index);
  return stats.allocated_bytes[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)].peak;
}

}  // namespace autodidact::model
