#include <algorithm>
#include <map>

#include "base/check.h"
#include "model/attention.h"

namespace autodidact::model {
namespace {

// Rows per block: enough for matrix products to run well, few enough for the scores to stay in the cache.
constexpr std::int64_t kBlockRows = 128;

// Segments [first, last) lie end to end and share one prefix (or are one segment without).
void AddBlocks(const std::vector<Segment>& segments, std::size_t first, std::size_t last, std::int64_t window,
               AttentionGroup& group) {
  const std::int64_t end = segments[last - 1].end;
  std::size_t segment = first;
  for (std::int64_t begin = segments[first].begin; begin < end; begin += kBlockRows) {
    QueryBlock block;
    block.row_begin = begin;
    block.row_end = std::min(begin + kBlockRows, end);
    const std::int64_t prefix_size = segments[first].prefix_size();
    std::int64_t prefix_skip = prefix_size;  // prefix keys that no row of the block sees
    while (segments[segment].end <= begin) ++segment;
    for (std::size_t i = segment; i < last && segments[i].begin < block.row_end; ++i) {
      const Segment& own = segments[i];
      OwnPart part{.row_begin = std::max(begin, own.begin), .row_end = std::min(block.row_end, own.end)};
      if (part.row_begin == part.row_end) continue;
      // The first row's oldest visible position, counted from the start of the prefix.
      const std::int64_t first_position = prefix_size + part.row_begin - own.begin;
      const std::int64_t oldest = window > 0 ? std::max<std::int64_t>(0, first_position - window + 1) : 0;
      prefix_skip = std::min(prefix_skip, oldest);
      part.key_begin = own.begin + std::max<std::int64_t>(0, oldest - prefix_size);
      part.key_end = part.row_end;
      block.max_own = std::max(block.max_own, part.key_end - part.key_begin);
      block.parts.push_back(part);
    }
    block.prefix_begin = segments[first].prefix_begin + prefix_skip;
    block.prefix_end = segments[first].prefix_end;
    group.blocks.push_back(std::move(block));
  }
}

}  // namespace

std::shared_ptr<const AttentionPlan> MakeAttentionPlan(const PackedBatch& batch, std::int64_t window,
                                                       at::Device device) {
  auto plan = std::make_shared<AttentionPlan>();
  plan->segments = batch.segments();
  plan->positions = batch.positions();
  plan->positions_T = at::tensor(batch.positions(), at::kLong).to(device);

  const std::vector<Segment>& segments = plan->segments;
  std::map<std::int64_t, std::size_t> group_of_start;  // first token of a prefix -> group
  for (std::size_t i = 0; i < segments.size();) {
    if (segments[i].size() == 0) {
      ++i;
      continue;
    }
    std::size_t next = i + 1;
    std::size_t group = plan->groups.size();
    if (segments[i].prefix_size() > 0) {
      while (next < segments.size() && segments[next].prefix_begin == segments[i].prefix_begin &&
             segments[next].prefix_end == segments[i].prefix_end) {
        ++next;
      }
      group = group_of_start.at(segments[i].prefix_begin);
    } else {
      group_of_start.emplace(segments[i].begin, group);
      plan->groups.emplace_back();
    }
    AddBlocks(segments, i, next, window, plan->groups[group]);
    i = next;
  }
  for (const AttentionGroup& group : plan->groups) {
    for (const QueryBlock& block : group.blocks) {
      plan->max_rows = std::max(plan->max_rows, block.rows());
      plan->max_scores = std::max(plan->max_scores, block.rows() * block.columns());
    }
  }
  return plan;
}

}  // namespace autodidact::model
