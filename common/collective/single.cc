#include "base/check.h"
#include "collective/collective.h"
#include "collective/rank_order.h"

namespace autodidact::collective {
namespace {

class Single final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::string name() const override { return "single"; }

  void AllReduceSum(at::Tensor& tensor) override { RequireSummable(tensor, "all-reduce", tensor.device()); }
  void ReduceScatterSum(at::Tensor& tensor) override { RequireSummable(tensor, "reduce-scatter", tensor.device()); }
  void AllGatherRows(at::Tensor& tensor) override { RequireContiguous(tensor, "all-gather of rows", tensor.device()); }
  void Broadcast(at::Tensor& tensor, int root) override {
    RequireContiguous(tensor, "broadcast", tensor.device());
    RequireRank(root, 1, "broadcast");
  }
  std::vector<std::string> AllGather(const std::string& bytes) override { return {bytes}; }
  std::string BroadcastBytes(const std::string& bytes, int root) override {
    RequireRank(root, 1, "broadcast of bytes");
    return bytes;
  }
  std::string Scatter(const std::vector<std::string>& parts, int root) override {
    RequireRank(root, 1, "scatter");
    AD_CHECK(parts.size() == 1, "scatter: {} parts for 1 rank", parts.size());
    return parts[0];
  }
  void Barrier() override {}
};

}  // namespace

std::unique_ptr<Communicator> MakeSingle() {
  return std::make_unique<Single>();
}

}  // namespace autodidact::collective
