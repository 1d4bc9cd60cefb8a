// A judge that is a model on this engine: it chooses between two words, so there is nothing to parse.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "engine/choices.h"
#include "engine/engine.h"
#include "judge_service/backend.h"
#include "judge_service/config.h"
#include "text/tokenizer.h"

namespace autodidact::judge_service {

// The built-in instructions of the two kinds.
std::string DefaultInstruction(JudgeKind kind);

// Deterministic: a verdict depends on the weights, the config, the response and the item alone. A prompt that does not
// fit into the model's context, or that its vocabulary cannot express, is an invalid verdict. What a response spells
// like a special token of the tokenizer reaches the model as ordinary text.
class ModelBackend : public Backend {
 public:
  // Error(kBadInput) for an instruction without its places, and for choices that have no tokens or are the same.
  ModelBackend(ModelBackendConfig config, model::SharedWeights weights, const text::Tokenizer& tokenizer);

  void Start(Task task) override { waiting_.push_back(std::move(task)); }
  std::vector<TaskResult> Step(base::Deadline until) override;  // some tasks, in one computation
  bool idle() const override { return waiting_.empty(); }
  const std::string& identity() const override { return identity_; }

 private:
  using Ids = std::vector<schema::TokenId>;
  // A task with the prompts of the items that can be asked about.
  struct Prepared {
    std::uint64_t id = 0;
    std::vector<ItemVerdict> verdicts;
    std::vector<std::size_t> items;  // of these prompts
    std::vector<Ids> prompts;
  };

  Prepared Prepare(const Task& task) const;
  void Choose(std::vector<Prepared>& tasks) const;
  ItemVerdict VerdictOf(double yes, double no) const;
  Ids Prompt(const std::string& response, const std::string& item) const;

  const ModelBackendConfig config_;
  const model::SharedWeights weights_;
  const text::Tokenizer& tokenizer_;
  std::string identity_;
  Ids yes_;
  Ids no_;
  std::deque<Task> waiting_;
};

}  // namespace autodidact::judge_service
