// The elementwise loops of the CPU path, single-threaded, on raw fp32 rows. Compiled for several instruction sets; the
// machine's best is chosen when the program starts. Callers divide rows among threads.
//
// Matrices are row-major; `width` is the length of a row.
#pragma once

#include <cstdint>

namespace autodidact::model::kernels {

// sum = x + delta (delta and sum may be null: sum is then x);  normed = sum * rstd * (w + offset);
// rstd[row] = 1 / sqrt(mean(sum²) + eps).
void RmsNorm(const float* x, const float* delta, const float* w, std::int64_t rows, std::int64_t width, float eps,
             float offset, float* sum, float* normed, float* rstd);

// dx = d_sum (may be null) + gradient of the norm at x; dw += Σ_rows d_normed * x * rstd.
void RmsNormBackward(const float* d_normed, const float* d_sum, const float* x, const float* w, const float* rstd,
                     std::int64_t rows, std::int64_t width, float offset, float* dx, float* dw);

// out = act(gate) * up, where a row of gate_up holds gate and then up, each `width` long.
void SiluGate(const float* gate_up, std::int64_t rows, std::int64_t width, float* out);
void GeluGate(const float* gate_up, std::int64_t rows, std::int64_t width, float* out);
void SiluGateBackward(const float* d_out, const float* gate_up, std::int64_t rows, std::int64_t width,
                      float* d_gate_up);
void GeluGateBackward(const float* d_out, const float* gate_up, std::int64_t rows, std::int64_t width,
                      float* d_gate_up);

// Rotates the halves of each of `heads` vectors of head_dim: (a, b) -> (a cos - b sin, b cos + a sin). cos and sin are
// one row of head_dim / 2. `in` and `out` may be the same. A negative `sign` rotates back.
void Rotate(const float* in, const float* cos, const float* sin, std::int64_t heads, std::int64_t head_dim, float sign,
            float* out);

// Row of scores in place: exp(score - max) in [begin, end), 0 elsewhere in [0, width). `max` is the largest score in
// the range (or more). Returns the sum of the exponentials.
float ExpRow(float* scores, std::int64_t begin, std::int64_t end, std::int64_t width, float max);
float MaxOf(const float* scores, std::int64_t begin, std::int64_t end);

// d_scores = scores * (d_probs - delta) * scale over [0, width), where `scores` are probabilities.
void SoftmaxBackwardRow(const float* probs, const float* d_probs, float delta, float scale, std::int64_t width,
                        float* d_scores);

float Dot(const float* a, const float* b, std::int64_t width);
void Scale(float* values, float factor, std::int64_t width);

// Of a row of logits that are to be divided by a temperature: log of the sum of exponentials, and the mean of the
// divided logits under their softmax. `inverse` is 1 / temperature. The row is left as it was.
struct RowSums {
  float logsumexp = 0;
  float mean = 0;
};
RowSums LogSumExp(const float* logits, float inverse, std::int64_t width);

// In place: logits -> factor * softmax(logits * inverse), given their log-sum-exp.
void SoftmaxRow(float* logits, float inverse, float logsumexp, float factor, std::int64_t width);

}  // namespace autodidact::model::kernels
