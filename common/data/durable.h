// Files that are on the disk, and not only in the memory of the system, when a function returns.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace autodidact::data {

// Blocks until the entries of the folder (names that were made, renamed or removed), or every file and folder below it
// and itself, are on the disk. std::filesystem::filesystem_error when the system refuses.
void SyncFolder(const std::filesystem::path& folder);
void SyncTree(const std::filesystem::path& folder);

// Puts the folder `from` in the place of `to`, in one step, where `to` is there; what was `to` is `from` then. Else
// renames it.
void ExchangeOrRename(const std::filesystem::path& from, const std::filesystem::path& to);

// Whether a file has bytes, or a folder entries; false where there is neither.
bool HoldsAnything(const std::filesystem::path& path);

// Bytes that a program may still write on the disk that the path is on or will be; bytes of all files below it (0 where
// there is none).
std::uint64_t FreeBytes(const std::filesystem::path& path);
std::uint64_t SizeOf(const std::filesystem::path& path);

// "20.5 MiB", "3.2 GiB": for messages.
std::string SizeText(std::uint64_t bytes);

}  // namespace autodidact::data
