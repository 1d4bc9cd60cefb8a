#include "engine/cpu/simd_generic.h"
// After the primitives.
#include "engine/cpu/kernels_impl.h"

namespace autodidact::engine::cpu {

extern const KernelTable kGenericKernels;
const KernelTable kGenericKernels = MakeTable("generic");

}  // namespace autodidact::engine::cpu
