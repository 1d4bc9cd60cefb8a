#include "launch/commands/sft_sources.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"
#include "launch/wiring/wiring.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kSpecialTokens = {"<pad>", "<bos>", "<eos>"};

SftRows ReadSource(const std::string& file) {
  SftRows source;
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

// Moves a share of the rows, spread evenly over them, to what is held out.
template <class Row>
void HoldOut(std::vector<Row>& rows, double share, std::vector<Row>& held_out) {
  std::vector<Row> kept;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto before = std::floor(static_cast<double>(i) * share);
    const bool held = std::floor(static_cast<double>(i + 1) * share) > before;
    (held ? held_out : kept).push_back(std::move(rows[i]));
  }
  rows = std::move(kept);
}

void AddTexts(const SftRows& source, const estimators::QuestionFormat& question, std::vector<std::string>& texts) {
  for (const data::Pair& pair : source.pairs) {
    for (const text::ChatTurn& turn : estimators::QuestionTurns(question, pair.prompt)) texts.push_back(turn.content);
    texts.insert(texts.end(), pair.completions.begin(), pair.completions.end());
  }
  for (const sft::CandidateRow& row : source.candidates) {
    texts.insert(texts.end(), row.candidates.begin(), row.candidates.end());
    texts.insert(texts.end(), row.completions.begin(), row.completions.end());
  }
}

}  // namespace

SftMaterial ReadSftMaterial(const SftConfig& config) {
  SftMaterial material;
  for (const SftSource& source : config.data) {
    SftRows& rows = material.sources.emplace_back(ReadSource(source.file));
    if (rows.size() == 0) base::ThrowBadInput(source.file + ": holds no example to learn");
    if (config.held_out <= 0) continue;
    SftRows& held_out = material.held_out.emplace_back();
    HoldOut(rows.pairs, config.held_out, held_out.pairs);
    HoldOut(rows.candidates, config.held_out, held_out.candidates);
    if (held_out.size() == 0 || rows.size() == 0) {
      base::ThrowBadInput(base::Format("{}: held_out: {} of {} rows leaves none to learn, or none to measure on",
                                       source.file, config.held_out, rows.size() + held_out.size()));
    }
  }
  if (!config.eval_data.empty()) {
    material.held_out.push_back(ReadSource(config.eval_data));
    if (material.held_out.back().size() == 0) {
      base::ThrowBadInput(config.eval_data + ": holds no example to measure on");
    }
  }
  if (!config.reconcile.enabled) return material;
  if (material.sources.front().pairs.empty()) {
    base::ThrowBadInput("reconcile: the first file of data must hold prompts with answers");
  }
  if (config.reconcile.prompts.empty()) return material;
  for (data::Row& row : SpreadRows(data::ReadRows(config.reconcile.prompts), config.reconcile.max_prompts)) {
    material.prompts.push_back(std::move(row.prompt));
  }
  return material;
}

void MakeSftTokenizer(const SftConfig& config, const SftMaterial& material, const fs::path& folder) {
  const text::TokenizerSpec spec{.special_tokens = kSpecialTokens, .bos_token = "<bos>"};
  const estimators::QuestionFormat question{.system = config.prompt.system, .text = config.prompt.text};
  std::vector<std::string> texts;
  for (const std::vector<SftRows>* sources : {&material.sources, &material.held_out}) {
    for (const SftRows& source : *sources) AddTexts(source, question, texts);
  }
  if (config.tokenizer == SftTokenizer::kBpe) {
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

model::ModelConfig MakeSftShape(const SftConfig& config, const text::Tokenizer& tokenizer) {
  model::ModelConfig shape = config.shape;
  shape.vocab_size = tokenizer.vocab_size();
  shape.head_dim = shape.hidden_size / shape.num_heads;
  shape.attention_scale = 1.0 / std::sqrt(static_cast<double>(shape.head_dim));
  shape.is_sliding.assign(static_cast<std::size_t>(shape.num_layers), false);
  shape.pad_token_id = *tokenizer.IdOf("<pad>");
  shape.bos_token_id = *tokenizer.IdOf("<bos>");
  shape.eos_token_ids = {*tokenizer.IdOf("<eos>")};
  return shape;
}

sft::SupervisedConfig SupervisedOf(const SftConfig& config, std::int64_t steps) {
  sft::SupervisedConfig supervised{
      .optimizer = config.optimizer, .max_steps = steps, .seed = static_cast<std::uint64_t>(config.seed)};
  supervised.optimizer.total_steps = steps;
  return supervised;
}

std::vector<std::int64_t> SplitSftBatch(const SftConfig& config) {
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

}  // namespace autodidact::launch
