// Vector primitives in the compiler's own vectors, for any processor: included by kernels_generic.cc alone.
#pragma once

#include <cstdint>
#include <cstring>

namespace autodidact::engine::cpu {
namespace {

typedef float Vec __attribute__((vector_size(16)));
typedef std::int32_t IntVec __attribute__((vector_size(16)));
constexpr std::int64_t kLanes = 4;
constexpr int kGemmRows = 4;      // 4 rows × 2 vectors of accumulators
constexpr int kQueryBlock = 2;    // queries of one attention block
constexpr int kValueVectors = 3;  // vectors of a value row accumulated at once

inline Vec Load(const float* p) {
  Vec v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}
inline void Store(float* p, Vec v) {
  std::memcpy(p, &v, sizeof(v));
}
inline Vec Set1(float x) {
  return Vec{x, x, x, x};
}
inline Vec Add(Vec a, Vec b) {
  return a + b;
}
inline Vec Sub(Vec a, Vec b) {
  return a - b;
}
inline Vec Mul(Vec a, Vec b) {
  return a * b;
}
inline Vec Div(Vec a, Vec b) {
  return a / b;
}
inline Vec Max(Vec a, Vec b) {
  return a > b ? a : b;
}
inline Vec Min(Vec a, Vec b) {
  return a < b ? a : b;
}
inline Vec Fma(Vec a, Vec b, Vec c) {
  return a * b + c;
}
// Adding 1.5·2^23 leaves no bits for the fraction.
inline Vec Round(Vec a) {
  const Vec magic = Set1(12582912.0f);
  return (a + magic) - magic;
}
// 2^n for whole n in [-127, 127]; 0 for -127.
inline Vec PowerOfTwo(Vec n) {
  const IntVec exponent = (__builtin_convertvector(n, IntVec) + 127) << 23;
  Vec result;
  std::memcpy(&result, &exponent, sizeof(result));
  return result;
}
inline void Prefetch(const float* p) {
  __builtin_prefetch(p);
}

}  // namespace
}  // namespace autodidact::engine::cpu
