// Stands in for nccl.cc in the variant without CUDA.
#include "collective/collective.h"

#include "base/error.h"
#include "collective/facts.h"

namespace autodidact::collective {

std::string NcclVersion() {
  return "";
}

std::unique_ptr<Communicator> MakeNcclGroup(Communicator& /*bootstrap*/, at::Device /*device*/,
                                            std::chrono::milliseconds /*timeout*/) {
  base::ThrowBadInput("collective: NCCL was asked for, but this build is without CUDA (-DAUTODIDACT_CUDA=ON)");
}

}  // namespace autodidact::collective
