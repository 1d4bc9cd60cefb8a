#include <filesystem>
#include <set>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "json/json.h"
#include "launch/commands.h"
#include "launch/progress.h"
#include "launch/wiring.h"
#include "model/folder.h"
#include "sft/crossfit.h"
#include "sft/trainer.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kSpecialTokens = {"<pad>", "<bos>", "<eos>"};

// A source file holds pairs, or rows of candidates to reconcile; the first row tells.
struct SourceData {
  std::vector<data::Pair> pairs;
  std::vector<sft::CandidateRow> candidates;
};

SourceData ReadSource(const std::string& file) {
  SourceData source;
  std::istringstream stream(json::ReadFile(file));
  std::string first;
  if (!std::getline(stream, first)) base::ThrowBadInput(file + ": holds no rows");
  const json::Json row = json::Parse(first, file + ":1");
  if (row.is_object() && row.contains("candidates")) {
    source.candidates = sft::ReadCandidateRows(file);
  } else {
    source.pairs = data::ReadPairs(file);
  }
  return source;
}

void MakeTokenizer(const SftConfig& config, const std::vector<SourceData>& sources, const fs::path& folder) {
  const text::TokenizerSpec spec{.special_tokens = kSpecialTokens, .bos_token = "<bos>"};
  const estimators::QuestionFormat question{.system = config.prompt.system, .text = config.prompt.text};
  std::vector<std::string> texts;
  for (const SourceData& source : sources) {
    for (const data::Pair& pair : source.pairs) {
      for (const text::ChatTurn& turn : estimators::QuestionTurns(question, pair.prompt)) texts.push_back(turn.content);
      texts.insert(texts.end(), pair.completions.begin(), pair.completions.end());
    }
    for (const sft::CandidateRow& row : source.candidates) {
      texts.insert(texts.end(), row.candidates.begin(), row.candidates.end());
      texts.insert(texts.end(), row.completions.begin(), row.completions.end());
    }
  }
  if (config.tokenizer == "bpe") {
    text::TrainBpeTokenizer(spec, texts, config.vocab_size, folder / "tokenizer.json");
    return;
  }
  std::set<std::string> symbols;
  for (const std::string& text : texts) {
    std::istringstream words(text);
    for (std::string word; words >> word;) symbols.insert(word);
  }
  std::vector<std::string> all = config.extra_symbols;
  for (const std::string& symbol : config.extra_symbols) symbols.erase(symbol);
  for (const std::string& special : kSpecialTokens) symbols.erase(special);
  all.insert(all.end(), symbols.begin(), symbols.end());
  text::WriteSymbolTokenizer(spec, all, folder / "tokenizer.json");
}

model::ModelConfig MakeShape(const SftConfig& config, const text::Tokenizer& tokenizer) {
  model::ModelConfig shape;
  shape.vocab_size = tokenizer.vocab_size();
  shape.hidden_size = config.hidden_size;
  shape.intermediate_size = config.intermediate_size;
  shape.num_layers = config.num_layers;
  shape.num_heads = config.num_heads;
  shape.num_kv_heads = config.num_kv_heads;
  shape.head_dim = config.hidden_size / config.num_heads;
  shape.max_position_embeddings = config.max_position_embeddings;
  shape.tie_word_embeddings = config.tie_word_embeddings;
  shape.attention_scale = 1.0 / std::sqrt(static_cast<double>(shape.head_dim));
  shape.rope.theta = config.rope_theta;
  shape.is_sliding.assign(static_cast<std::size_t>(config.num_layers), false);
  shape.pad_token_id = *tokenizer.IdOf("<pad>");
  shape.bos_token_id = *tokenizer.IdOf("<bos>");
  shape.eos_token_ids = {*tokenizer.IdOf("<eos>")};
  return shape;
}

sft::SupervisedConfig ToSupervised(const SftConfig& config, std::int64_t steps) {
  return {.optimizer = {.learning_rate = config.learning_rate,
                        .schedule = learner::ScheduleNamed(config.lr_scheduler),
                        .warmup_steps = config.warmup_steps,
                        .total_steps = steps,
                        .final_fraction = config.final_fraction,
                        .beta1 = config.adam_beta1,
                        .beta2 = config.adam_beta2,
                        .weight_decay = config.weight_decay,
                        .max_grad_norm = config.max_grad_norm},
          .max_steps = steps,
          .seed = static_cast<std::uint64_t>(config.seed)};
}

sft::ReconcileRules ToReconcileRules(const ReconcileKeys& keys) {
  return {.group_sizes = keys.group_sizes, .max_unsupported = keys.max_unsupported, .exchanged = keys.exchanged};
}

// Each source's examples per batch, by weight; the reconciling of sampled candidates takes its share first.
std::vector<std::int64_t> SplitBatch(const SftConfig& config) {
  double total = 0;
  for (const SftSource& source : config.data) total += source.weight;
  const double answering =
      static_cast<double>(config.batch_size) * (config.reconcile.enabled ? 1 - config.reconcile.share : 1);
  std::vector<std::int64_t> counts;
  for (const SftSource& source : config.data) {
    counts.push_back(std::max<std::int64_t>(1, std::llround(answering * source.weight / total)));
  }
  return counts;
}

}  // namespace

void RunSft(const SftConfig& config, const std::stop_token& stop) {
  UseThreads(config.threads);
  std::vector<SourceData> sources;
  for (const SftSource& source : config.data) sources.push_back(ReadSource(source.file));
  if (config.reconcile.enabled && sources.front().pairs.empty()) {
    base::ThrowBadInput("reconcile: the first file of data must hold prompts with answers");
  }

  std::vector<schema::Prompt> prompts;  // without labels, to sample candidates on
  if (config.reconcile.enabled && !config.reconcile.prompts.empty()) {
    for (data::Row& row : SpreadRows(data::ReadRows(config.reconcile.prompts), config.reconcile.max_prompts)) {
      prompts.push_back(std::move(row.prompt));
    }
  }

  // Everything is written under a temporary name and renamed at the end.
  const fs::path output(config.output);
  const fs::path partial = output.string() + ".partial";
  fs::remove_all(partial);
  fs::create_directories(partial);
  struct Remove {
    fs::path path;
    ~Remove() {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  } remove{partial};

  std::string tokenizer_folder = config.model;
  model::SharedWeights weights;
  if (config.model.empty()) {
    MakeTokenizer(config, sources, partial);
    tokenizer_folder = partial.string();
  }
  const auto tokenizer = std::make_unique<text::Tokenizer>(tokenizer_folder);
  if (config.model.empty()) {
    const model::ModelConfig shape = MakeShape(config, *tokenizer);
    weights = std::make_shared<const model::WeightSet>(
        shape, model::InitialParameters(shape, static_cast<std::uint64_t>(config.seed), config.initializer_range), 0);
  } else {
    weights = LoadModelFolder(config.model, "cpu").weights;
  }
  if (weights->config().eos_token_ids.empty())
    base::ThrowBadInput(tokenizer_folder + ": the model has no end-of-text token");
  const schema::TokenId eos = weights->config().eos_token_ids.front();
  base::LogInfo("model of {} weights, vocabulary of {}", model::ParameterCount(weights->config()),
                weights->config().vocab_size);

  const auto format = ToChatFormat(config.prompt, tokenizer_folder);
  const sft::RenderPrompt render = MakeRenderer(config.prompt, format, *tokenizer);
  const auto anchor_prompt = ToSynthesisPrompt(config.anchor, format);

  std::unique_ptr<ProgressLine> line;
  const auto on_step = [&](std::int64_t step, const std::vector<double>& losses) {
    if (stop.stop_requested())
      throw base::Error(base::ErrorKind::kRetryLater, "stopped on request; nothing was written");
    std::string details = "loss";
    for (const double loss : losses) details += base::Format(" {:.3f}", loss);
    line->Show(step, details);
  };

  std::vector<std::unique_ptr<sft::ExampleSource>> examples;
  std::vector<sft::Share> shares;
  const auto counts = SplitBatch(config);
  if (config.reconcile.enabled) {
    const auto phase = [&](const std::string& what) {
      base::LogInfo("{}", what);
      line = std::make_unique<ProgressLine>("sft of a fold", config.reconcile.fold_steps);
    };
    const sft::CrossfitModel sampled{weights, render, *tokenizer, eos};
    const sft::CrossfitConfig crossfit_config{
        .folds = config.reconcile.folds,
        .apart = config.reconcile.apart,
        .batch_size = config.batch_size,
        .training = ToSupervised(config, config.reconcile.fold_steps),
        .num_candidates = static_cast<std::uint32_t>(config.reconcile.num_candidates),
        .sampling = ToSampling(config.rollout)};
    std::vector<data::Pair>& pairs = sources.front().pairs;
    sft::Crossfit crossfit =
        prompts.empty() ? sft::SampleCandidates(std::move(pairs), sampled, crossfit_config, phase, on_step)
                        : sft::SampleConsensus(std::move(pairs), prompts, sampled, crossfit_config, phase, on_step);
    sft::WriteCandidateRows(crossfit.rows, partial / "candidates.jsonl");
    sources.front().pairs = std::move(crossfit.answered);
    if (config.reconcile.continue_from_fold) weights = crossfit.first_model;
    examples.push_back(std::make_unique<sft::ReconcileSource>(
        std::move(crossfit.rows), ToReconcileRules(config.reconcile), anchor_prompt, *tokenizer, eos));
    shares.push_back(
        {examples.back().get(),
         std::max<std::int64_t>(1, std::llround(static_cast<double>(config.batch_size) * config.reconcile.share))});
  }
  for (std::size_t s = 0; s < sources.size(); ++s) {
    if (sources[s].pairs.empty()) {
      examples.push_back(std::make_unique<sft::ReconcileSource>(
          std::move(sources[s].candidates), ToReconcileRules(config.reconcile), anchor_prompt, *tokenizer, eos));
    } else {
      examples.push_back(std::make_unique<sft::PairSource>(std::move(sources[s].pairs), render, *tokenizer, eos));
    }
    shares.push_back({examples.back().get(), counts[s]});
  }

  line = std::make_unique<ProgressLine>("sft", config.max_steps);
  learner::FlatParameters parameters(*weights);
  sft::TrainSupervised(parameters, shares, ToSupervised(config, config.max_steps), on_step);
  line.reset();
  model::SaveModel(*parameters.Snapshot(0), at::kFloat, partial, config.model);
  json::WriteFile(partial / "sft.yaml", ToYaml(config));
  fs::remove_all(output);
  fs::rename(partial, output);
  base::LogInfo("model written to {}", output.string());
}

}  // namespace autodidact::launch
