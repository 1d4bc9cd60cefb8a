#include "weights/flat_set.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/checksum.h"

namespace autodidact::weights {
namespace {

schema::ElementType TypeOf(const at::Tensor& tensor, const std::string& name) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return schema::ElementType::kFloat32;
    case at::kBFloat16:
      return schema::ElementType::kBFloat16;
    case at::kHalf:
      return schema::ElementType::kFloat16;
    default:
      base::ThrowBug(
          base::Format("weights: {} is of {}, expected fp32, bf16 or fp16", name, c10::toString(tensor.scalar_type())));
  }
}

at::ScalarType ScalarOf(schema::ElementType type) {
  switch (type) {
    case schema::ElementType::kFloat32:
      return at::kFloat;
    case schema::ElementType::kBFloat16:
      return at::kBFloat16;
    case schema::ElementType::kFloat16:
      return at::kHalf;
  }
  base::ThrowBadInput("weights: a tensor of an unknown type");
}

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const auto size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

}  // namespace

FlatSet::FlatSet(const model::Parameters& parameters) {
  for (const auto& [name, tensor] : parameters) {
    Add({name, TypeOf(tensor, name), tensor.sizes().vec()}, tensor.detach().to(at::kCPU).contiguous());
  }
}

FlatSet::FlatSet(const std::vector<schema::TensorInfo>& tensors, const model::ModelConfig& config) {
  auto wanted = model::ParameterShapes(config);
  std::sort(wanted.begin(), wanted.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  if (tensors.size() != wanted.size()) {
    base::ThrowBadInput(
        base::Format("weights: got a set of {} tensors, the model has {}", tensors.size(), wanted.size()));
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (tensors[i].name != wanted[i].name || tensors[i].shape != wanted[i].shape) {
      base::ThrowBadInput(base::Format("weights: got tensor {} of shape {}, the model has {} of shape {}",
                                       tensors[i].name, ShapeText(tensors[i].shape), wanted[i].name,
                                       ShapeText(wanted[i].shape)));
    }
  }
  for (const auto& info : tensors) Add(info, at::empty(info.shape, ScalarOf(info.type)));
}

void FlatSet::Add(schema::TensorInfo info, at::Tensor tensor) {
  infos_.push_back(std::move(info));
  offsets_.push_back(size_);
  size_ += tensor.nbytes();
  tensors_.push_back(std::move(tensor));
}

template <class Fn>
void FlatSet::ForStretches(std::uint64_t offset, std::uint64_t size, Fn fn) const {
  AD_CHECK(offset <= size_ && size <= size_ - offset, "bytes {}+{} of {}", offset, size, size_);
  auto next = std::upper_bound(offsets_.begin(), offsets_.end(), offset);
  for (std::size_t i = next - offsets_.begin(); size > 0; ++i) {
    const at::Tensor& tensor = tensors_[i - 1];
    const std::uint64_t inside = offset - offsets_[i - 1];
    const std::uint64_t count = std::min<std::uint64_t>(size, tensor.nbytes() - inside);
    if (count == 0) continue;  // an empty tensor
    fn(static_cast<char*>(tensor.data_ptr()) + inside, count);
    offset += count;
    size -= count;
  }
}

void FlatSet::Read(std::uint64_t offset, std::uint64_t size, char* to) const {
  ForStretches(offset, size, [&](const char* data, std::uint64_t count) {
    std::memcpy(to, data, count);
    to += count;
  });
}

void FlatSet::Write(std::uint64_t offset, std::uint64_t size, const char* from) {
  ForStretches(offset, size, [&](char* data, std::uint64_t count) {
    std::memcpy(data, from, count);
    from += count;
  });
}

std::uint64_t FlatSet::Checksum() const {
  base::Checksummer checksummer;
  ForStretches(0, size_, [&](const char* data, std::uint64_t count) { checksummer.Update(data, count); });
  return checksummer.Digest();
}

model::Parameters FlatSet::parameters() const {
  model::Parameters parameters;
  for (std::size_t i = 0; i < infos_.size(); ++i) parameters.emplace(infos_[i].name, tensors_[i]);
  return parameters;
}

}  // namespace autodidact::weights
