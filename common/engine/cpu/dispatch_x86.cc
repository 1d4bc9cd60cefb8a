#include <cstring>

#include "engine/cpu/kernels.h"

namespace autodidact::engine::cpu {

extern const KernelTable kAvx512Kernels;
extern const KernelTable kAvx2Kernels;
extern const KernelTable kGenericKernels;

const KernelTable* KernelsNamed(const char* name) {
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (std::strcmp(name, "avx512") == 0 && has_avx512) return &kAvx512Kernels;
  if (std::strcmp(name, "avx2") == 0 && has_avx2) return &kAvx2Kernels;
  if (std::strcmp(name, "generic") == 0) return &kGenericKernels;
  return nullptr;
}

const KernelTable& Kernels() {
  if (const KernelTable* table = KernelsNamed("avx512")) return *table;
  if (const KernelTable* table = KernelsNamed("avx2")) return *table;
  return kGenericKernels;
}

}  // namespace autodidact::engine::cpu
