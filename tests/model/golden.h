// The tiny models of tests/golden/models and what transformers computed with them (make_model_goldens.py).
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "json/json.h"
#include "model/folder.h"
#include "model/transformer.h"
#include "tests/paths.h"

namespace autodidact::model {

using Ids = std::vector<std::int32_t>;

inline const std::vector<std::string>& GoldenNames() {
  static const std::vector<std::string> names = {"llama", "llama3_tied", "qwen2", "qwen2_window", "qwen3", "gemma3"};
  return names;
}

inline std::filesystem::path GoldenFolder(const std::string& name) {
  return tests::SourceFolder() / "tests/golden/models" / name;
}

struct Golden {
  SharedWeights weights;
  json::Json values;
};

inline Golden LoadGolden(const std::string& name) {
  return {LoadModel(GoldenFolder(name), at::kFloat, at::kCPU), json::ParseFile(GoldenFolder(name) / "golden.json")};
}

// Standard normal, fp32.
inline at::Tensor Random(at::IntArrayRef shape, std::uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return at::randn(shape, generator, at::TensorOptions(at::kFloat));
}

// A list of equally long lists, or a list of numbers.
inline at::Tensor TensorOf(const json::Json& values) {
  if (!values.at(0).is_array()) return at::tensor(values.get<std::vector<double>>(), at::kDouble);
  std::vector<at::Tensor> rows;
  for (const json::Json& row : values) rows.push_back(TensorOf(row));
  return at::stack(rows);
}

// Detached copies that ask for gradients.
inline Parameters Trainable(const Parameters& parameters) {
  Parameters result;
  for (const auto& [name, tensor] : parameters) result.emplace(name, tensor.detach().clone().requires_grad_(true));
  return result;
}

// The prompt with its completions as one packed group. Row i of completion c is predicted by hidden row rows[c][i].
struct PackedGroup {
  PackedBatch batch;
  std::vector<at::Tensor> rows;
};

inline PackedGroup PackGroup(const Ids& prompt, const std::vector<Ids>& completions) {
  PackedGroup group;
  const std::size_t head = group.batch.Add(prompt);
  for (const Ids& completion : completions) {
    const std::size_t index = group.batch.AddContinuation(head, std::span(completion).first(completion.size() - 1));
    const Segment& segment = group.batch.segments()[index];
    std::vector<std::int64_t> rows = {static_cast<std::int64_t>(prompt.size()) - 1};
    for (std::int64_t t = segment.begin; t < segment.end; ++t) rows.push_back(t);
    group.rows.push_back(at::tensor(rows, at::kLong));
  }
  return group;
}

inline double MaxDifference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

}  // namespace autodidact::model
