// Every kernel table that this machine can run, against plain loops in double precision.
#include "engine/cpu/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/rng.h"
#include "engine/cpu/thread_team.h"

namespace autodidact::engine::cpu {
namespace {

std::vector<float> Randoms(std::size_t count, std::uint32_t salt) {
  base::RandomWalk walk({3, base::RandomStream::kTest, count, salt});
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(static_cast<float>(walk.Normal()));
  return values;
}

class KernelTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    table_ = KernelsNamed(GetParam());
    if (table_ == nullptr) GTEST_SKIP() << GetParam() << " is not to be had here";
  }

  // weights [n, k] to panels.
  std::vector<float> Pack(const std::vector<float>& weights, std::int64_t n, std::int64_t k) const {
    const std::int64_t width = table_->panel_width;
    std::vector<float> panels(static_cast<std::size_t>((n + width - 1) / width * width * k), 0.0f);
    for (std::int64_t row = 0; row < n; ++row) {
      for (std::int64_t i = 0; i < k; ++i) panels[(row / width * k + i) * width + row % width] = weights[row * k + i];
    }
    return panels;
  }

  const KernelTable* table_ = nullptr;
};

TEST_P(KernelTest, GemmEqualsPlainLoopsAndItsRowsDoNotDependOnEachOther) {
  const std::int64_t k = 37;
  for (const std::int64_t n : {1, 31, 64, 70}) {
    const std::vector<float> a = Randoms(40 * k, 1);
    const std::vector<float> w = Randoms(n * k, 2);
    const std::vector<float> panels = Pack(w, n, k);
    std::vector<float> alone(n);
    for (const std::int64_t rows : {40, 13, 7, 1}) {
      std::vector<float> c(rows * n, 0.5f);
      GemmArgs args;
      args.a = a.data();
      args.lda = args.k = k;
      args.rows = rows;
      args.panels = panels.data();
      args.panel_end = (n + table_->panel_width - 1) / table_->panel_width;
      args.n = args.ldc = n;
      args.c = c.data();
      args.epilogue = Epilogue::kAdd;
      table_->gemm(args);
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t j = 0; j < n; ++j) {
          double expected = 0.5;
          for (std::int64_t i = 0; i < k; ++i) expected += static_cast<double>(a[row * k + i]) * w[j * k + i];
          ASSERT_NEAR(c[row * n + j], expected, 1e-4);
        }
      }
      if (rows == 40) {
        std::copy_n(c.begin(), n, alone.begin());
      } else {
        EXPECT_TRUE(std::equal(alone.begin(), alone.end(), c.begin())) << rows << " rows";
      }
    }
  }
}

TEST_P(KernelTest, AttentionOverPiecesEqualsPlainSoftmax) {
  const std::int64_t dim = 10;
  const std::int64_t padded = 16;
  const std::int64_t tokens = 45;
  const std::vector<float> keys = Randoms(tokens * dim, 4);
  const std::vector<float> values = Randoms(tokens * dim, 5);
  std::vector<float> key_memory(3 * kPageTokens * dim, 0.0f), value_memory(3 * kPageTokens * padded, 0.0f);
  for (std::int64_t t = 0; t < tokens; ++t) {
    for (std::int64_t d = 0; d < dim; ++d) {
      key_memory[(t / kPageTokens * dim + d) * kPageTokens + t % kPageTokens] = keys[t * dim + d];
      value_memory[t * padded + d] = values[t * dim + d];
    }
  }
  std::vector<const float*> key_pages, value_pages;
  for (int page = 0; page < 3; ++page) {
    key_pages.push_back(&key_memory[page * kPageTokens * dim]);
    value_pages.push_back(&value_memory[page * kPageTokens * padded]);
  }
  for (std::int64_t count = 1; count <= table_->max_queries; ++count) {
    const std::vector<float> queries = Randoms(count * dim, 6);
    std::vector<const float*> pointers;
    std::vector<std::int64_t> begin, end, late_begin, late_end;
    for (std::int64_t i = 0; i < count; ++i) {
      pointers.push_back(&queries[i * dim]);
      begin.push_back(3 * i);
      end.push_back(32);  // in the first call; the rest in the second
      late_begin.push_back(0);
      late_end.push_back(13 - i);
    }
    std::vector<float> max(count, kMasked), sum(count, 0.0f), out(count * padded, 0.0f);
    std::vector<float> scratch(table_->max_queries * kChunkPages * kPageTokens);
    AttendArgs args;
    args.num_queries = count;
    args.queries = pointers.data();
    args.key_begin = begin.data();
    args.key_end = end.data();
    args.keys = key_pages.data();
    args.values = value_pages.data();
    args.num_pages = 2;
    args.head_dim = dim;
    args.padded_dim = padded;
    args.max = max.data();
    args.sum = sum.data();
    args.out = out.data();
    args.scratch = scratch.data();
    table_->attend(args);
    args.keys = key_pages.data() + 2;
    args.values = value_pages.data() + 2;
    args.num_pages = 1;
    args.key_begin = late_begin.data();
    args.key_end = late_end.data();
    table_->attend(args);
    for (std::int64_t i = 0; i < count; ++i) {
      std::vector<double> expected(dim, 0.0);
      double total = 0;
      for (std::int64_t t = 3 * i; t < 45 - i; ++t) {
        double score = 0;
        for (std::int64_t d = 0; d < dim; ++d) score += static_cast<double>(queries[i * dim + d]) * keys[t * dim + d];
        total += std::exp(score);
        for (std::int64_t d = 0; d < dim; ++d) expected[d] += std::exp(score) * values[t * dim + d];
      }
      for (std::int64_t d = 0; d < dim; ++d) {
        ASSERT_NEAR(out[i * padded + d] / sum[i], expected[d] / total, 1e-5) << count << " queries, query " << i;
      }
    }
  }
}

TEST_P(KernelTest, ExpIsAccurateAndUnderflowsToZero) {
  std::vector<float> x;
  for (int i = 0; i < 512; ++i) x.push_back(-100.0f + 0.19f * static_cast<float>(i));
  std::vector<float> e(512), sums(2);
  table_->exp(x.data(), 0.0f, 1.0f, 512, e.data(), sums.data());
  double worst = 0;
  for (int i = 0; i < 512; ++i) {
    if (x[i] < -88.1f) {
      EXPECT_EQ(e[i], 0.0f) << x[i];
    } else if (x[i] > -87.0f) {
      worst = std::max(worst, std::abs(e[i] / std::exp(static_cast<double>(x[i])) - 1));
    }
  }
  std::printf("relative error %.2g\n", worst);
  EXPECT_LT(worst, 3e-7);
  double total = 0;
  for (int i = 256; i < 512; ++i) total += e[i];
  EXPECT_NEAR(sums[1], total, 1e-5 * total);
}

TEST_P(KernelTest, GatedEpiloguesApplyTheirFunctions) {
  const std::int64_t k = 5;
  const std::int64_t half = table_->panel_width / 2;
  const std::vector<float> a = Randoms(3 * k, 7);
  const std::vector<float> w = Randoms(table_->panel_width * k, 8);
  const std::vector<float> panels = Pack(w, table_->panel_width, k);
  for (const Epilogue epilogue : {Epilogue::kSwiGlu, Epilogue::kGeGlu}) {
    std::vector<float> c(3 * half);
    GemmArgs args;
    args.a = a.data();
    args.lda = args.k = k;
    args.rows = 3;
    args.panels = panels.data();
    args.panel_end = 1;
    args.n = args.ldc = half;
    args.c = c.data();
    args.epilogue = epilogue;
    table_->gemm(args);
    for (std::int64_t row = 0; row < 3; ++row) {
      for (std::int64_t j = 0; j < half; ++j) {
        double gate = 0;
        double up = 0;
        for (std::int64_t i = 0; i < k; ++i) {
          gate += static_cast<double>(a[row * k + i]) * w[j * k + i];
          up += static_cast<double>(a[row * k + i]) * w[(half + j) * k + i];
        }
        const double act =
            epilogue == Epilogue::kSwiGlu
                ? gate / (1 + std::exp(-gate))
                : 0.5 * gate * (1 + std::tanh(std::sqrt(2 / M_PI) * (gate + 0.044715 * gate * gate * gate)));
        ASSERT_NEAR(c[row * half + j], act * up, 1e-5);
      }
    }
  }
}

TEST_P(KernelTest, NormRotationAndMaximaEqualPlainLoops) {
  const std::int64_t n = 54;
  std::vector<float> x = Randoms(n, 9);
  const std::vector<float> w = Randoms(n, 10);
  std::vector<float> y(n);
  table_->rms_norm(x.data(), w.data(), 1e-5f, n, y.data());
  double squares = 0;
  for (const float value : x) squares += static_cast<double>(value) * value;
  for (std::int64_t i = 0; i < n; ++i) EXPECT_NEAR(y[i], x[i] / std::sqrt(squares / n + 1e-5) * w[i], 1e-5);

  const std::vector<float> before = x;
  table_->rotate(x.data(), w.data(), y.data(), n / 2);
  for (std::int64_t i = 0; i < n / 2; ++i) {
    EXPECT_NEAR(x[i], before[i] * w[i] - before[n / 2 + i] * y[i], 1e-5);
    EXPECT_NEAR(x[n / 2 + i], before[n / 2 + i] * w[i] + before[i] * y[i], 1e-5);
  }

  std::vector<float> maxima(3);
  float sum = 0;
  EXPECT_EQ(table_->max(before.data(), 48, &sum), *std::max_element(before.begin(), before.begin() + 48));
  EXPECT_TRUE(std::isfinite(sum));
  table_->run_maxima(before.data(), 48, maxima.data());
  EXPECT_EQ(maxima[1], *std::max_element(before.begin() + 16, before.begin() + 32));
}

INSTANTIATE_TEST_SUITE_P(Tables, KernelTest, ::testing::Values("avx512", "avx2", "generic"),
                         [](const auto& info) { return std::string(info.param); });

TEST(ThreadTeamTest, CoversTheRangeOnce) {
  ThreadTeam team(3);
  for (std::int64_t n = 0; n < 50; ++n) {
    std::vector<int> hits(static_cast<std::size_t>(n), 0);
    team.For(n, 2, [&](std::int64_t begin, std::int64_t end, int) {
      for (std::int64_t i = begin; i < end; ++i) ++hits[static_cast<std::size_t>(i)];
    });
    EXPECT_EQ(std::count(hits.begin(), hits.end(), 1), n);
  }
}

TEST(ThreadTeamTest, RethrowsWhatABodyThrows) {
  ThreadTeam team(2);
  EXPECT_THROW(team.For(2, 1,
                        [](std::int64_t begin, std::int64_t, int) {
                          if (begin == 1) throw std::runtime_error("second half");
                        }),
               std::runtime_error);
  int calls = 0;
  team.For(1, 1, [&](std::int64_t, std::int64_t, int) { ++calls; });
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace autodidact::engine::cpu
