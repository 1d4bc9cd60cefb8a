#include "collective/rank_order.h"

#include "base/check.h"

namespace autodidact::collective {

void RequireContiguous(const at::Tensor& tensor, std::string_view operation, at::Device device) {
  AD_CHECK(tensor.defined() && tensor.is_contiguous(), "{}: the tensor is not contiguous", operation);
  AD_CHECK(tensor.device() == device, "{}: the tensor is on {}, expected {}", operation, tensor.device().str(),
           device.str());
}

void RequireSummable(const at::Tensor& tensor, std::string_view operation, at::Device device) {
  RequireContiguous(tensor, operation, device);
  AD_CHECK(tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kDouble,
           "{}: got a tensor of {}, expected fp32 or fp64", operation, c10::toString(tensor.scalar_type()));
}

void RequireRank(int root, int size, std::string_view operation) {
  AD_CHECK(root >= 0 && root < size, "{}: rank {} of {}", operation, root, size);
}

}  // namespace autodidact::collective
