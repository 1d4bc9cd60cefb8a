#include "launch/wiring/preflight.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "data/row_rubric.h"
#include "launch/wiring/code.h"
#include "launch/wiring/judge.h"
#include "launch/wiring/memory_plan.h"
#include "launch/wiring/preflight_checks.h"
#include "launch/wiring/wiring.h"
#include "model/config.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLabelsToProbe = 3;

bool HasWeights(const fs::path& folder) {
  return fs::exists(folder / "model.safetensors") || fs::exists(folder / "model.safetensors.index.json");
}

// Which data files are there, where they need not be. A file that is not is named, and not read.
class Files {
 public:
  Files(bool required, Preflight& found) : required_(required), found_(found) {}

  bool Has(const char* key, const std::string& file) {
    if (required_ || file.empty() || fs::exists(file)) return true;
    found_.warnings.push_back(base::Format("{}: there is no file {}; what it holds is not checked", key, file));
    return false;
  }

 private:
  bool required_;
  Preflight& found_;
};

bool ComparesAnswers(const RunConfig& config) {
  return config.judge.by_program() && !config.answer.programs();
}

// As a verifier gets them.
std::vector<std::string> SomeLabels(const RunConfig& config, const RunData& data) {
  const answers::Extractor extractor = config.answer.rule().extractor;
  std::vector<std::string> labels;
  for (const auto* rows : {&data.eval_rows, &data.rows}) {
    for (const data::Row& row : *rows) {
      if (labels.size() >= kLabelsToProbe) return labels;
      const auto found = answers::ReferenceAnswers(extractor, answers::LabelText(extractor, row.answers));
      if (!found.empty()) labels.push_back(found.front());
    }
  }
  return labels;
}

void CheckCodeColumns(const RunConfig& config, const std::vector<data::Row>& rows) {
  for (const data::Row& row : rows) {
    TestsOf(config.answer.code, row);
    InputsOf(config.answer.code, row.prompt);
  }
}

void ReadData(const RunConfig& config, bool required, RunData& data, Preflight& found) {
  Files files(required, found);
  const bool train = files.Has("data.train", config.data.train);
  const bool labels = files.Has("data.labels", config.data.labels);
  const bool references = files.Has("data.references", config.data.references);
  if (train && labels && references) Try(found, "", [&] { data.rows = ReadTrainingRows(config); });
  if (!config.eval.data.empty() && config.eval.steps > 0 && files.Has("eval.data", config.eval.data)) {
    Try(found, "",
        [&] { data.eval_rows = SpreadRows(data::ReadRows(config.eval.data, config.data.columns), config.eval.limit); });
  }
}

void CheckAnswersOf(const RunConfig& config, const RunData& data, Preflight& found) {
  if (config.answer.programs()) {
    Try(found, config.data.train, [&] { CheckCodeColumns(config, data.rows); });
    Try(found, "", [&] { CheckTests(config, data.eval_rows, config.eval.data); });
    return;
  }
  if (!data.eval_rows.empty() && !config.answer.verifier.command.empty() && config.judge.by_program()) {
    found.warnings.push_back(
        base::Format("eval.data: the evaluations compare by answer.comparator ({}), not by answer.verifier",
                     base::NameIn(config.answer.comparator)));
  }
  if (!ComparesAnswers(config)) return;
  const auto extractor = config.answer.rule().extractor;
  const auto estimator = EstimatorInTraining(config);
  const std::string& labels = config.data.labels.empty() ? config.data.train : config.data.labels;
  CheckLabels(data.rows, labels, extractor, estimator && estimators::ReadsOf(*estimator).label, found);
  CheckLabels(data.eval_rows, config.eval.data, extractor, true, found);
  if (!config.data.references.empty()) CheckReferences(data.rows, config.data.references, extractor, found);
}

Room RoomOf(const RunConfig& config, const model::ModelConfig& model) {
  return {.context = model.max_position_embeddings,
          .cache = config.engine.cache_tokens,
          .max_completion = config.rollout.max_new_tokens};
}

// What needs a tokenizer.
void CheckLengths(const RunConfig& config, const std::string& folder, bool anchor, RunData& data, Preflight& found) {
  Try(found, "", [&] {
    const model::ModelConfig model = model::ReadModelConfig(folder);
    const auto tokenizer = LoadTokenizer(folder, model);
    const text::ChatTemplate format = LoadChatTemplate(config.prompt.chat, config.model);
    const auto render = MakeRenderer(config.prompt, format, *tokenizer);
    const Room room = RoomOf(config, model);
    data.longest_prompt = CheckPrompts(data.rows, config.data.train, room, render, found);
    CheckPrompts(data.eval_rows, config.eval.data, room, render, found);
    if (const auto selection = SelectionInTraining(config)) {
      Try(found, "select", [&] {
        estimators::CheckSelection(*selection, SelectionOf(config, format), *tokenizer,
                                   static_cast<std::size_t>(config.train.num_generations));
      });
    }
    if (!anchor) return;
    const auto synthesis = SynthesisOf(config, format);
    CheckAnchorRoom(
        config, synthesis, *tokenizer,
        estimators::SynthesisContext(synthesis, model::ReadModelConfig(config.model).max_position_embeddings), found);
  });
}

void CheckJudges(const RunConfig& config, const std::vector<std::string>& labels, bool ask_endpoint, Preflight& found) {
  if (config.judge.by_program()) {
    if (config.answer.programs()) {
      CheckSandbox(config.answer.code, found);
    } else if (!config.answer.verifier.command.empty()) {
      CheckVerifier(config.answer.verifier, labels, found);
    }
  } else {
    BackendFactsOf(config.judge.backend).check(config, ask_endpoint, found);
  }
}

void CheckMemory(const RunConfig& config, const Placement& placement, const RunData& data, Preflight& found) {
  Try(found, "", [&] {
    const MemoryPlan plan =
        PlanMemory(config, model::ReadModelConfig(config.model), placement.roles, data.longest_prompt);
    for (std::string& place : WhatDoesNotFit(plan, placement.one_machine)) found.errors.push_back(std::move(place));
  });
}

// `placement`: null where the plan is shown instead of checked.
RunData CheckAll(const RunConfig& config, bool required, bool ask_endpoint, const Placement* placement) {
  Preflight found;
  RunData data;
  CheckCombinations(config, found);
  ReadData(config, required, data, found);
  CheckAnswersOf(config, data, found);
  CheckRepeats(config, std::ssize(data.rows), found);
  if (required || fs::exists(fs::path(config.model) / "tokenizer.json")) {
    CheckLengths(config, config.model, EstimatorInTraining(config) == estimators::EstimatorKind::kSynthesis, data,
                 found);
  }
  if (placement != nullptr) {
    CheckMemory(config, *placement, data, found);
  }
  const bool elsewhere = !required && !HasWeights(config.model);
  if (!elsewhere) CheckJudges(config, SomeLabels(config, data), ask_endpoint, found);
  found.Report();
  return data;
}

}  // namespace

void Preflight::Report() const {
  for (const std::string& note : notes) base::LogInfo("{}", note);
  for (const std::string& warning : warnings) base::LogWarning("{}", warning);
  if (errors.empty()) return;
  if (errors.size() == 1) base::ThrowBadInput(errors.front());
  std::string all = base::Format("{} problems:", errors.size());
  for (const std::string& error : errors) all += "\n  " + error;
  base::ThrowBadInput(all);
}

RunData CheckBeforeRun(const RunConfig& config, const Placement& placement) {
  return CheckAll(config, /*required=*/true, /*ask_endpoint=*/true, &placement);
}

RunData CheckForDryRun(const RunConfig& config, bool ask_endpoint) {
  return CheckAll(config, HasWeights(config.model), ask_endpoint, nullptr);
}

void CheckBeforeRows(const RunConfig& config, const std::string& model, const RowsToCheck& rows) {
  Preflight found;
  RunConfig named = config;  // as messages are to name the file
  named.data.train = rows.file;
  RunData data{.rows = rows.rows, .eval_rows = {}};
  if (rows.labels) Try(found, "", [&] { CheckTests(config, rows.rows, rows.file); });
  if (rows.labels && ComparesAnswers(config)) {
    CheckLabels(rows.rows, rows.file, config.answer.rule().extractor, true, found);
  }
  CheckLengths(named, model.empty() ? config.model : model, rows.anchor, data, found);
  // A verifier is asked during training alone.
  if (!config.judge.by_program() || config.answer.programs()) CheckJudges(config, {}, true, found);
  found.Report();
}

}  // namespace autodidact::launch
