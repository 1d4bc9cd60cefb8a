// Many syntheses at once on one engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "engine/engine.h"
#include "estimators/estimator.h"
#include "schema/types.h"

namespace autodidact::estimators {

// Runs SynthesisPlans on an engine that holds the anchor's weights and nothing else, each followed by a rubric written
// from the finished reference alone where the config asks for one; a rubric that is not in its format is tried once
// more with other random numbers, then the synthesis fails with a reason that begins with schema::kNoRubric. What a
// synthesis samples depends on the weights, the candidates, the config and (seed, ticket) alone. One thread; all that
// is given by reference must outlive it.
class Synthesizer {
 public:
  struct Finished {
    schema::Ticket ticket = 0;
    base::Outcome<schema::Reference> reference = base::Failure{};
  };

  // `context` in tokens (see SynthesisContext); 0 for no limit.
  Synthesizer(engine::Engine& engine, const text::Tokenizer& tokenizer, const SynthesisConfig& config,
              std::int64_t context, std::uint64_t seed);

  // Never blocks. A ticket may not be under way twice: kBug.
  void Add(schema::Ticket ticket, std::vector<std::string> candidates);

  // A rubric alone, for a reference that came another way. The config must ask for rubrics: kBug.
  void AddReference(schema::Ticket ticket, schema::Reference reference);

  // One step of the engine; what finished with it. Blocks for the computation only.
  std::vector<Finished> Step();

  bool idle() const { return running_.empty() && finished_.empty(); }

 private:
  struct Running {
    std::optional<SynthesisPlan> plan = {};                    // nothing when only a rubric is wanted
    schema::Reference reference = {};                          // once there is one to write a rubric for
    std::vector<base::Outcome<std::string>> generations = {};  // of this stage
    std::size_t missing = 0;
    std::uint32_t rubric_tries = 0;  // more than 0: a rubric is being written
  };
  struct Place {
    schema::Ticket ticket = 0;
    std::size_t part = 0;
  };

  Running& Insert(schema::Ticket ticket, Running running);
  void Submit(schema::Ticket ticket, Running& running);
  void Take(engine::GroupResult result);
  void SubmitRubric(schema::Ticket ticket, Running& running);
  void TakeRubric(schema::Ticket ticket, Running& running, const base::Outcome<std::string>& written);
  void Finish(schema::Ticket ticket, base::Outcome<schema::Reference> reference);

  engine::Engine& engine_;
  const text::Tokenizer& tokenizer_;
  const SynthesisConfig& config_;
  const std::int64_t context_;
  const std::uint64_t seed_;
  std::unordered_map<schema::Ticket, Running> running_;
  std::unordered_map<schema::Ticket, Place> places_;  // by the engine's ticket
  std::vector<Finished> finished_;
};

}  // namespace autodidact::estimators
