// The single checks of preflight.h. Each adds what it finds and throws nothing for bad input.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/rows.h"
#include "estimators/estimator.h"
#include "launch/config/run_config.h"
#include "launch/wiring/preflight.h"
#include "schema/types.h"
#include "text/tokenizer.h"

namespace autodidact::launch {

// Runs `check`; an Error(kBadInput) of it becomes an error, `what` in front where it is not empty.
void Try(Preflight& found, const std::string& what, const std::function<void()>& check);

// A few of many: "p1, p2, p3 and 7 more".
std::string Some(const std::vector<std::string>& names);

// The room for tokens: `context` of the model, of which a completion takes up to max_completion; `cache` of the engine.
struct Room {
  std::int64_t context = 0;
  std::int64_t cache = 0;
  std::int64_t max_completion = 0;
};
// Renders every prompt. Those that cannot be rendered are an error, as when none fits; those too long a warning with
// their number. Returns the longest in tokens.
std::int64_t CheckPrompts(const std::vector<data::Row>& rows, const std::string& file, const Room& room,
                          const std::function<std::vector<schema::TokenId>(const schema::Prompt&)>& render,
                          Preflight& found);

// That a step has as many prompts as groups; with fewer `rows` it takes some of them several times, a warning.
void CheckRepeats(const RunConfig& config, std::int64_t rows, Preflight& found);

// That each row has a label in which the extractor finds an answer; `required` makes what is missing an error.
void CheckLabels(const std::vector<data::Row>& rows, const std::string& file, answers::Extractor extractor,
                 bool required, Preflight& found);

// That the references of the rows (data.references) hold what the extractor finds.
void CheckReferences(const std::vector<data::Row>& rows, const std::string& file, answers::Extractor extractor,
                     Preflight& found);

// That the anchor's context holds its instruction, at least two candidates and the answer, and whether a whole group;
// in the rubric regime its reference and a rubric. `context` of the anchor in tokens, 0 for no limit.
void CheckAnchorRoom(const RunConfig& config, const estimators::SynthesisConfig& synthesis,
                     const text::Tokenizer& tokenizer, std::int64_t context, Preflight& found);

// That answer.verifier starts, answers, knows equal answers (`labels`: some of the data's) and refuses wrong ones.
void CheckVerifier(const programs::VerifierConfig& config, const std::vector<std::string>& labels, Preflight& found);

// That the endpoint's key is set and, with `ask`, that the endpoint answers a call in the form that it is asked for.
void CheckEndpoint(const RunConfig& config, bool ask, Preflight& found);

// That the judge's folder has a config, weights and a tokenizer, whose vocabulary has both choices.
void CheckJudgeModel(const JudgeConfig& config, const std::string& python, Preflight& found);

// That a small program can be run (comparator: code).
void CheckSandbox(const CodeConfig& config, Preflight& found);

// Keys that are each right and cannot work together, or not teach.
void CheckCombinations(const RunConfig& config, Preflight& found);

}  // namespace autodidact::launch
