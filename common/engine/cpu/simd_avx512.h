// Vector primitives for AVX-512, in an anonymous namespace: included by kernels_avx512.cc alone.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace autodidact::engine::cpu {
namespace {

using Vec = __m512;
constexpr std::int64_t kLanes = 16;
constexpr int kGemmRows = 12;     // 12 rows × 2 vectors of accumulators
constexpr int kQueryBlock = 8;    // queries of one attention block
constexpr int kValueVectors = 3;  // vectors of a value row accumulated at once

inline Vec Load(const float* p) {
  return _mm512_loadu_ps(p);
}
inline void Store(float* p, Vec v) {
  _mm512_storeu_ps(p, v);
}
inline Vec Set1(float x) {
  return _mm512_set1_ps(x);
}
inline Vec Add(Vec a, Vec b) {
  return _mm512_add_ps(a, b);
}
inline Vec Sub(Vec a, Vec b) {
  return _mm512_sub_ps(a, b);
}
inline Vec Mul(Vec a, Vec b) {
  return _mm512_mul_ps(a, b);
}
inline Vec Div(Vec a, Vec b) {
  return _mm512_div_ps(a, b);
}
inline Vec Max(Vec a, Vec b) {
  return _mm512_max_ps(a, b);
}
inline Vec Min(Vec a, Vec b) {
  return _mm512_min_ps(a, b);
}
inline Vec Fma(Vec a, Vec b, Vec c) {
  return _mm512_fmadd_ps(a, b, c);
}
inline Vec Round(Vec a) {
  return _mm512_roundscale_ps(a, 0);
}
// 2^n for whole n in [-127, 127]; 0 for -127.
inline Vec PowerOfTwo(Vec n) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23));
}
inline void Prefetch(const float* p) {
  _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0);
}

}  // namespace
}  // namespace autodidact::engine::cpu
