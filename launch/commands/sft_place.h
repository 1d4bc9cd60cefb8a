// Where `sft` writes: OUTPUT, once all is done, and until then OUTPUT.partial.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "launch/commands/commands.h"
#include "launch/config/run_config.h"

namespace autodidact::launch {

// It is constructed before anything else, looks, and changes nothing before Open. One thread.
//
// In OUTPUT.partial lie checkpoints/ (learner/checkpoint.h), tokenizer/ of a model from nothing, candidates.jsonl that
// were sampled, and best/, the weights with the best held-out loss.
class SftPlace {
 public:
  // Error(kBadInput): OUTPUT holds something, which kOverwrite replaces only where `sft` wrote it, or is read by the
  // config; OUTPUT.partial holds a training with a checkpoint (kFresh), or something else. Error(kRetryLater): another
  // process holds it.
  SftPlace(const SftConfig& config, SftStart start);
  ~SftPlace();  // an OUTPUT.partial that it opened goes again where there is no checkpoint to go on from
  SftPlace(const SftPlace&) = delete;
  SftPlace& operator=(const SftPlace&) = delete;

  const std::filesystem::path& partial() const { return partial_; }
  // To go on from.
  const std::optional<std::filesystem::path>& checkpoint() const { return checkpoint_; }

  // Makes OUTPUT.partial, and empties it unless a checkpoint of it is gone on from. `config` goes into its sft.yaml, by
  // which it is known.
  void Open(const std::string& config);
  // Puts the folder `made` in the place of OUTPUT, and removes OUTPUT.partial.
  void Publish(const std::filesystem::path& made);

 private:
  void Lock();

  std::filesystem::path output_;
  std::filesystem::path partial_;
  std::optional<std::filesystem::path> checkpoint_;
  bool opened_ = false;
  int lock_ = -1;  // held by this process while it lives
};

}  // namespace autodidact::launch
