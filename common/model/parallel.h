// Loops over the calling thread's intra-op threads.
#pragma once

#include <cstdint>
#include <functional>

namespace autodidact::model {

// Calls body(begin, end) on disjoint ranges that cover [0, count), at least `grain` long where there are several. The
// ranges depend on count, grain and the thread count alone. Blocks until all are done; the first exception is rethrown.
void ParallelFor(std::int64_t count, std::int64_t grain,
                 const std::function<void(std::int64_t begin, std::int64_t end)>& body);

// How many ranges ParallelChunks makes of it, at least 1.
std::int64_t NumChunks(std::int64_t count, std::int64_t grain);

// The same with the number of the range, for partial sums that are added up in a fixed order afterwards.
void ParallelChunks(std::int64_t count, std::int64_t num_chunks,
                    const std::function<void(std::int64_t chunk, std::int64_t begin, std::int64_t end)>& body);

}  // namespace autodidact::model
