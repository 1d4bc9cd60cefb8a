// Vector primitives for AVX2 with FMA, in an anonymous namespace: included by kernels_avx2.cc alone.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace autodidact::engine::cpu {
namespace {

using Vec = __m256;
constexpr std::int64_t kLanes = 8;
constexpr int kGemmRows = 6;      // 6 rows × 2 vectors of accumulators
constexpr int kQueryBlock = 4;    // queries of one attention block
constexpr int kValueVectors = 3;  // vectors of a value row accumulated at once

inline Vec Load(const float* p) {
  return _mm256_loadu_ps(p);
}
inline void Store(float* p, Vec v) {
  _mm256_storeu_ps(p, v);
}
inline Vec Set1(float x) {
  return _mm256_set1_ps(x);
}
inline Vec Add(Vec a, Vec b) {
  return _mm256_add_ps(a, b);
}
inline Vec Sub(Vec a, Vec b) {
  return _mm256_sub_ps(a, b);
}
inline Vec Mul(Vec a, Vec b) {
  return _mm256_mul_ps(a, b);
}
inline Vec Div(Vec a, Vec b) {
  return _mm256_div_ps(a, b);
}
inline Vec Max(Vec a, Vec b) {
  return _mm256_max_ps(a, b);
}
inline Vec Min(Vec a, Vec b) {
  return _mm256_min_ps(a, b);
}
inline Vec Fma(Vec a, Vec b, Vec c) {
  return _mm256_fmadd_ps(a, b, c);
}
inline Vec Round(Vec a) {
  return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// 2^n for whole n in [-127, 127]; 0 for -127.
inline Vec PowerOfTwo(Vec n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}
inline void Prefetch(const float* p) {
  _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0);
}

}  // namespace
}  // namespace autodidact::engine::cpu
