// What every fuzz target holds its decoder to.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"

namespace autodidact::fuzz {

inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: broken: %s\n", what);
  std::abort();
}

// Bad input is refused by one kind of error; anything else is a defect.
template <class Decode>
void MayRefuse(Decode decode) {
  try {
    decode();
  } catch (const base::Error& error) {
    Require(error.kind() == base::ErrorKind::kBadInput, "bad input is told as bad input");
    Require(!error.message().empty(), "an error has a message");
  }
}

// The bytes as a file, for decoders that read files.
inline std::filesystem::path AsFile(std::string_view bytes, const char* name) {
  const auto file = std::filesystem::temp_directory_path() / ("autodidact_fuzz_" + std::to_string(getpid()) + name);
  std::FILE* stream = std::fopen(file.c_str(), "wb");
  Require(stream != nullptr, "a file can be made");
  Require(std::fwrite(bytes.data(), 1, bytes.size(), stream) == bytes.size(), "a file can be written");
  std::fclose(stream);
  return file;
}

}  // namespace autodidact::fuzz
