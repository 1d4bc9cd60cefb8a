#include <cstring>

#include "engine/cpu/kernels.h"

namespace autodidact::engine::cpu {

extern const KernelTable kGenericKernels;

const KernelTable* KernelsNamed(const char* name) {
  return std::strcmp(name, "generic") == 0 ? &kGenericKernels : nullptr;
}

const KernelTable& Kernels() {
  return kGenericKernels;
}

}  // namespace autodidact::engine::cpu
