// Metrics as TensorBoard reads them: a file of TFRecords, each a serialized tensorflow.Event.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/metrics.h"

namespace autodidact::data {

// The checksum of a TFRecord: CRC-32C (Castagnoli) of the bytes, and the same masked as the format asks for.
std::uint32_t Crc32c(std::string_view bytes);
std::uint32_t MaskedCrc32c(std::string_view bytes);

// One record: length (8 bytes, little endian), its masked checksum, the bytes, their masked checksum.
std::string EncodeRecord(std::string_view bytes);
// A serialized Event: the first of each file, which names the version; and the scalars of one step, at `wall_time` in
// seconds since 1970.
std::string EncodeVersionEvent(double wall_time);
std::string EncodeScalars(double wall_time, std::int64_t step, const base::Metrics& metrics);

// Appends the scalars of each step to one file, flushed as they are written. One thread.
class EventFile {
 public:
  // A new file folder/events.out.tfevents.NNNNNNNNNN.autodidact, named after the step that the run starts behind, so
  // that the files of a run that was resumed are read in their order. Replaces a file of that name. Error(kBadInput)
  // when it cannot be written.
  EventFile(const std::filesystem::path& folder, std::int64_t first_step);

  void Write(std::int64_t step, const base::Metrics& metrics);

 private:
  void Append(std::string_view event);

  std::filesystem::path file_;
  std::ofstream stream_;
};

// Cuts each event file of the folder before its first record of a step after `last_step`, and before what is not a
// whole record, so that a resumed run writes no step twice. Error(kBadInput) when a file cannot be read or written.
void CutEventFiles(const std::filesystem::path& folder, std::int64_t last_step);

}  // namespace autodidact::data
