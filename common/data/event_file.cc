#include "data/event_file.h"

#include <array>
#include <bit>
#include <chrono>
#include <cstring>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/fault.h"
#include "base/format.h"
#include "json/json.h"

namespace autodidact::data {
namespace {

constexpr std::string_view kNamePrefix = "events.out.tfevents.";
constexpr std::size_t kHeader = 12;  // length and its checksum
constexpr std::size_t kFooter = 4;

// Field numbers of tensorflow.Event, Summary and Summary.Value, and the wire types of protocol buffers.
enum Wire : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
constexpr std::uint32_t kEventWallTime = 1, kEventStep = 2, kEventFileVersion = 3, kEventSummary = 5;
constexpr std::uint32_t kSummaryValue = 1;
constexpr std::uint32_t kValueTag = 1, kValueSimple = 2;

template <class Unsigned>
void PutFixed(std::string& out, Unsigned value) {
  for (std::size_t i = 0; i < sizeof(value); ++i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
}

template <class Unsigned>
Unsigned GetFixed(std::string_view bytes) {
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof(value); ++i) {
    value |= static_cast<Unsigned>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return value;
}

void PutVarint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7F) | 0x80));
  out.push_back(static_cast<char>(value));
}

std::optional<std::uint64_t> GetVarint(std::string_view bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && at < bytes.size(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

void PutKey(std::string& out, std::uint32_t field, Wire wire) {
  PutVarint(out, (field << 3) | wire);
}

void PutBytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  PutKey(out, field, kBytes);
  PutVarint(out, bytes.size());
  out.append(bytes);
}

void PutWallTime(std::string& out, double wall_time) {
  PutKey(out, kEventWallTime, kFixed64);
  PutFixed(out, std::bit_cast<std::uint64_t>(wall_time));
}

double Now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// The step of an event as EncodeScalars writes it; 0 when it has none, as the version's.
std::optional<std::int64_t> StepOf(std::string_view event) {
  std::size_t at = 1 + sizeof(std::uint64_t);  // the wall time stands first
  if (event.size() < at) return std::nullopt;
  if (at == event.size() || static_cast<unsigned char>(event[at]) != ((kEventStep << 3) | kVarint)) return 0;
  ++at;
  const auto step = GetVarint(event, at);
  if (!step) return std::nullopt;
  return static_cast<std::int64_t>(*step);
}

// The length of the part of a file that is whole records of steps up to `last_step`.
std::size_t KeptLength(std::string_view bytes, std::int64_t last_step) {
  std::size_t at = 0;
  while (bytes.size() - at >= kHeader + kFooter) {
    const std::string_view rest = bytes.substr(at);
    const auto length = GetFixed<std::uint64_t>(rest);
    if (MaskedCrc32c(rest.substr(0, 8)) != GetFixed<std::uint32_t>(rest.substr(8))) break;
    if (length > rest.size() - kHeader - kFooter) break;
    const std::string_view event = rest.substr(kHeader, length);
    if (MaskedCrc32c(event) != GetFixed<std::uint32_t>(rest.substr(kHeader + length))) break;
    const auto step = StepOf(event);
    if (!step || *step > last_step) break;
    at += kHeader + length + kFooter;
  }
  return at;
}

constexpr std::array<std::uint32_t, 256> MakeCrcTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
    table[i] = crc;
  }
  return table;
}

}  // namespace

std::uint32_t Crc32c(std::string_view bytes) {
  static constexpr auto kTable = MakeCrcTable();
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char byte : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
  return ~crc;
}

std::uint32_t MaskedCrc32c(std::string_view bytes) {
  return std::rotr(Crc32c(bytes), 15) + 0xA282EAD8u;
}

std::string EncodeRecord(std::string_view bytes) {
  std::string record;
  PutFixed(record, static_cast<std::uint64_t>(bytes.size()));
  PutFixed(record, MaskedCrc32c(record));
  record.append(bytes);
  PutFixed(record, MaskedCrc32c(bytes));
  return record;
}

std::string EncodeVersionEvent(double wall_time) {
  std::string event;
  PutWallTime(event, wall_time);
  PutBytes(event, kEventFileVersion, "brain.Event:2");
  return event;
}

std::string EncodeScalars(double wall_time, std::int64_t step, const base::Metrics& metrics) {
  std::string summary;
  for (const auto& [name, value] : metrics) {
    std::string entry;
    PutBytes(entry, kValueTag, name);
    PutKey(entry, kValueSimple, kFixed32);
    PutFixed(entry, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
    PutBytes(summary, kSummaryValue, entry);
  }
  std::string event;
  PutWallTime(event, wall_time);
  PutKey(event, kEventStep, kVarint);
  PutVarint(event, static_cast<std::uint64_t>(step));
  PutBytes(event, kEventSummary, summary);
  return event;
}

EventFile::EventFile(const std::filesystem::path& folder, std::int64_t first_step)
    : file_(folder / base::Format("{}{:010}.autodidact", kNamePrefix, first_step)) {
  stream_.open(file_, std::ios::binary | std::ios::trunc);
  Append(EncodeVersionEvent(Now()));
}

void EventFile::Write(std::int64_t step, const base::Metrics& metrics) {
  Append(EncodeScalars(Now(), step, metrics));
}

void EventFile::Append(std::string_view event) {
  if (base::FaultFails("data.events")) stream_.setstate(std::ios::badbit);
  stream_ << EncodeRecord(event) << std::flush;
  if (!stream_)
    throw base::Error(base::ErrorKind::kRetryLater, file_.string() + ": cannot be written; is the disk full?");
}

void CutEventFiles(const std::filesystem::path& folder, std::int64_t last_step) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(kNamePrefix)) files.push_back(entry.path());
  }
  for (const auto& file : files) {
    const std::string bytes = json::ReadFile(file);
    const std::size_t kept = KeptLength(bytes, last_step);
    if (kept < bytes.size()) std::filesystem::resize_file(file, kept);
  }
}

}  // namespace autodidact::data
