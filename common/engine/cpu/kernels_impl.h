// The kernels, written once over the primitives of simd_*.h. Included by kernels_*.cc after one of these; everything
// has internal linkage and no code of other headers is instantiated, so each table stays within its instruction set.
#pragma once

#include <cstdint>

#include "engine/cpu/kernels.h"

namespace autodidact::engine::cpu {
namespace {

constexpr std::int64_t kPanelWidth = 2 * kLanes;
constexpr std::int64_t kVectorsPerPage = kPageTokens / kLanes;
constexpr int kMaxQueries = 8;
static_assert(kMaxQueries % kQueryBlock == 0);
// Pages of values that stay in the first-level cache while all queries add them.
constexpr std::int64_t kValuePages = 4;

inline std::int64_t Smaller(std::int64_t a, std::int64_t b) {
  return a < b ? a : b;
}
inline std::int64_t Larger(std::int64_t a, std::int64_t b) {
  return a > b ? a : b;
}

inline float SumLanes(Vec v) {
  float lanes[kLanes];
  Store(lanes, v);
  for (std::int64_t step = kLanes / 2; step > 0; step /= 2) {
    for (std::int64_t i = 0; i < step; ++i) lanes[i] += lanes[i + step];
  }
  return lanes[0];
}

inline float MaxLanes(Vec v) {
  float lanes[kLanes];
  Store(lanes, v);
  float best = lanes[0];
  for (std::int64_t i = 1; i < kLanes; ++i) best = lanes[i] > best ? lanes[i] : best;
  return best;
}

// e^x within 2 ulp for x in [-87, 88]; exactly 0 below.
// x = n ln2 + r with |r| <= ln2 / 2, e^r by its series in Horner's form.
inline Vec Exp(Vec x) {
  x = Min(Max(x, Set1(-88.02f)), Set1(88.0f));
  const Vec n = Round(Mul(x, Set1(1.44269504f)));
  Vec r = Fma(n, Set1(-0.693359375f), x);
  r = Fma(n, Set1(2.12194440e-4f), r);
  Vec p = Set1(1.9875691500e-4f);
  p = Fma(p, r, Set1(1.3981999507e-3f));
  p = Fma(p, r, Set1(8.3334519073e-3f));
  p = Fma(p, r, Set1(4.1665795894e-2f));
  p = Fma(p, r, Set1(1.6666665459e-1f));
  p = Fma(p, r, Set1(5.0000001201e-1f));
  p = Add(Fma(p, Mul(r, r), r), Set1(1.0f));
  return Mul(p, PowerOfTwo(n));
}

inline Vec Silu(Vec x) {
  return Div(x, Add(Set1(1.0f), Exp(Sub(Set1(0.0f), x))));
}

// gelu_tanh(x) = x · sigmoid(2 √(2/π) (x + 0.044715 x³))
inline Vec GeluTanh(Vec x) {
  const Vec cube = Mul(Mul(x, x), x);
  const Vec z = Mul(Set1(-1.5957691216f), Fma(Set1(0.044715f), cube, x));
  return Div(x, Add(Set1(1.0f), Exp(z)));
}

inline void StorePart(float* p, Vec v, std::int64_t count) {
  if (count >= kLanes) return Store(p, v);
  float lanes[kLanes];
  Store(lanes, v);
  for (std::int64_t i = 0; i < count; ++i) p[i] = lanes[i];
}

inline void AddPart(float* p, Vec v, std::int64_t count) {
  if (count >= kLanes) return Store(p, Add(Load(p), v));
  float lanes[kLanes];
  Store(lanes, v);
  for (std::int64_t i = 0; i < count; ++i) p[i] += lanes[i];
}

// `width` columns of the panel's result are real.
template <int Rows>
inline void Finish(const GemmArgs& args, const Vec (&acc)[Rows][2], float* c, std::int64_t width) {
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) {
    float* row = c + i * args.ldc;
    switch (args.epilogue) {
      case Epilogue::kStore:
        StorePart(row, acc[i][0], width);
        StorePart(row + kLanes, acc[i][1], width - kLanes);
        break;
      case Epilogue::kAdd:
        AddPart(row, acc[i][0], width);
        AddPart(row + kLanes, acc[i][1], width - kLanes);
        break;
      case Epilogue::kSwiGlu:
        StorePart(row, Mul(Silu(acc[i][0]), acc[i][1]), width);
        break;
      case Epilogue::kGeGlu:
        StorePart(row, Mul(GeluTanh(acc[i][0]), acc[i][1]), width);
        break;
    }
  }
}

// Rows × kPanelWidth elements of c; each is one chain of fused multiply-adds over k.
template <int Rows>
[[gnu::noinline]] void MicroKernel(const GemmArgs& args, const float* a, const float* panel, const float* bias,
                                   float* c, std::int64_t width) {
  Vec acc[Rows][2];
  const Vec first = bias != nullptr ? Load(bias) : Set1(0.0f);
  const Vec second = bias != nullptr ? Load(bias + kLanes) : Set1(0.0f);
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) {
    acc[i][0] = first;
    acc[i][1] = second;
  }
  const std::int64_t lda = args.lda;
  const float* b = panel;
  for (std::int64_t k = 0; k < args.k; ++k, b += kPanelWidth) {
    const Vec b0 = Load(b);
    const Vec b1 = Load(b + kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      const Vec value = Set1(a[i * lda + k]);
      acc[i][0] = Fma(value, b0, acc[i][0]);
      acc[i][1] = Fma(value, b1, acc[i][1]);
    }
  }
  Finish<Rows>(args, acc, c, width);
}

template <int Rows>
inline void MicroKernelFor(int rows, const GemmArgs& args, const float* a, const float* panel, const float* bias,
                           float* c, std::int64_t width) {
  if (rows == Rows) return MicroKernel<Rows>(args, a, panel, bias, c, width);
  if constexpr (Rows > 1) MicroKernelFor<Rows - 1>(rows, args, a, panel, bias, c, width);
}

void Gemm(const GemmArgs& args) {
  const bool gated = args.epilogue == Epilogue::kSwiGlu || args.epilogue == Epilogue::kGeGlu;
  const std::int64_t columns = gated ? kLanes : kPanelWidth;
  // Blocks of nearly equal height rather than full ones and a thin rest.
  const std::int64_t blocks = (args.rows + kGemmRows - 1) / kGemmRows;
  for (std::int64_t panel = args.panel_begin; panel < args.panel_end; ++panel) {
    const float* b = args.panels + panel * args.k * kPanelWidth;
    const float* bias = args.bias != nullptr ? args.bias + panel * kPanelWidth : nullptr;
    const std::int64_t width = Smaller(columns, args.n - panel * columns);
    std::int64_t row = 0;
    for (std::int64_t block = 0; block < blocks; ++block) {
      const std::int64_t end = args.rows * (block + 1) / blocks;
      MicroKernelFor<kGemmRows>(static_cast<int>(end - row), args, args.a + row * args.lda, b, bias,
                                args.c + row * args.ldc + panel * columns, width);
      row = end;
    }
  }
}

// Scores of Queries queries, from `query` on, with the keys of Vectors vectors of one page.
template <int Queries, int Vectors>
[[gnu::always_inline]] inline void ScoreVectors(const AttendArgs& args, int query, std::int64_t vector) {
  constexpr std::int64_t kRow = kChunkPages * kPageTokens;
  const float* keys = args.keys[vector / kVectorsPerPage] + vector % kVectorsPerPage * kLanes;
  const float* queries[Queries];
#pragma GCC unroll 8
  for (int i = 0; i < Queries; ++i) queries[i] = args.queries[query + i];
  Vec acc[Queries][Vectors];
#pragma GCC unroll 8
  for (int i = 0; i < Queries; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < Vectors; ++j) acc[i][j] = Set1(0.0f);
  }
  for (std::int64_t d = 0; d < args.head_dim; ++d) {
    Vec key[Vectors];
#pragma GCC unroll 8
    for (int j = 0; j < Vectors; ++j) key[j] = Load(keys + d * kPageTokens + j * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < Queries; ++i) {
      const Vec q = Set1(queries[i][d]);
#pragma GCC unroll 8
      for (int j = 0; j < Vectors; ++j) acc[i][j] = Fma(q, key[j], acc[i][j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < Queries; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < Vectors; ++j) Store(args.scratch + (query + i) * kRow + (vector + j) * kLanes, acc[i][j]);
  }
}

// All vectors [begin, end), page by page.
template <int Queries>
[[gnu::noinline]] void Scores(const AttendArgs& args, int query, std::int64_t begin, std::int64_t end) {
  if (end - begin == kVectorsPerPage) {
    return ScoreVectors<Queries, static_cast<int>(kVectorsPerPage)>(args, query, begin);
  }
  for (std::int64_t vector = begin; vector < end; ++vector) ScoreVectors<Queries, 1>(args, query, vector);
}

// Scores -> weights exp(score - new max) of one query over vectors [begin, end); returns what its running sums shrink
// by.
inline float Soften(const AttendArgs& args, int i, std::int64_t begin, std::int64_t end) {
  float* scores = args.scratch + i * kChunkPages * kPageTokens;
  const std::int64_t first = Larger(args.key_begin[i], begin * kLanes);
  const std::int64_t last = Smaller(args.key_end[i], end * kLanes);
  for (std::int64_t t = begin * kLanes; t < Smaller(first, end * kLanes); ++t) scores[t] = kMasked;
  for (std::int64_t t = Larger(last, begin * kLanes); t < end * kLanes; ++t) scores[t] = kMasked;
  if (first >= last) {
    for (std::int64_t v = begin; v < end; ++v) Store(scores + v * kLanes, Set1(0.0f));
    return 1.0f;
  }
  Vec best = Set1(kMasked);
  for (std::int64_t v = begin; v < end; ++v) best = Max(best, Load(scores + v * kLanes));
  const float chunk_max = MaxLanes(best);
  const float new_max = chunk_max > args.max[i] ? chunk_max : args.max[i];
  Vec sum = Set1(0.0f);
  for (std::int64_t v = begin; v < end; ++v) {
    const Vec weight = Exp(Sub(Load(scores + v * kLanes), Set1(new_max)));
    sum = Add(sum, weight);
    Store(scores + v * kLanes, weight);
  }
  float shrink_lanes[kLanes];
  Store(shrink_lanes, Exp(Set1(args.max[i] - new_max)));
  args.sum[i] = args.sum[i] * shrink_lanes[0] + SumLanes(sum);
  args.max[i] = new_max;
  return shrink_lanes[0];
}

// out = out · shrink + weights · values over tokens [begin, end), for Vectors vectors of the value rows from `column`
// on.
template <int Queries, int Vectors>
[[gnu::always_inline]] inline void AddColumns(const AttendArgs& args, int query, const float* shrink,
                                              std::int64_t column, std::int64_t begin, std::int64_t end) {
  constexpr std::int64_t kRow = kChunkPages * kPageTokens;
  float* out = args.out + query * args.padded_dim + column;
  const float* weights = args.scratch + query * kRow;
  Vec acc[Queries][Vectors];
#pragma GCC unroll 8
  for (int i = 0; i < Queries; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < Vectors; ++j) {
      acc[i][j] = Mul(Load(out + i * args.padded_dim + j * kLanes), Set1(shrink[i]));
    }
  }
  for (std::int64_t t = begin; t < end;) {
    const std::int64_t page = t / kPageTokens;
    const float* value = args.values[page] + t % kPageTokens * args.padded_dim + column;
    const std::int64_t stop = Smaller(end, (page + 1) * kPageTokens);
    for (; t < stop; ++t, value += args.padded_dim) {
      Vec row[Vectors];
#pragma GCC unroll 8
      for (int j = 0; j < Vectors; ++j) row[j] = Load(value + j * kLanes);
#pragma GCC unroll 8
      for (int i = 0; i < Queries; ++i) {
        const Vec weight = Set1(weights[i * kRow + t]);
#pragma GCC unroll 8
        for (int j = 0; j < Vectors; ++j) acc[i][j] = Fma(weight, row[j], acc[i][j]);
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < Queries; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < Vectors; ++j) Store(out + i * args.padded_dim + j * kLanes, acc[i][j]);
  }
}

template <int Queries>
[[gnu::noinline]] void AddValues(const AttendArgs& args, int query, const float* shrink, std::int64_t begin,
                                 std::int64_t end) {
  // One query alone has registers to spare, and needs them: each sum is a chain that waits for itself.
  constexpr int kWide = Queries == 1 ? 2 * kValueVectors : kValueVectors;
  std::int64_t column = 0;
  for (; column + kWide * kLanes <= args.padded_dim; column += kWide * kLanes) {
    AddColumns<Queries, kWide>(args, query, shrink, column, begin, end);
  }
  for (; column + 2 * kLanes <= args.padded_dim; column += 2 * kLanes) {
    AddColumns<Queries, 2>(args, query, shrink, column, begin, end);
  }
  for (; column < args.padded_dim; column += kLanes) AddColumns<Queries, 1>(args, query, shrink, column, begin, end);
}

// Calls kernel<number of queries>(query, …) for all queries, kQueryBlock at a time.
template <int Queries>
inline void ScoresFor(int count, const AttendArgs& args, int query, std::int64_t begin, std::int64_t end) {
  if (count == Queries) return Scores<Queries>(args, query, begin, end);
  if constexpr (Queries > 1) ScoresFor<Queries - 1>(count, args, query, begin, end);
}
template <int Queries>
inline void AddValuesFor(int count, const AttendArgs& args, int query, const float* shrink, std::int64_t begin,
                         std::int64_t end) {
  if (count == Queries) return AddValues<Queries>(args, query, shrink, begin, end);
  if constexpr (Queries > 1) AddValuesFor<Queries - 1>(count, args, query, shrink, begin, end);
}

// Keys outside a query's own range, but inside the block's, get weight 0, which changes no sum. Keys and values are
// read from far away once, for all queries.
void Attend(const AttendArgs& args) {
  const int count = static_cast<int>(args.num_queries);
  std::int64_t first = args.num_pages * kPageTokens;
  std::int64_t last = 0;
  for (int i = 0; i < count; ++i) {
    if (args.key_begin[i] >= args.key_end[i]) continue;
    first = Smaller(first, args.key_begin[i]);
    last = Larger(last, args.key_end[i]);
  }
  if (first >= last) return;
  const std::int64_t begin = first / kLanes;
  const std::int64_t end = (last + kLanes - 1) / kLanes;
  for (std::int64_t page = begin / kVectorsPerPage; page * kVectorsPerPage < end; ++page) {
    const std::int64_t from = Larger(begin, page * kVectorsPerPage);
    const std::int64_t to = Smaller(end, (page + 1) * kVectorsPerPage);
    for (int query = 0; query < count; query += kQueryBlock) {
      ScoresFor<kQueryBlock>(static_cast<int>(Smaller(kQueryBlock, count - query)), args, query, from, to);
    }
  }
  float shrink[kMaxQueries];
  for (int i = 0; i < count; ++i) shrink[i] = Soften(args, i, begin, end);
  constexpr std::int64_t kStep = kValuePages * kPageTokens;
  for (std::int64_t t = first; t < last;) {
    const std::int64_t stop = Smaller(last, (t / kStep + 1) * kStep);
    for (int query = 0; query < count; query += kQueryBlock) {
      AddValuesFor<kQueryBlock>(static_cast<int>(Smaller(kQueryBlock, count - query)), args, query, shrink + query, t,
                                stop);
    }
    for (int i = 0; i < count; ++i) shrink[i] = 1.0f;
    t = stop;
  }
}

void RmsNorm(const float* x, const float* w, float eps, std::int64_t n, float* y) {
  const std::int64_t whole = n / kLanes * kLanes;
  Vec squares = Set1(0.0f);
  for (std::int64_t i = 0; i < whole; i += kLanes) {
    const Vec v = Load(x + i);
    squares = Fma(v, v, squares);
  }
  float sum = SumLanes(squares);
  for (std::int64_t i = whole; i < n; ++i) sum += x[i] * x[i];
  const float inverse = 1.0f / __builtin_sqrtf(sum / static_cast<float>(n) + eps);
  const Vec factor = Set1(inverse);
  for (std::int64_t i = 0; i < whole; i += kLanes) Store(y + i, Mul(Mul(Load(x + i), factor), Load(w + i)));
  for (std::int64_t i = whole; i < n; ++i) y[i] = x[i] * inverse * w[i];
}

void Rotate(float* x, const float* cosines, const float* sines, std::int64_t half) {
  float* low = x;
  float* high = x + half;
  std::int64_t i = 0;
  for (; i + kLanes <= half; i += kLanes) {
    const Vec a = Load(low + i);
    const Vec b = Load(high + i);
    const Vec c = Load(cosines + i);
    const Vec s = Load(sines + i);
    Store(low + i, Sub(Mul(a, c), Mul(b, s)));
    Store(high + i, Add(Mul(b, c), Mul(a, s)));
  }
  for (; i < half; ++i) {
    const float a = low[i];
    const float b = high[i];
    low[i] = a * cosines[i] - b * sines[i];
    high[i] = b * cosines[i] + a * sines[i];
  }
}

void Scale(float* x, float factor, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) x[i] *= factor;
}

void AddTo(float* x, const float* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) x[i] += y[i];
}

float MaxOf(const float* x, std::int64_t n, float* sum) {
  Vec best = Set1(kMasked);
  Vec total = Set1(0.0f);
  for (std::int64_t i = 0; i < n; i += kLanes) {
    const Vec v = Load(x + i);
    best = Max(best, v);
    // Scaled so that padding and large logits cannot overflow.
    total = Fma(v, Set1(1.0e-8f), total);
  }
  *sum = SumLanes(total);
  return MaxLanes(best);
}

void ExpOf(const float* x, float shift, float factor, std::int64_t n, float* e, float* block_sums) {
  for (std::int64_t block = 0; block < n; block += kSumBlock) {
    const std::int64_t end = Smaller(n, block + kSumBlock);
    Vec sum = Set1(0.0f);
    for (std::int64_t i = block; i < end; i += kLanes) {
      const Vec value = Exp(Mul(Sub(Load(x + i), Set1(shift)), Set1(factor)));
      sum = Add(sum, value);
      Store(e + i, value);
    }
    block_sums[block / kSumBlock] = SumLanes(sum);
  }
}

void RunMaxima(const float* x, std::int64_t n, float* maxima) {
  for (std::int64_t run = 0; run < n; run += kLogitsPad) {
    Vec best = Load(x + run);
    for (std::int64_t i = kLanes; i < kLogitsPad; i += kLanes) best = Max(best, Load(x + run + i));
    maxima[run / kLogitsPad] = MaxLanes(best);
  }
}

constexpr KernelTable MakeTable(const char* name) {
  return {name, kPanelWidth, kMaxQueries, Gemm, Attend, RmsNorm, Rotate, Scale, AddTo, MaxOf, ExpOf, RunMaxima};
}

}  // namespace
}  // namespace autodidact::engine::cpu
