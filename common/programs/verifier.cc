#include "programs/verifier.h"

#include <utility>

#include "base/format.h"
#include "json/strict.h"
#include "programs/last_line.h"

namespace autodidact::programs {
namespace {

constexpr std::size_t kMaxLine = std::size_t{1} << 20;
constexpr std::size_t kShown = 200;  // bytes of its standard error, in an error

std::string Last(const std::string& text, std::size_t bytes) {
  return text.size() <= bytes ? text : "…" + text.substr(text.size() - bytes);
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return Last(text, kShown);
}

}  // namespace

Verifier::Verifier(VerifierConfig config) : config_(std::move(config)) {
  if (config_.command.empty()) base::ThrowBadInput("verifier: no program was named");
}

Verifier::~Verifier() = default;

std::uint64_t Verifier::starts() const {
  const std::lock_guard lock(mutex_);
  return starts_;
}

base::Outcome<bool> Verifier::GiveUp(const std::string& reason, base::ErrorKind kind) {
  std::string text = "verifier " + Joined(config_.command) + ": " + reason;
  if (const std::string said = LastLine(child_->errors()); !said.empty()) {
    text += " (its standard error: " + Last(said, kShown) + ")";
  }
  child_.reset();
  return base::Failure{kind, std::move(text)};
}

base::Outcome<bool> Verifier::Ask(const std::string& line) {
  if (!child_) {
    process::ChildOptions options;
    options.what = "verifier";
    options.argv = config_.command;
    options.environment = process::EnvironmentWithoutMpi();
    options.output = process::ChildOptions::Output::kCapture;
    options.capture_limit = kMaxLine;
    options.feed = true;
    options.grace = base::Milliseconds(0);
    ++starts_;
    child_ = std::make_unique<process::Child>(std::move(options));
  }
  // Every further answer would be taken for that of the next question.
  if (const std::string unasked = child_->output(); !unasked.empty()) {
    return GiveUp("wrote more than one line for a question: " + json::Describe(json::Json(LastLine(unasked))),
                  base::ErrorKind::kBadInput);
  }
  child_->Write(line);
  const auto reply = child_->ReadLine(base::Deadline::In(config_.timeout));
  const bool flooded = child_->truncated();
  if (!reply || flooded) {
    if (flooded) return GiveUp(base::Format("wrote more than {} bytes", kMaxLine));
    if (const auto status = child_->Wait(base::Deadline::In(base::Milliseconds(0)))) {
      return GiveUp("ended without an answer: " + status->Describe());
    }
    return GiveUp(base::Format("no answer within {} ms", config_.timeout.count()));
  }
  try {
    const json::Json said = json::ParseStrict(*reply, "its answer");
    if (said.is_object() && said.contains("equal") && said["equal"].is_boolean()) return said["equal"].get<bool>();
    return GiveUp("got " + json::Describe(said) + ", expected an object with \"equal\": true or false");
  } catch (const base::Error& error) {
    return GiveUp(error.message());
  }
}

base::Outcome<bool> Verifier::Equal(std::string_view gold, std::string_view answer) {
  const std::lock_guard lock(mutex_);
  const std::string line = json::Dump({{"gold", std::string(gold)}, {"answer", std::string(answer)}}) + "\n";
  try {
    // One that ended between two comparisons is started anew before it is asked.
    if (child_ && child_->Wait(base::Deadline::In(base::Milliseconds(0)))) child_.reset();
    return Ask(line);
  } catch (const base::Error& error) {
    child_.reset();
    return base::Failure{base::ErrorKind::kRetryLater, error.message()};
  }
}

}  // namespace autodidact::programs
