// From a run's config to its components, and the pieces that several commands share.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "data/rows.h"
#include "engine/engine.h"
#include "estimators/estimator.h"
#include "estimators/selection.h"
#include "launch/config/run_config.h"
#include "learner/learner.h"
#include "model/weight_set.h"
#include "schema/types.h"
#include "text/chat.h"
#include "text/tokenizer.h"

namespace autodidact::launch {

// The components' configs that take something from several sections.
estimators::SynthesisConfig SynthesisOf(const RunConfig& config, const text::ChatTemplate& format);
estimators::SelectionConfig SelectionOf(const RunConfig& config, const text::ChatTemplate& format);
learner::TrainerConfig TrainerOf(const RunConfig& config);
// A prompt without its template, which the model's folder decides.
estimators::QuestionFormat QuestionOf(const PromptConfig& config, const text::ChatTemplate& format);

// The template of a choice, for the model in a folder. Says in the log how it is rendered, once a process.
text::ChatTemplate LoadChatTemplate(const text::ChatChoice& choice, const std::filesystem::path& model);

// Of a judge that is a model folder; `python` as in ChatChoice.
text::ChatTemplate LoadJudgeTemplate(const JudgeConfig& judge, const std::string& python);

at::ScalarType ScalarTypeOf(Dtype dtype);

// A model folder with all that is needed to talk to it. Error(kBadInput) when the tokenizer has ids that the model's
// vocabulary has not.
struct LoadedModel {
  model::SharedWeights weights;
  std::unique_ptr<text::Tokenizer> tokenizer;
};
LoadedModel LoadModelFolder(const std::string& folder, const std::string& device, at::ScalarType type = at::kFloat);
std::unique_ptr<text::Tokenizer> LoadTokenizer(const std::string& folder, const model::ModelConfig& config);

// Prompts to token ids by the config's template and chat format. The tokenizer must outlive the function.
std::function<std::vector<schema::TokenId>(const schema::Prompt&)> MakeRenderer(const PromptConfig& config,
                                                                                const text::ChatTemplate& format,
                                                                                const text::Tokenizer& tokenizer);

// What is asked for a reference of each group; none where the references were made before the run.
std::optional<estimators::EstimatorKind> EstimatorInTraining(const RunConfig& config);

// The same where it is a selection, which the actors make by the initial weights.
std::optional<estimators::EstimatorKind> SelectionInTraining(const RunConfig& config);

// The training rows, labels and references joined where there are files of them; a row whose reference failed is left
// out. Error(kBadInput) also for an estimator that needs labels which are not there.
std::vector<data::Row> ReadTrainingRows(const RunConfig& config);

// At most `limit` rows (0: all), spread evenly over the file, which may be sorted.
std::vector<data::Row> SpreadRows(std::vector<data::Row> rows, std::int64_t limit);

// Files and folders that the config names for reading, by key.
std::vector<std::pair<std::string, std::filesystem::path>> FilesRead(const RunConfig& config);

// Sets the calling thread's intra-op threads; 0: all cores.
void UseThreads(std::int64_t threads);

// Throws Error(kRetryLater) once a stop is requested.
void ThrowIfStopped(const std::stop_token& stop);

}  // namespace autodidact::launch
