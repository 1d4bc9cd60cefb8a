// The parts of the check of a GPU, each a subcommand of gpu_check: launch/pack/gpu_check.sh says how they go together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "json/json.h"
#include "model/config.h"

namespace autodidact::gpu_check {

// A random model with a tokenizer of whole symbols, saved in bf16, so that fp32 and bf16 compute with the same
// weights. `shape`: "llama", "qwen2", "qwen3", "gemma3" (small, about a million weights) or "qwen3-0.6b" (the sizes of
// Qwen 3 0.6B). Error(kBadInput) for another one.
void WriteModel(const std::string& shape, const std::filesystem::path& folder);

// Token ids that depend on the arguments alone, clear of the special ones.
std::vector<std::int32_t> Ids(std::uint64_t seed, std::int64_t count, std::int64_t vocab_size);

// Input lines of `score` (whole sequences) and of `generate` (prompts) for the model.
std::vector<json::Json> ScoreRows(const model::ModelConfig& config);
std::vector<json::Json> PromptRows(const model::ModelConfig& config);

// Input lines of `score` that hold each prompt followed by the ids that `generate` gave it.
std::vector<json::Json> GeneratedRows(const std::vector<json::Json>& prompts, const std::vector<json::Json>& generated);

// What a comparison found: figures, and why it failed (empty when it passed).
struct Finding {
  json::Json figures;
  std::string fault;
};

// Log-probabilities of `score`. `exact` is the CPU in fp32, `cpu` the CPU in the number format under test. The device
// may be off by `tolerance`, or by twice what the CPU itself is off in that format.
Finding CompareScores(const std::vector<json::Json>& exact, const std::vector<json::Json>& cpu,
                      const std::vector<json::Json>& device, double tolerance);

// Greedy tokens of `generate`, each run with what `score` on the CPU in fp32 says of its ids. The log-probabilities
// that the device reports must be right, and where its ids leave the CPU's, the two tokens must be as likely.
struct Generated {
  std::vector<json::Json> lines;   // of `generate`
  std::vector<json::Json> scores;  // of `score` of GeneratedRows
};
Finding CompareGreedy(const Generated& cpu, const Generated& device, double tolerance);

// Two outputs of GrpoStep.
Finding CompareSteps(const json::Json& cpu, const json::Json& device, double tolerance);

struct Workload {
  std::string model;
  std::string device = "cuda:0";
  std::string dtype = "float32";
  std::int64_t groups = 8;
  std::int64_t rollouts = 8;
  std::int64_t prompt_tokens = 512;
  std::int64_t new_tokens = 256;
  std::int64_t repetitions = 3;  // the median counts; one more run warms up
};

// {"loss", "kl", "entropy", "grad_norm"} of one step over random groups whose log-probabilities are off the policy's.
json::Json GrpoStep(const Workload& work);

// {"tokens_per_second", "prefill_seconds", "peak_gib"} of decoding groups × rollouts rows at once.
json::Json DecodeSpeed(const Workload& work);

// {"seconds", "tokens_per_second", "peak_gib"} of a GRPO step on groups of that size, without the rollouts.
json::Json StepSpeed(const Workload& work);

// Joins FOLDER/parts.tsv (name, status, seconds and note a line) and the figures of FOLDER/NAME.json into one object.
json::Json Summary(const std::filesystem::path& folder, const std::string& card);
// The same as lines for people.
std::string Table(const json::Json& summary);

// The lines of a JSONL file. Error(kBadInput) where it cannot be read.
std::vector<json::Json> ReadLines(const std::filesystem::path& file);

}  // namespace autodidact::gpu_check
