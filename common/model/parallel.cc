#include "model/parallel.h"

#include <ATen/Parallel.h>

#include <algorithm>

namespace autodidact::model {

void ParallelFor(std::int64_t count, std::int64_t grain,
                 const std::function<void(std::int64_t begin, std::int64_t end)>& body) {
  at::parallel_for(0, count, std::max<std::int64_t>(grain, 1), body);
}

std::int64_t NumChunks(std::int64_t count, std::int64_t grain) {
  const std::int64_t wanted = count / std::max<std::int64_t>(grain, 1);
  return std::clamp<std::int64_t>(wanted, 1, at::get_num_threads());
}

void ParallelChunks(std::int64_t count, std::int64_t num_chunks,
                    const std::function<void(std::int64_t chunk, std::int64_t begin, std::int64_t end)>& body) {
  at::parallel_for(0, num_chunks, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t chunk = first; chunk < last; ++chunk) {
      body(chunk, count * chunk / num_chunks, count * (chunk + 1) / num_chunks);
    }
  });
}

}  // namespace autodidact::model
