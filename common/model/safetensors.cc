#include "model/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <string_view>

#include "base/check.h"
#include "base/error.h"
#include "base/format.h"
#include "json/dom_builder.h"
#include "json/json.h"
#include "model/atomic_file.h"

namespace autodidact::model {

using base::Format;
using base::ThrowBadInput;
using json::Json;

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

namespace {

// The limit of the reference reader; a header is a few hundred kilobytes at most.
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

// The parser itself keeps the last of two members of one name.
class HeaderBuilder : public json::DomBuilder {
 public:
  bool key(string_t& name) {
    if (depth() == 1 && !names_.insert(name).second) return Fail(Format("tensor {} is named twice", name));
    return DomBuilder::key(name);
  }

 private:
  std::set<std::string> names_;
};

Json Parse(std::string_view text, const std::string& where) {
  HeaderBuilder builder;
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return std::move(builder.root());
  ThrowBadInput(Format("{}: column {}: {}", where, builder.error_position(), builder.error()));
}

struct TypeName {
  const char* name;
  at::ScalarType type;
};
constexpr TypeName kTypes[] = {{"F32", at::kFloat}, {"BF16", at::kBFloat16}, {"F16", at::kHalf}};

const char* NameOf(at::ScalarType type) {
  for (const TypeName& entry : kTypes) {
    if (entry.type == type) return entry.name;
  }
  base::ThrowBug(Format("no safetensors name for {}", c10::toString(type)));
}

at::ScalarType ParseType(const Json& tensor, const std::string& where) {
  const std::string name = json::GetString(tensor, "dtype", where);
  for (const TypeName& entry : kTypes) {
    if (name == entry.name) return entry.type;
  }
  ThrowBadInput(Format("{}: dtype {} is not supported; supported: F32, BF16, F16", where, name));
}

std::vector<std::int64_t> ParseShape(const Json& tensor, const std::string& where) {
  if (!tensor.contains("shape") || !tensor["shape"].is_array()) ThrowBadInput(Format("{}: shape is no list", where));
  std::vector<std::int64_t> shape;
  for (const Json& length : tensor["shape"]) {
    if (!length.is_number_unsigned() || length.get<std::uint64_t>() > std::numeric_limits<std::int32_t>::max()) {
      ThrowBadInput(Format("{}: shape {} is not made of sizes", where, json::Dump(tensor["shape"])));
    }
    shape.push_back(length.get<std::int64_t>());
  }
  return shape;
}

// Nothing when the product does not fit: no file can hold it.
std::optional<std::uint64_t> ByteCount(const std::vector<std::int64_t>& shape, at::ScalarType type) {
  std::uint64_t bytes = c10::elementSize(type);
  for (const std::int64_t length : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(length), &bytes)) return std::nullopt;
  }
  return bytes;
}

SafetensorsFile::Entry ParseEntry(const Json& tensor, std::uint64_t data_begin, std::uint64_t data_size,
                                  const std::string& where) {
  if (!tensor.is_object()) ThrowBadInput(Format("{}: expected an object, got {}", where, json::Dump(tensor)));
  SafetensorsFile::Entry entry;
  entry.type = ParseType(tensor, where);
  entry.shape = ParseShape(tensor, where);
  const auto offsets = tensor.find("data_offsets");
  if (offsets == tensor.end() || !offsets->is_array() || offsets->size() != 2 || !(*offsets)[0].is_number_unsigned() ||
      !(*offsets)[1].is_number_unsigned()) {
    ThrowBadInput(Format("{}: data_offsets is no pair of byte offsets", where));
  }
  const auto begin = (*offsets)[0].get<std::uint64_t>();
  const auto end = (*offsets)[1].get<std::uint64_t>();
  if (begin > end || end > data_size) {
    ThrowBadInput(Format("{}: data_offsets [{}, {}] lie outside the {} bytes of data that the file has (truncated?)",
                         where, begin, end, data_size));
  }
  const auto expected = ByteCount(entry.shape, entry.type);
  if (!expected || *expected != end - begin) {
    ThrowBadInput(Format("{}: data_offsets span {} bytes, but shape {} of {} needs {}", where, end - begin,
                         json::Dump(tensor["shape"]), NameOf(entry.type), expected ? *expected : 0));
  }
  entry.begin = data_begin + begin;
  entry.end = data_begin + end;
  return entry;
}

// Every byte of the data belongs to exactly one tensor.
void CheckCoverage(const std::map<std::string, SafetensorsFile::Entry>& entries, std::uint64_t data_begin,
                   std::uint64_t file_size, const std::string& path) {
  std::vector<std::pair<std::uint64_t, const std::string*>> by_begin;
  for (const auto& [name, entry] : entries) by_begin.emplace_back(entry.begin, &name);
  std::sort(by_begin.begin(), by_begin.end(), [&](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : entries.at(*a.second).end < entries.at(*b.second).end;
  });
  std::uint64_t position = data_begin;
  for (const auto& [begin, name] : by_begin) {
    if (begin != position) {
      ThrowBadInput(Format("{}: tensor {}: its data begins at byte {}, but the tensor before it ends at {}", path,
                           *name, begin - data_begin, position - data_begin));
    }
    position = entries.at(*name).end;
  }
  if (position != file_size) {
    ThrowBadInput(Format("{}: the tensors end at byte {}, but the file has {} bytes of data", path,
                         position - data_begin, file_size - data_begin));
  }
}

}  // namespace

// Owns the mapped bytes.
class SafetensorsFile::Mapping {
 public:
  explicit Mapping(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) ThrowBadInput(Format("{}: cannot open: {}", path.string(), std::strerror(errno)));
    struct stat status {};
    const bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    size_ = regular ? static_cast<std::uint64_t>(status.st_size) : 0;
    if (size_ > 0) {
      void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
      data_ = address == MAP_FAILED ? nullptr : static_cast<const char*>(address);
    }
    ::close(descriptor);
    if (!regular) ThrowBadInput(Format("{}: not a regular file", path.string()));
    if (size_ > 0 && !data_) ThrowBadInput(Format("{}: cannot map: {}", path.string(), std::strerror(errno)));
  }
  ~Mapping() {
    if (data_) ::munmap(const_cast<char*>(data_), size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  const char* data() const { return data_; }
  std::uint64_t size() const { return size_; }

  // The whole pages inside of these bytes need not stay in this process's memory: copied ones would count twice.
  void Forget(std::uint64_t begin, std::uint64_t end) const {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    begin = (begin + page - 1) / page * page;
    end = end / page * page;
    if (begin < end) ::madvise(const_cast<char*>(data_) + begin, end - begin, MADV_DONTNEED);
  }

 private:
  const char* data_ = nullptr;
  std::uint64_t size_ = 0;
};

SafetensorsFile::SafetensorsFile(std::filesystem::path path)
    : path_(std::move(path)), mapping_(std::make_shared<const Mapping>(path_)) {
  ParseHeader();
}

void SafetensorsFile::ParseHeader() {
  const std::string name = path_.string();
  std::uint64_t header_size = 0;
  if (mapping_->size() < sizeof header_size) {
    ThrowBadInput(Format("{}: {} bytes are too few for a safetensors file", name, mapping_->size()));
  }
  std::memcpy(&header_size, mapping_->data(), sizeof header_size);
  if (header_size > kMaxHeaderBytes || header_size > mapping_->size() - sizeof header_size) {
    ThrowBadInput(
        Format("{}: the header is said to have {} bytes, but the file has {} (truncated, or no safetensors "
               "file?)",
               name, header_size, mapping_->size()));
  }
  const Json header = Parse({mapping_->data() + sizeof header_size, header_size}, name + ": header");
  if (!header.is_object()) ThrowBadInput(Format("{}: the header is no JSON object", name));
  const std::uint64_t data_begin = sizeof header_size + header_size;
  for (const auto& [key, value] : header.items()) {
    if (key == "__metadata__") continue;
    const std::string where = Format("{}: tensor {}", name, key);
    entries_.emplace(key, ParseEntry(value, data_begin, mapping_->size() - data_begin, where));
  }
  CheckCoverage(entries_, data_begin, mapping_->size(), name);
}

at::Tensor SafetensorsFile::Read(const std::string& name, at::ScalarType type) const {
  const auto found = entries_.find(name);
  AD_CHECK(found != entries_.end(), "{} has no tensor {}", path_.string(), name);
  const Entry& entry = found->second;
  at::Tensor stored = at::empty(entry.shape, entry.type);
  std::memcpy(stored.mutable_data_ptr(), mapping_->data() + entry.begin, entry.end - entry.begin);
  mapping_->Forget(entry.begin, entry.end);
  return stored.to(type);
}

void WriteSafetensors(const std::filesystem::path& path, const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                      at::ScalarType type) {
  Json header = {{"__metadata__", {{"format", "pt"}}}};
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::uint64_t bytes = static_cast<std::uint64_t>(tensor.numel()) * c10::elementSize(type);
    header[name] = {
        {"dtype", NameOf(type)}, {"shape", tensor.sizes().vec()}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = json::Dump(header);
  // Readers expect the data to be aligned.
  text.append((8 - text.size() % 8) % 8, ' ');

  AtomicFile file(path);
  const std::uint64_t header_size = text.size();
  file.Write(&header_size, sizeof header_size);
  file.Write(text);
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor stored = tensor.detach().to(at::kCPU, type).contiguous();
    file.Write(stored.const_data_ptr(), stored.nbytes());
  }
  file.Commit();
}

}  // namespace autodidact::model
