// Rollout tokens per second of the engine on random weights, beside the fp32 peak of this machine's matrix kernel.
// Prints one JSON line per workload, the median of several runs. Usage: engine_decode [threads] [repetitions]
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "engine/cpu/kernels.h"
#include "engine/cpu/packed_weights.h"
#include "engine/engine.h"
#include "model/weight_set.h"
#include "text/tokenizer.h"

namespace autodidact {
namespace {

struct Workload {
  const char* name;
  std::int64_t hidden, layers, heads, intermediate, vocab;
  std::uint32_t groups, rollouts;
  std::int64_t prompt;
  std::int32_t new_tokens;
};

double Seconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

model::ModelConfig ConfigOf(const Workload& work) {
  model::ModelConfig config;
  config.vocab_size = work.vocab;
  config.hidden_size = work.hidden;
  config.intermediate_size = work.intermediate;
  config.num_layers = work.layers;
  config.num_heads = config.num_kv_heads = work.heads;
  config.head_dim = work.hidden / work.heads;
  config.max_position_embeddings = 2048;
  config.attention_scale = 1.0 / std::sqrt(static_cast<double>(config.head_dim));
  config.is_sliding.assign(static_cast<std::size_t>(work.layers), false);
  return config;
}

// GFLOP/s of one thread's matrix kernel where everything lies in its caches.
double PeakOfOneThread() {
  constexpr std::int64_t kRows = 64;
  constexpr std::int64_t kSize = 256;
  const engine::cpu::KernelTable& kernels = engine::cpu::Kernels();
  const engine::cpu::AlignedFloats a = engine::cpu::AllocateFloats(kRows * kSize);
  const engine::cpu::AlignedFloats b = engine::cpu::AllocateFloats(kSize * kSize);
  const engine::cpu::AlignedFloats c = engine::cpu::AllocateFloats(kRows * kSize);
  std::fill_n(a.get(), kRows * kSize, 0.5f);
  std::fill_n(b.get(), kSize * kSize, 0.25f);
  engine::cpu::GemmArgs args;
  args.a = a.get();
  args.lda = args.k = args.n = args.ldc = kSize;
  args.rows = kRows;
  args.panels = b.get();
  args.panel_end = kSize / kernels.panel_width;
  args.c = c.get();
  double best = 0;
  for (int run = 0; run < 20; ++run) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 100; ++i) kernels.gemm(args);
    best = std::max(best, 100 * 2.0 * kRows * kSize * kSize / Seconds(start) / 1e9);
  }
  return best;
}

// Multiply-adds of one token, times two; attention left out.
double FlopPerToken(const Workload& work) {
  const double layer = 4.0 * work.hidden * work.hidden + 3.0 * work.hidden * work.intermediate;
  return 2.0 * (work.layers * layer + work.vocab * work.hidden);
}

std::vector<engine::GroupRequest> Requests(const Workload& work) {
  std::vector<engine::GroupRequest> requests(work.groups);
  for (std::uint32_t g = 0; g < work.groups; ++g) {
    requests[g].ticket = g;
    requests[g].num_rollouts = work.rollouts;
    requests[g].sampling.max_new_tokens = work.new_tokens;
    for (std::int64_t i = 0; i < work.prompt; ++i) {
      requests[g].prompt_ids.push_back(static_cast<std::int32_t>((g * 131 + i * 17 + 3) % work.vocab));
    }
  }
  return requests;
}

void Measure(const Workload& work, const text::Tokenizer& tokenizer, int threads, int repetitions, double peak) {
  const model::ModelConfig config = ConfigOf(work);
  const auto weights = std::make_shared<const model::WeightSet>(config, model::InitialParameters(config, 1), 0);
  engine::Engine engine({}, weights, tokenizer);
  std::vector<double> rates;
  std::vector<double> cpu_rates;  // per second of processor time: what a busy machine does not spoil
  for (int run = 0; run <= repetitions; ++run) {
    const std::int64_t before = engine.stats().decoded_tokens;
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    engine::GenerateAll(engine, Requests(work));
    const double tokens = static_cast<double>(engine.stats().decoded_tokens - before);
    if (run == 0) continue;
    rates.push_back(tokens / Seconds(start));
    cpu_rates.push_back(tokens * CLOCKS_PER_SEC / static_cast<double>(std::clock() - cpu_start));
  }
  const double median = Median(rates);
  // The prompts are computed too, but not counted as tokens.
  const double prompts = static_cast<double>(work.prompt) / (work.rollouts * work.new_tokens);
  const double share = median * FlopPerToken(work) * (1 + prompts) / (peak * threads * 1e9);
  std::printf(
      "{\"workload\": \"%s\", \"kernels\": \"%s\", \"threads\": %d, \"tokens_per_second\": %.0f, \"best\": %.0f, "
      "\"per_cpu_second\": %.0f, \"gemm_peak_gflops\": %.1f, \"share_of_peak\": %.3f}\n",
      work.name, engine::cpu::Kernels().name, threads, median, *std::max_element(rates.begin(), rates.end()),
      Median(cpu_rates), peak * threads, share);
  std::fflush(stdout);
}

int Run(int threads, int repetitions) {
  at::set_num_threads(threads);
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "autodidact_engine_decode.json";
  std::vector<std::string> symbols;
  for (int i = 3; i < 4096; ++i) symbols.push_back("s" + std::to_string(i));
  text::WriteSymbolTokenizer({{"<pad>", "<bos>", "<eos>"}, "<bos>"}, symbols, file);
  const text::Tokenizer tokenizer(file);
  const double peak = PeakOfOneThread();
  const Workload workloads[] = {
      {"8.3M, 8x8x64 after 40", 288, 6, 6, 768, 4096, 8, 8, 40, 64},
      {"8.3M, 8x8x64 after 512", 288, 6, 6, 768, 4096, 8, 8, 512, 64},
      {"0.8M, 48x8x9 after 10", 128, 4, 4, 352, 80, 48, 8, 10, 9},
  };
  for (const Workload& work : workloads) Measure(work, tokenizer, threads, repetitions, peak);
  return 0;
}

}  // namespace
}  // namespace autodidact

int main(int argc, char** argv) {
  return autodidact::Run(argc > 1 ? std::atoi(argv[1]) : 1, argc > 2 ? std::atoi(argv[2]) : 7);
}
