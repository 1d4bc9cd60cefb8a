#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "base/checksum.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/log.h"
#include "json/json.h"
#include "launch/commands/commands.h"
#include "launch/commands/sft_place.h"
#include "launch/commands/sft_sources.h"
#include "launch/wiring/progress.h"
#include "launch/wiring/wiring.h"
#include "learner/checkpoint.h"
#include "model/folder.h"
#include "sft/crossfit.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;

// What a training that goes on must share with the one that it was, by name: its config, and the checksums of what it
// reads.
using Facts = std::map<std::string, std::string>;

constexpr const char* kConfigFact = "config";

Facts FactsOf(const SftConfig& config) {
  Facts facts;
  SftConfig same = config;
  // These change neither what is learned nor when.
  same.output.clear();
  same.threads = same.save_steps = 0;
  facts[kConfigFact] = ToYaml(same);
  const auto add = [&](const std::string& key, const fs::path& file) {
    if (!file.empty()) facts[key] = base::Hex(base::ChecksumOfFile(file));
  };
  for (const SftSource& source : config.data) add("data: " + source.file, source.file);
  add("eval_data", config.eval_data);
  if (config.reconcile.enabled) add("reconcile.prompts", config.reconcile.prompts);
  if (config.model.empty()) return facts;
  for (const auto& entry : fs::directory_iterator(config.model)) {
    if (entry.is_regular_file()) add("model: " + entry.path().filename().string(), entry.path());
  }
  return facts;
}

// "learning_rate: 0.003 → 0.001": the first line in which they differ.
std::string FirstDifference(const std::string& then, const std::string& now) {
  std::istringstream old_lines(then);
  std::istringstream new_lines(now);
  for (std::string before, after; std::getline(old_lines, before) && std::getline(new_lines, after);) {
    if (before != after) return base::Format("{} → {}", before, after);
  }
  return "the number of keys";
}

void RequireSame(const fs::path& checkpoint, const std::map<std::string, std::string>& then, const Facts& now) {
  const auto refuse = [&](const std::string& what) {
    base::ThrowBadInput(
        base::Format("{}: this training is another one than that which was begun: {}; put it back, or "
                     "begin anew by --overwrite",
                     checkpoint.string(), what));
  };
  for (const auto& [key, fact] : now) {
    const auto found = then.find(key);
    const std::string before = found == then.end() ? "" : found->second;
    if (before == fact) continue;
    refuse(key == kConfigFact ? FirstDifference(before, fact) : key + " has other contents");
  }
}

// The best weights so far, by the held-out loss.
struct Best {
  double loss = std::numeric_limits<double>::infinity();
  std::int64_t step = 0;
  std::int64_t measured = 0;  // the last step that was measured after

  std::map<std::string, std::string> ToNotes() const {
    return {{"best_loss", base::Format("{:.17g}", loss)},
            {"best_step", std::to_string(step)},
            {"measured", std::to_string(measured)}};
  }
  static Best FromNotes(const std::map<std::string, std::string>& notes) {
    return {std::stod(notes.at("best_loss")), std::stoll(notes.at("best_step")), std::stoll(notes.at("measured"))};
  }
};

// One training, from its first step or a checkpoint to the folder that it writes.
class Sft {
 public:
  Sft(const SftConfig& config, SftPlace& place, process::Ending& ending)
      : config_(config),
        place_(place),
        ending_(ending),
        facts_(FactsOf(config)),
        tokenizer_folder_(config.model.empty() ? place.partial() / "tokenizer" : fs::path(config.model)) {}

  int Run() {
    SftMaterial material = ReadSftMaterial(config_);
    std::optional<learner::CheckpointState> state;
    if (place_.checkpoint()) {
      state = learner::ReadCheckpointState(*place_.checkpoint());
      RequireSame(*place_.checkpoint(), state->notes, facts_);
    }
    place_.Open(ToYaml(config_));
    Begin(material);
    std::vector<data::Pair> answered = SampleOrReadCandidates(material);
    if (!answered.empty()) material.sources.front().pairs = std::move(answered);
    for (std::size_t s = 0; s < material.sources.size(); ++s) {
      shares_.push_back({AddSource(std::move(material.sources[s])), SplitSftBatch(config_)[s]});
    }
    for (SftRows& rows : material.held_out) held_out_.push_back(AddSource(std::move(rows)));
    return Train(state);
  }

 private:
  // Tokenizer and weights: of the model, of the checkpoint, or new ones.
  void Begin(const SftMaterial& material) {
    if (config_.model.empty() && !place_.checkpoint()) {
      fs::create_directories(tokenizer_folder_);
      MakeSftTokenizer(config_, material, tokenizer_folder_);
    }
    tokenizer_ = std::make_unique<text::Tokenizer>(tokenizer_folder_);
    if (place_.checkpoint()) {
      weights_ = model::LoadModel(*place_.checkpoint() / "model", at::kFloat, at::kCPU);
    } else if (!config_.model.empty()) {
      weights_ = LoadModelFolder(config_.model, "cpu").weights;
    } else {
      const model::ModelConfig shape = MakeSftShape(config_, *tokenizer_);
      weights_ = std::make_shared<const model::WeightSet>(
          shape, model::InitialParameters(shape, static_cast<std::uint64_t>(config_.seed), config_.initializer_range),
          0);
    }
    if (weights_->config().eos_token_ids.empty())
      base::ThrowBadInput(tokenizer_folder_.string() + ": the model has no end-of-text token");
    eos_ = weights_->config().eos_token_ids.front();
    base::LogInfo("model of {} weights, vocabulary of {}", model::ParameterCount(weights_->config()),
                  weights_->config().vocab_size);
    const auto format = LoadChatTemplate(config_.prompt.chat, tokenizer_folder_);
    render_ = MakeRenderer(config_.prompt, format, *tokenizer_);
    anchor_prompt_ = config_.anchor.prompt;
    anchor_prompt_.format = format;
  }

  // Adds the skill of reconciling where it is asked for. Gives the pairs that the answering skill may learn then.
  std::vector<data::Pair> SampleOrReadCandidates(SftMaterial& material) {
    if (!config_.reconcile.enabled) return {};
    const fs::path file = place_.partial() / "candidates.jsonl";
    std::vector<data::Pair> pairs = std::move(material.sources.front().pairs);
    sft::Crossfit crossfit;
    if (place_.checkpoint()) {
      crossfit.rows = sft::ReadCandidateRows(file);
      crossfit.answered = sft::AnsweredPairs(std::move(pairs), CrossfitOfConfig());
    } else {
      crossfit = Sample(std::move(pairs), material.prompts);
      sft::WriteCandidateRows(crossfit.rows, file);
      if (config_.reconcile.continue_from_fold) weights_ = crossfit.first_model;
    }
    const auto per_batch = std::llround(static_cast<double>(config_.batch_size) * config_.reconcile.share);
    shares_.push_back({AddReconciling(std::move(crossfit.rows)), std::max<std::int64_t>(1, per_batch)});
    return std::move(crossfit.answered);
  }

  sft::CrossfitConfig CrossfitOfConfig() const {
    sft::CrossfitConfig crossfit = config_.reconcile.crossfit;
    crossfit.batch_size = config_.batch_size;
    crossfit.training = SupervisedOf(config_, config_.reconcile.fold_steps);
    crossfit.sampling = config_.rollout;
    return crossfit;
  }

  sft::Crossfit Sample(std::vector<data::Pair> pairs, const std::vector<schema::Prompt>& prompts) {
    std::unique_ptr<ProgressLine> line;
    const auto phase = [&](const std::string& what) {
      base::LogInfo("{}", what);
      line = std::make_unique<ProgressLine>("sft of a fold", config_.reconcile.fold_steps);
    };
    const auto on_step = [&](std::int64_t step, const std::vector<double>& losses) { Show(*line, step, losses); };
    const sft::CrossfitModel sampled{weights_, render_, *tokenizer_, eos_};
    if (prompts.empty()) return sft::SampleCandidates(std::move(pairs), sampled, CrossfitOfConfig(), phase, on_step);
    return sft::SampleConsensus(std::move(pairs), prompts, sampled, CrossfitOfConfig(), phase, on_step);
  }

  static void Show(ProgressLine& line, std::int64_t step, const std::vector<double>& losses) {
    std::string details = "loss";
    for (const double loss : losses) details += base::Format(" {:.3f}", loss);
    line.Show(step, details);
  }

  const sft::ExampleSource* AddReconciling(std::vector<sft::CandidateRow> rows) {
    examples_.push_back(std::make_unique<sft::ReconcileSource>(std::move(rows), config_.reconcile.rules, anchor_prompt_,
                                                               *tokenizer_, eos_));
    return examples_.back().get();
  }

  const sft::ExampleSource* AddSource(SftRows rows) {
    if (rows.pairs.empty()) return AddReconciling(std::move(rows.candidates));
    examples_.push_back(std::make_unique<sft::PairSource>(std::move(rows.pairs), render_, *tokenizer_, eos_));
    return examples_.back().get();
  }

  int Train(const std::optional<learner::CheckpointState>& state) {
    learner::FlatParameters parameters(*weights_);
    sft::SupervisedTrainer trainer(parameters, shares_, SupervisedOf(config_, config_.max_steps));
    if (state) {
      learner::RestoreCheckpoint(*place_.checkpoint(), *state, parameters, trainer.optimizer());
      trainer.GoOnAfter(state->step);
      best_ = Best::FromNotes(state->notes);
      base::LogInfo("goes on after step {}", state->step);
    } else if (config_.reconcile.enabled && config_.save_steps > 0) {
      Save(parameters, trainer);  // the sampling of candidates need not be done again
    }
    const process::Ending::Saving saving(
        ending_, base::Format("stopping; the steps that are done are saved in {}", place_.partial().string()));
    ProgressLine line("sft", config_.max_steps, trainer.steps_done());
    Measure(parameters, trainer.steps_done());
    while (trainer.steps_done() < config_.max_steps) {
      if (ending_.stop().stop_requested()) {
        Save(parameters, trainer);
        base::LogWarning("stopped after step {}; --resume goes on", trainer.steps_done());
        return process::ExitCodeAfter(*ending_.requested());
      }
      const std::vector<double> losses = trainer.Step();
      Show(line, trainer.steps_done(), losses);
      Measure(parameters, trainer.steps_done());
      if (config_.save_steps > 0 && trainer.steps_done() % config_.save_steps == 0) Save(parameters, trainer);
    }
    Publish(*parameters.Snapshot(0));
    return process::kExitDone;
  }

  // The held-out loss, where it is due after this step and was not measured yet.
  void Measure(const learner::FlatParameters& parameters, std::int64_t step) {
    const bool due = step > 0 && (step % config_.eval_steps == 0 || step == config_.max_steps);
    if (held_out_.empty() || !due || best_.measured == step) return;
    double loss = 0;
    try {
      loss = sft::HeldOutLoss(parameters, held_out_, config_.batch_size, [&] {
        if (step < config_.max_steps && ending_.stop().stop_requested()) throw Stopped();
      });
    } catch (const Stopped&) {
      return;  // it is due again when the training goes on
    }
    base::LogInfo("step {}: held-out loss {:.4f}", step, loss);
    best_.measured = step;
    if (!(loss < best_.loss)) return;
    best_.loss = loss;
    best_.step = step;
    const fs::path writing = place_.partial() / "best.writing";
    fs::remove_all(writing);
    model::SaveModel(*parameters.Snapshot(0), at::kFloat, writing, tokenizer_folder_);
    fs::remove_all(place_.partial() / "best");
    base::FaultPoint("sft.best");
    fs::rename(writing, place_.partial() / "best");
  }

  void Save(const learner::FlatParameters& parameters, sft::SupervisedTrainer& trainer) {
    if (trainer.steps_done() == saved_step_) return;
    learner::CheckpointState state{.step = trainer.steps_done(),
                                   .version = 0,
                                   .optimizer_steps = trainer.optimizer().steps(),
                                   .run = {},
                                   .notes = best_.ToNotes()};
    state.notes.insert(facts_.begin(), facts_.end());
    const learner::CheckpointPlace place{
        .root = place_.partial() / "checkpoints", .tokenizer_from = tokenizer_folder_, .keep = 1};
    learner::WriteCheckpoint(place, state, parameters, trainer.optimizer());
    saved_step_ = trainer.steps_done();
  }

  // The best weights, or the last ones where nothing was measured, under the output's name.
  void Publish(const model::WeightSet& last) {
    const fs::path made = place_.partial() / "made";
    fs::remove_all(made);
    if (held_out_.empty() || best_.step == config_.max_steps) {
      model::SaveModel(last, at::kFloat, made, tokenizer_folder_);
    } else {
      fs::copy(place_.partial() / "best", made, fs::copy_options::recursive);
      model::SaveModel(last, at::kFloat, made / "last", tokenizer_folder_);
    }
    const fs::path candidates = place_.partial() / "candidates.jsonl";
    if (config_.reconcile.enabled) fs::copy_file(candidates, made / candidates.filename());
    json::WriteFile(made / "sft.yaml", ToYaml(config_));
    place_.Publish(made);
    if (held_out_.empty()) {
      base::LogInfo("model written to {}", config_.output);
    } else {
      base::LogInfo("model written to {}: the best held-out loss, {:.4f}, of step {}", config_.output, best_.loss,
                    best_.step);
    }
  }

  struct Stopped {};

  const SftConfig& config_;
  SftPlace& place_;
  process::Ending& ending_;
  const Facts facts_;
  const fs::path tokenizer_folder_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  model::SharedWeights weights_;  // what it begins with
  schema::TokenId eos_ = 0;
  sft::RenderPrompt render_;
  estimators::SynthesisPrompt anchor_prompt_;
  std::vector<std::unique_ptr<sft::ExampleSource>> examples_;
  std::vector<sft::Share> shares_;
  std::vector<const sft::ExampleSource*> held_out_;
  Best best_;
  std::int64_t saved_step_ = -1;
};

}  // namespace

int RunSft(const SftConfig& config, SftStart start, process::Ending& ending) {
  UseThreads(config.threads);
  SftPlace place(config, start);
  try {
    return Sft(config, place, ending).Run();
  } catch (const fs::filesystem_error& error) {
    throw base::Error(base::ErrorKind::kRetryLater, base::Format("output: {}", error.what()));
  }
}

}  // namespace autodidact::launch
