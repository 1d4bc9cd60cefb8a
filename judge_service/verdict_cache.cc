#include "judge_service/verdict_cache.h"

#include <array>
#include <cstring>

#include "base/checksum.h"

namespace autodidact::judge_service {
namespace {

// Two checksums over the texts and their lengths: 128 bits, so that no two questions share a key by chance.
std::string Key(std::string_view judge, std::string_view item, std::string_view response) {
  std::string bytes;
  for (const std::string_view text : {judge, item, response}) {
    const std::uint64_t size = text.size();
    bytes.append(reinterpret_cast<const char*>(&size), sizeof(size)).append(text);
  }
  const std::uint64_t first = base::Checksum(bytes);
  bytes.push_back('\x01');
  const std::array<std::uint64_t, 2> both = {first, base::Checksum(bytes)};
  return std::string(reinterpret_cast<const char*>(both.data()), sizeof(both));
}

}  // namespace

std::optional<ItemVerdict> VerdictCache::Find(std::string_view judge, std::string_view item,
                                              std::string_view response) const {
  const auto found = verdicts_.find(Key(judge, item, response));
  if (found == verdicts_.end()) return std::nullopt;
  return found->second;
}

void VerdictCache::Put(std::string_view judge, std::string_view item, std::string_view response, ItemVerdict verdict) {
  if (capacity_ == 0 || verdict.kind == schema::VerdictKind::kInvalid) return;
  std::string key = Key(judge, item, response);
  const auto [at, is_new] = verdicts_.emplace(key, std::move(verdict));
  if (!is_new) return;
  order_.push_back(std::move(key));
  if (order_.size() <= capacity_) return;
  verdicts_.erase(order_.front());
  order_.pop_front();
}

}  // namespace autodidact::judge_service
