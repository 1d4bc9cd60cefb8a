#include "engine/cpu/simd_avx2.h"
// After the primitives.
#include "engine/cpu/kernels_impl.h"

namespace autodidact::engine::cpu {

extern const KernelTable kAvx2Kernels;
const KernelTable kAvx2Kernels = MakeTable("avx2");

}  // namespace autodidact::engine::cpu
