#include "model/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>

// One copy of a function per instruction set, chosen at load time. Thread sanitizer cannot run the choosing.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__SANITIZE_ADDRESS__)
#define AUTODIDACT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define AUTODIDACT_CLONES
#endif
#define AUTODIDACT_INLINE [[gnu::always_inline]] inline

namespace autodidact::model::kernels {
namespace {

// exp(x) = 2^n · e^r with |r| <= ln 2 / 2 and a Taylor-like polynomial for e^r (Cody–Waite reduction; the coefficients
// are a minimax fit, relative error below 2e-7). Vectorises, unlike the library's.
AUTODIDACT_INLINE float Exp(float x) {
  x = std::min(std::max(x, -87.0f), 88.0f);
  const float n = __builtin_rintf(x * 1.44269504088896341f);
  float r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float e = p * (r * r) + (r + 1.0f);
  return e * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}

AUTODIDACT_INLINE float Sigmoid(float x) {
  return 1.0f / (1.0f + Exp(-x));
}

// gelu(x) ≈ x · sigmoid(2 · sqrt(2/π) · (x + 0.044715 x³)), which is the tanh form written with a sigmoid.
constexpr float kGeluScale = 1.5957691216057308f;
constexpr float kGeluCubic = 0.044715f;
AUTODIDACT_INLINE float GeluGateOf(float x) {
  return Sigmoid(kGeluScale * (x + kGeluCubic * x * x * x));
}

}  // namespace

AUTODIDACT_CLONES
void RmsNorm(const float* x, const float* delta, const float* w, std::int64_t rows, std::int64_t width, float eps,
             float offset, float* sum, float* normed, float* rstd) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* in = x + row * width;
    float* out = normed + row * width;
    float squares = 0;
    if (delta) {
      const float* add = delta + row * width;
      float* total = sum + row * width;
      for (std::int64_t i = 0; i < width; ++i) {
        const float value = in[i] + add[i];
        total[i] = value;
        squares += value * value;
      }
      in = total;
    } else {
      for (std::int64_t i = 0; i < width; ++i) squares += in[i] * in[i];
    }
    const float r = 1.0f / std::sqrt(squares / static_cast<float>(width) + eps);
    rstd[row] = r;
    for (std::int64_t i = 0; i < width; ++i) out[i] = in[i] * r * (w[i] + offset);
  }
}

AUTODIDACT_CLONES
void RmsNormBackward(const float* d_normed, const float* d_sum, const float* x, const float* w, const float* rstd,
                     std::int64_t rows, std::int64_t width, float offset, float* dx, float* dw) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* g = d_normed + row * width;
    const float* in = x + row * width;
    float* out = dx + row * width;
    const float r = rstd[row];
    float dot = 0;
    for (std::int64_t i = 0; i < width; ++i) {
      dot += g[i] * (w[i] + offset) * in[i];
      dw[i] += g[i] * in[i] * r;
    }
    // d/dx of x·r(x)·w: r·(g·w) - x·r³/width·Σ g·w·x
    const float c = dot * r * r * r / static_cast<float>(width);
    if (d_sum) {
      const float* add = d_sum + row * width;
      for (std::int64_t i = 0; i < width; ++i) out[i] = add[i] + g[i] * (w[i] + offset) * r - in[i] * c;
    } else {
      for (std::int64_t i = 0; i < width; ++i) out[i] = g[i] * (w[i] + offset) * r - in[i] * c;
    }
  }
}

AUTODIDACT_CLONES
void SiluGate(const float* __restrict gate_up, std::int64_t rows, std::int64_t width, float* __restrict out) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* gate = gate_up + row * 2 * width;
    const float* up = gate + width;
    float* y = out + row * width;
    for (std::int64_t i = 0; i < width; ++i) y[i] = gate[i] * Sigmoid(gate[i]) * up[i];
  }
}

AUTODIDACT_CLONES
void GeluGate(const float* __restrict gate_up, std::int64_t rows, std::int64_t width, float* __restrict out) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* gate = gate_up + row * 2 * width;
    const float* up = gate + width;
    float* y = out + row * width;
    for (std::int64_t i = 0; i < width; ++i) y[i] = gate[i] * GeluGateOf(gate[i]) * up[i];
  }
}

AUTODIDACT_CLONES
void SiluGateBackward(const float* __restrict d_out, const float* __restrict gate_up, std::int64_t rows,
                      std::int64_t width, float* __restrict d_gate_up) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* gate = gate_up + row * 2 * width;
    const float* up = gate + width;
    const float* g = d_out + row * width;
    float* d_gate = d_gate_up + row * 2 * width;
    float* d_up = d_gate + width;
    for (std::int64_t i = 0; i < width; ++i) {
      const float s = Sigmoid(gate[i]);
      const float silu = gate[i] * s;
      d_up[i] = g[i] * silu;
      d_gate[i] = g[i] * up[i] * (s + silu * (1.0f - s));
    }
  }
}

AUTODIDACT_CLONES
void GeluGateBackward(const float* __restrict d_out, const float* __restrict gate_up, std::int64_t rows,
                      std::int64_t width, float* __restrict d_gate_up) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* gate = gate_up + row * 2 * width;
    const float* up = gate + width;
    const float* g = d_out + row * width;
    float* d_gate = d_gate_up + row * 2 * width;
    float* d_up = d_gate + width;
    for (std::int64_t i = 0; i < width; ++i) {
      const float x = gate[i];
      const float s = GeluGateOf(x);
      d_up[i] = g[i] * x * s;
      const float slope = kGeluScale * (1.0f + 3.0f * kGeluCubic * x * x);
      d_gate[i] = g[i] * up[i] * (s + x * s * (1.0f - s) * slope);
    }
  }
}

AUTODIDACT_CLONES
void Rotate(const float* in, const float* cos, const float* sin, std::int64_t heads, std::int64_t head_dim, float sign,
            float* out) {
  const std::int64_t half = head_dim / 2;
  for (std::int64_t head = 0; head < heads; ++head) {
    const float* a = in + head * head_dim;
    const float* b = a + half;
    float* y = out + head * head_dim;
    float* z = y + half;
    for (std::int64_t i = 0; i < half; ++i) {
      const float first = a[i];
      const float second = b[i];
      y[i] = first * cos[i] - sign * second * sin[i];
      z[i] = second * cos[i] + sign * first * sin[i];
    }
  }
}

AUTODIDACT_CLONES
float ExpRow(float* scores, std::int64_t begin, std::int64_t end, std::int64_t width, float max) {
  float sum = 0;
  for (std::int64_t i = 0; i < begin; ++i) scores[i] = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const float e = Exp(scores[i] - max);
    scores[i] = e;
    sum += e;
  }
  for (std::int64_t i = end; i < width; ++i) scores[i] = 0;
  return sum;
}

AUTODIDACT_CLONES
float MaxOf(const float* scores, std::int64_t begin, std::int64_t end) {
  float max = -3.402823466e+38f;
  for (std::int64_t i = begin; i < end; ++i) max = scores[i] > max ? scores[i] : max;
  return max;
}

AUTODIDACT_CLONES
void SoftmaxBackwardRow(const float* probs, const float* d_probs, float delta, float scale, std::int64_t width,
                        float* d_scores) {
  for (std::int64_t i = 0; i < width; ++i) d_scores[i] = probs[i] * (d_probs[i] - delta) * scale;
}

AUTODIDACT_CLONES
float Dot(const float* a, const float* b, std::int64_t width) {
  float sum = 0;
  for (std::int64_t i = 0; i < width; ++i) sum += a[i] * b[i];
  return sum;
}

AUTODIDACT_CLONES
void Scale(float* values, float factor, std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i) values[i] *= factor;
}

AUTODIDACT_CLONES
RowSums LogSumExp(const float* logits, float inverse, std::int64_t width) {
  float max = -3.402823466e+38f;
  for (std::int64_t i = 0; i < width; ++i) max = logits[i] > max ? logits[i] : max;
  // Parts are short enough for fp32; a large vocabulary's sum as a whole is not.
  constexpr std::int64_t kPart = 1024;
  double sum = 0;
  double weighted = 0;
  for (std::int64_t begin = 0; begin < width; begin += kPart) {
    const std::int64_t end = begin + kPart < width ? begin + kPart : width;
    float part = 0;
    float weighted_part = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const float shifted = (logits[i] - max) * inverse;
      const float e = Exp(shifted);
      part += e;
      weighted_part += e * shifted;
    }
    sum += part;
    weighted += weighted_part;
  }
  return {max * inverse + static_cast<float>(std::log(sum)), max * inverse + static_cast<float>(weighted / sum)};
}

AUTODIDACT_CLONES
void SoftmaxRow(float* logits, float inverse, float logsumexp, float factor, std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i) logits[i] = factor * Exp(logits[i] * inverse - logsumexp);
}

}  // namespace autodidact::model::kernels
