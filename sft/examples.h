// Where supervised examples come from: pairs of a file, and groups of candidates to reconcile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "data/rows.h"
#include "estimators/estimator.h"
#include "schema/types.h"
#include "sft/config.h"
#include "text/tokenizer.h"

namespace autodidact::sft {

// Token ids of a prompt and of the completion to learn, the latter with its end-of-text token.
struct Example {
  std::vector<schema::TokenId> prompt;
  std::vector<schema::TokenId> completion;
};

// Draws examples. One thread.
class ExampleSource {
 public:
  virtual ~ExampleSource() = default;
  virtual std::size_t size() const = 0;
  // The example of row `row`; what is random about it comes from `walk` alone.
  virtual Example Draw(std::size_t row, base::RandomWalk& walk) const = 0;
};

using RenderPrompt = std::function<std::vector<schema::TokenId>(const schema::Prompt& prompt)>;

// Answering: a pair's prompt and one of its completions. The tokenizer must outlive it.
class PairSource : public ExampleSource {
 public:
  // Error(kBadInput) when no completion has a token of its own.
  PairSource(const std::vector<data::Pair>& pairs, const RenderPrompt& render, const text::Tokenizer& tokenizer,
             schema::TokenId eos);
  std::size_t size() const override { return rows_.size(); }
  Example Draw(std::size_t row, base::RandomWalk& walk) const override;

 private:
  struct Row {
    std::vector<schema::TokenId> prompt;
    std::vector<std::vector<schema::TokenId>> completions;
  };
  std::vector<Row> rows_;
};

// Candidates for one question, with what is right (any of the completions).
struct CandidateRow {
  std::vector<std::string> candidates;
  std::vector<std::string> completions;
};
// Rows {"candidates": […], "completion" | "answer" | "answers": …}; Error(kBadInput) naming file and line.
std::vector<CandidateRow> ReadCandidateRows(const std::filesystem::path& file);
void WriteCandidateRows(const std::vector<CandidateRow>& rows, const std::filesystem::path& file);

// Reconciling: some of a row's candidates in the anchor's own prompt, and the right answer; of several right ones that
// which most of the candidates drawn equal. Which candidates, and their order, is random. The tokenizer must outlive
// it.
class ReconcileSource : public ExampleSource {
 public:
  ReconcileSource(std::vector<CandidateRow> rows, ReconcileRules rules, estimators::SynthesisPrompt prompt,
                  const text::Tokenizer& tokenizer, schema::TokenId eos);
  std::size_t size() const override { return rows_.size(); }
  Example Draw(std::size_t row, base::RandomWalk& walk) const override;

 private:
  struct Drawn {
    std::vector<std::string> candidates;
    std::string completion;
  };
  Drawn DrawFrom(const CandidateRow& row, base::RandomWalk& walk) const;
  std::int64_t CountUnsupported(const Drawn& drawn) const;
  void Exchange(Example& example, base::RandomWalk& walk) const;

  std::vector<CandidateRow> rows_;
  ReconcileRules rules_;
  estimators::SynthesisPrompt prompt_;
  const text::Tokenizer& tokenizer_;
  schema::TokenId eos_;
  std::vector<schema::TokenId> vocabulary_;  // tokens of the answers in order, where some are to be exchanged
};

}  // namespace autodidact::sft
