#include "sft/examples.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "json/json.h"

namespace autodidact::sft {
namespace {

constexpr int kMaxRedraws = 64;

std::vector<schema::TokenId> EncodeCompletion(const std::string& text, const text::Tokenizer& tokenizer,
                                              schema::TokenId eos) {
  auto ids = tokenizer.Encode(text, /*add_special_tokens=*/false);
  ids.push_back(eos);
  return ids;
}

std::vector<std::string> Texts(const json::Json& value, const std::string& where) {
  std::vector<std::string> texts;
  for (const auto& item : value.is_array() ? value : json::Json::array({value})) {
    if (!item.is_string()) base::ThrowBadInput(where + ": got " + json::Describe(item) + ", expected a text");
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

// The completion that most candidates equal, one at random among several such: where a question has more than one right
// answer, the anchor must learn the one that its candidates speak for, not to guess.
const std::string& MostSupported(const std::vector<std::string>& completions,
                                 const std::vector<std::string>& candidates, base::RandomWalk& walk) {
  const std::string* best = nullptr;
  std::ptrdiff_t most = -1;
  std::uint64_t equal = 0;
  for (const std::string& completion : completions) {
    const std::ptrdiff_t support = std::count(candidates.begin(), candidates.end(), completion);
    if (support > most) equal = 0;
    if (support >= most && walk.Below(++equal) == 0) best = &completion;
    most = std::max(most, support);
  }
  return *best;
}

}  // namespace

PairSource::PairSource(const std::vector<data::Pair>& pairs, const RenderPrompt& render,
                       const text::Tokenizer& tokenizer, schema::TokenId eos) {
  rows_.reserve(pairs.size());
  bool any_text = pairs.empty();
  for (const data::Pair& pair : pairs) {
    Row row{render(pair.prompt), {}};
    for (const std::string& text : pair.completions) {
      row.completions.push_back(EncodeCompletion(text, tokenizer, eos));
      any_text = any_text || row.completions.back().size() > 1;
    }
    rows_.push_back(std::move(row));
  }
  if (!any_text) {
    base::ThrowBadInput(
        base::Format("not one of the completions of {} pairs has a token: there is nothing to learn", pairs.size()));
  }
}

Example PairSource::Draw(std::size_t row, base::RandomWalk& walk) const {
  const Row& drawn = rows_[row];
  return {drawn.prompt, drawn.completions[walk.Below(drawn.completions.size())]};
}

std::vector<CandidateRow> ReadCandidateRows(const std::filesystem::path& file) {
  std::vector<CandidateRow> rows;
  std::istringstream stream(json::ReadFile(file));
  std::int64_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string where = base::Format("{}:{}", file.string(), number);
    const json::Json row = json::Parse(line, where);
    if (!row.is_object() || !row.contains("candidates"))
      base::ThrowBadInput(where + ": expected an object with candidates");
    CandidateRow candidate{Texts(row["candidates"], where + ": candidates"), {}};
    for (const char* key : {"completion", "answers", "answer"}) {
      if (row.contains(key)) {
        candidate.completions = Texts(row[key], where + ": " + key);
        break;
      }
    }
    if (candidate.candidates.empty() || candidate.completions.empty()) {
      base::ThrowBadInput(where + ": got no candidate or no completion, expected at least one of each");
    }
    rows.push_back(std::move(candidate));
  }
  if (rows.empty()) base::ThrowBadInput(file.string() + ": there is no row");
  return rows;
}

void WriteCandidateRows(const std::vector<CandidateRow>& rows, const std::filesystem::path& file) {
  std::string text;
  for (const CandidateRow& row : rows) {
    text += json::Dump({{"candidates", row.candidates}, {"answers", row.completions}}) + "\n";
  }
  json::WriteFile(file, text);
}

ReconcileSource::ReconcileSource(std::vector<CandidateRow> rows, ReconcileRules rules,
                                 estimators::SynthesisPrompt prompt, const text::Tokenizer& tokenizer,
                                 schema::TokenId eos)
    : rows_(std::move(rows)), rules_(std::move(rules)), prompt_(std::move(prompt)), tokenizer_(tokenizer), eos_(eos) {
  if (rules_.exchanged <= 0) return;
  std::set<schema::TokenId> vocabulary;
  for (const CandidateRow& row : rows_) {
    for (const std::string& text : row.completions) {
      const auto ids = tokenizer_.Encode(text, /*add_special_tokens=*/false);
      vocabulary.insert(ids.begin(), ids.end());
    }
  }
  vocabulary_.assign(vocabulary.begin(), vocabulary.end());
}

Example ReconcileSource::Draw(std::size_t row, base::RandomWalk& walk) const {
  Drawn drawn = DrawFrom(rows_[row], walk);
  if (rules_.max_unsupported >= 0) {
    for (int redraws = 0; redraws < kMaxRedraws && CountUnsupported(drawn) > rules_.max_unsupported; ++redraws) {
      drawn = DrawFrom(rows_[walk.Below(rows_.size())], walk);
    }
  }
  if (!prompt_.heading.empty()) drawn.completion = prompt_.heading + "\n" + drawn.completion;
  Example example{estimators::EncodeSynthesisPrompt(prompt_, tokenizer_, drawn.candidates),
                  EncodeCompletion(drawn.completion, tokenizer_, eos_)};
  if (rules_.exchanged > 0 && walk.Uniform() < rules_.exchanged) Exchange(example, walk);
  return example;
}

ReconcileSource::Drawn ReconcileSource::DrawFrom(const CandidateRow& row, base::RandomWalk& walk) const {
  std::vector<std::string> candidates = row.candidates;
  const auto wanted = static_cast<std::size_t>(rules_.group_sizes[walk.Below(rules_.group_sizes.size())]);
  base::Shuffle(candidates, walk);
  candidates.resize(std::min(wanted, candidates.size()));
  std::string completion = MostSupported(row.completions, candidates, walk);
  return {std::move(candidates), std::move(completion)};
}

std::int64_t ReconcileSource::CountUnsupported(const Drawn& drawn) const {
  const auto neighbours = [&](const std::string& text) {
    const auto ids = EncodeCompletion(text, tokenizer_, eos_);
    std::vector<std::pair<schema::TokenId, schema::TokenId>> pairs;
    for (std::size_t i = 0; i < ids.size(); ++i) pairs.emplace_back(i == 0 ? eos_ : ids[i - 1], ids[i]);
    return pairs;
  };
  std::set<std::pair<schema::TokenId, schema::TokenId>> seen;
  for (const std::string& candidate : drawn.candidates) {
    const auto pairs = neighbours(candidate);
    seen.insert(pairs.begin(), pairs.end());
  }
  const auto needed = neighbours(drawn.completion);
  return std::count_if(needed.begin(), needed.end(), [&](const auto& pair) { return !seen.contains(pair); });
}

void ReconcileSource::Exchange(Example& example, base::RandomWalk& walk) const {
  std::vector<schema::TokenId> shuffled = vocabulary_;
  base::Shuffle(shuffled, walk);
  for (std::vector<schema::TokenId>* ids : {&example.prompt, &example.completion}) {
    for (schema::TokenId& id : *ids) {
      const auto found = std::lower_bound(vocabulary_.begin(), vocabulary_.end(), id);
      if (found == vocabulary_.end() || *found != id) continue;
      id = shuffled[static_cast<std::size_t>(found - vocabulary_.begin())];
    }
  }
}

}  // namespace autodidact::sft
