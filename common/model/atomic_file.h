// A file that appears under its name only when it is whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace autodidact::model {

// Writes beside the target under a temporary name; Commit flushes to disk and renames. Without Commit nothing stays.
// Error(kBadInput) naming the file and the system's reason when it cannot be created, written or renamed. One thread.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void Write(std::string_view bytes) { Write(bytes.data(), bytes.size()); }
  void Write(const void* data, std::size_t size);
  void Commit();

 private:
  [[noreturn]] void Fail(const char* doing) const;

  std::filesystem::path target_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

}  // namespace autodidact::model
