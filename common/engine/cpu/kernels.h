// The arithmetic of CPU decoding as a table of plain functions, one table per instruction set, chosen once at run time.
//
// Invariance: every output element is accumulated by one chain of operations in a fixed order (over k, over keys, over
// lanes), whatever the number of rows, the split into blocks or the number of threads. So a row's bits depend on the
// row and the weights alone.
#pragma once

#include <cstdint>

namespace autodidact::engine::cpu {

// Keys and values are kept in pages of this many tokens; a multiple of every table's vector length.
constexpr std::int64_t kPageTokens = 16;
// Attention runs over at most this many pages at once, then merges by log-sum-exp.
constexpr std::int64_t kChunkPages = 32;
// Sums of exponentials are kept per block of this many logits.
constexpr std::int64_t kSumBlock = 256;
// Rows of logits are padded to a multiple of this with kMasked, so that no kernel has a tail.
constexpr std::int64_t kLogitsPad = 16;
constexpr float kMasked = -3.0e38f;

enum class Epilogue {
  kStore,   // c = a·wᵀ + bias
  kAdd,     // c += a·wᵀ
  kSwiGlu,  // c = silu(gate)·up: a panel holds gate columns in its first half and up columns in its second
  kGeGlu,   // c = gelu_tanh(gate)·up
};

// c[rows, n] from a[rows, k] and packed panels [panel][k][panel_width], for panels [panel_begin, panel_end).
// For the gated epilogues n counts columns of the result, half of the panels' columns.
struct GemmArgs {
  const float* a = nullptr;
  std::int64_t lda = 0;
  std::int64_t rows = 0;
  std::int64_t k = 0;
  const float* panels = nullptr;
  std::int64_t panel_begin = 0;
  std::int64_t panel_end = 0;
  std::int64_t n = 0;
  const float* bias = nullptr;  // padded to whole panels, or null; kStore only
  float* c = nullptr;
  std::int64_t ldc = 0;
  Epilogue epilogue = Epilogue::kStore;
};

// One step of attention: a block of queries over a chunk of pages, merged into each query's running (max, sum, out).
struct AttendArgs {
  std::int64_t num_queries = 0;             // up to the table's max_queries
  const float* const* queries = nullptr;    // [num_queries] -> head_dim floats, already scaled
  const std::int64_t* key_begin = nullptr;  // [num_queries] visible keys of the chunk; empty when begin >= end
  const std::int64_t* key_end = nullptr;
  const float* const* keys = nullptr;    // [num_pages] -> [head_dim][kPageTokens]
  const float* const* values = nullptr;  // [num_pages] -> [kPageTokens][padded_dim]
  std::int64_t num_pages = 0;            // up to kChunkPages
  std::int64_t head_dim = 0;
  std::int64_t padded_dim = 0;
  float* max = nullptr;      // [num_queries], kMasked at first
  float* sum = nullptr;      // [num_queries], 0 at first
  float* out = nullptr;      // [num_queries][padded_dim], 0 at first; not yet divided by sum
  float* scratch = nullptr;  // [max_queries][kChunkPages * kPageTokens]
};

struct KernelTable {
  const char* name;          // "avx512", "avx2", "generic"
  std::int64_t panel_width;  // columns of a packed panel; half of it is the vector length
  std::int64_t max_queries;

  void (*gemm)(const GemmArgs&);
  void (*attend)(const AttendArgs&);
  // y = x / sqrt(mean(x²) + eps) · w
  void (*rms_norm)(const float* x, const float* w, float eps, std::int64_t n, float* y);
  // Rotates the two halves of x[2 * half] by the angles whose cosines and sines are given.
  void (*rotate)(float* x, const float* cosines, const float* sines, std::int64_t half);
  void (*scale)(float* x, float factor, std::int64_t n);
  void (*add)(float* x, const float* y, std::int64_t n);  // x += y

  // Below, n is a multiple of kLogitsPad.
  // The largest of x; *sum is finite exactly when no element is NaN or infinite (padding aside).
  float (*max)(const float* x, std::int64_t n, float* sum);
  // e = exp((x - shift) · factor); block_sums[n / kSumBlock, rounded up] are the sums over blocks.
  void (*exp)(const float* x, float shift, float factor, std::int64_t n, float* e, float* block_sums);
  // maxima[n / kLogitsPad]: the largest of each run of kLogitsPad elements.
  void (*run_maxima)(const float* x, std::int64_t n, float* maxima);
};

// The best table that this processor can run.
const KernelTable& Kernels();
// By name, for tests and comparisons; null when this processor or build has no such table.
const KernelTable* KernelsNamed(const char* name);

}  // namespace autodidact::engine::cpu
