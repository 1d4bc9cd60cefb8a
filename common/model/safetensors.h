// The safetensors file format: a length, a JSON header that names tensors, and their bytes.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace autodidact::model {

// A file mapped for reading. Immutable, hence thread-safe. The constructor checks the whole header: offsets inside the
// file, no gaps and no overlaps, sizes equal to shape × element size; anything else is Error(kBadInput) naming the
// file, the tensor, what was found and what was expected.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(std::filesystem::path path);

  struct Entry {
    at::ScalarType type = at::kFloat;  // float32, bfloat16 or float16
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0;  // bytes from the start of the file
    std::uint64_t end = 0;
  };
  const std::map<std::string, Entry>& entries() const { return entries_; }
  const std::filesystem::path& path() const { return path_; }

  // A CPU tensor of its own with the bytes of `name`, converted to `type`. The entry must exist.
  at::Tensor Read(const std::string& name, at::ScalarType type) const;

 private:
  class Mapping;
  void ParseHeader();

  std::filesystem::path path_;
  std::shared_ptr<const Mapping> mapping_;
  std::map<std::string, Entry> entries_;
};

// Writes the tensors in the given order, converted to `type` one after the other, under a temporary name; renames when
// whole. Error(kBadInput) when the file cannot be written.
void WriteSafetensors(const std::filesystem::path& path, const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                      at::ScalarType type);

}  // namespace autodidact::model
