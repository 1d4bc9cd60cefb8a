#include "engine/cpu/simd_avx512.h"
// After the primitives.
#include "engine/cpu/kernels_impl.h"

namespace autodidact::engine::cpu {

extern const KernelTable kAvx512Kernels;
const KernelTable kAvx512Kernels = MakeTable("avx512");

}  // namespace autodidact::engine::cpu
