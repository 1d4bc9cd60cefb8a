#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "judge_service/model_backend.h"
#include "launch/config/visitor.h"
#include "launch/wiring/code.h"
#include "launch/wiring/judge.h"
#include "launch/wiring/preflight_checks.h"
#include "launch/wiring/wiring.h"
#include "model/config.h"
#include "process/sandbox.h"
#include "programs/verifier.h"
#include "text/substitute.h"

namespace autodidact::launch {
namespace {

constexpr std::chrono::seconds kLongestProbe{60};  // of an endpoint, unless one call of it may take longer
constexpr auto kLookAtProbe = std::chrono::milliseconds(100);
constexpr double kUnmovedWeights = 1e-10;  // a step of this size is lost in the rounding of most fp32 weights

struct Probe {
  std::string gold;
  std::string answer;
};

// How many of the probes the verifier calls equal, of those that it answers at all.
struct Tally {
  std::size_t equal = 0;
  std::size_t answered = 0;
  std::string failure;  // the first
  bool broken = false;  // it does not keep to the protocol, however many answers it gave
};

Tally Ask(programs::Verifier& verifier, const std::vector<Probe>& probes) {
  Tally tally;
  for (const Probe& probe : probes) {
    const auto equal = verifier.Equal(probe.gold, probe.answer);
    if (equal.ok()) {
      ++tally.answered;
      tally.equal += *equal;
    } else {
      if (tally.failure.empty()) tally.failure = equal.failure().reason;
      tally.broken = tally.broken || equal.failure().kind == base::ErrorKind::kBadInput;
      if (tally.answered == 0) return tally;  // each further one could take as long
    }
  }
  return tally;
}

// A response that meets the first item or equals the reference, and one that does not.
schema::JudgeRequest ProbeRequest(bool by_rubric) {
  schema::JudgeRequest request;
  if (by_rubric) {
    request.target = schema::Rubric{
        {{"The response says that two and two make four.", 1}, {"The response is a sonnet of fourteen lines.", 1}}};
    request.responses = {"Two and two make four."};
    request.lengths = {6};
  } else {
    request.target = schema::WholeText{"Two and two make four."};
    request.responses = {"Two and two make four.", "Two and two make nine."};
    request.lengths = {6, 6};
  }
  return request;
}

std::optional<schema::JudgeReply> AskWithin(judge_service::ModelJudge& judge, schema::JudgeRequest request,
                                            base::Deadline deadline) {
  std::optional<schema::JudgeReply> reply;
  judge.Add(std::move(request), [&reply](schema::JudgeReply done) { reply = std::move(done); });
  while (!reply && !deadline.Passed()) judge.Step(base::Deadline::In(kLookAtProbe).Min(deadline));
  return reply;
}

void JudgeProbe(const RunConfig& config, const schema::JudgeReply& reply, Preflight& found) {
  std::size_t invalid = 0, met = 0;
  std::string reason;
  for (const schema::Verdict& verdict : reply.verdicts) {
    met += verdict.kind == schema::VerdictKind::kMet;
    if (verdict.kind != schema::VerdictKind::kInvalid) continue;
    ++invalid;
    reason = verdict.reason;
  }
  const judge_service::EndpointConfig& keys = config.judge.endpoint;
  if (invalid == reply.verdicts.size()) {
    found.errors.push_back(base::Format("judge.endpoint.base_url: {} (model {}) gave no verdict on a probe: {}",
                                        keys.base_url, keys.talk.model, reason));
  } else if (invalid > 0) {
    found.warnings.push_back(base::Format("judge.endpoint.model: {} gave a valid verdict on {} of {} probes only: {}",
                                          keys.talk.model, reply.verdicts.size() - invalid, reply.verdicts.size(),
                                          reason));
  } else if (met == 0 || met == reply.verdicts.size()) {
    found.warnings.push_back(
        base::Format("judge.endpoint.model: {} says {} to what is true of a probe and to what is not; a judge that "
                     "makes no difference "
                     "teaches nothing (judge.system)",
                     keys.talk.model, met == 0 ? "no" : "yes"));
  }
}

std::vector<schema::TokenId> ChoiceIds(const char* key, const std::string& word, const text::Tokenizer& tokenizer,
                                       Preflight& found) {
  std::vector<schema::TokenId> ids;
  Try(found, key, [&] {
    ids = tokenizer.Encode(word, /*add_special_tokens=*/false);
    if (ids.empty()) base::ThrowBadInput(base::Format("got \"{}\", which has no tokens, expected a word", word));
  });
  return ids;
}

}  // namespace

void CheckVerifier(const programs::VerifierConfig& config, const std::vector<std::string>& labels, Preflight& found) {
  programs::Verifier verifier(config);
  std::vector<Probe> same;
  for (const std::string& label : labels) same.push_back({label, label});
  same.insert(same.end(), {{"42", "42"}, {"x", "x"}});
  const Tally equal = Ask(verifier, same);
  if (equal.answered == 0) {
    found.errors.push_back(
        base::Format("answer.verifier: {}; expected a program that reads a line {{\"gold\": …, "
                     "\"answer\": …}} and writes a line {{\"equal\": true}} or {{\"equal\": false}}",
                     equal.failure));
    return;
  }
  const Tally different = Ask(verifier, {{"42", "17"}, {"x", "a wrong answer"}});
  if (different.answered > 0 && different.equal == different.answered) {
    found.errors.push_back(
        base::Format("answer.verifier: {} says that 17 is equal to 42; one that says yes to everything teaches nothing",
                     config.command.front()));
  }
  if (equal.equal == 0) {
    const std::string text = base::Format(
        "answer.verifier: {} says that \"{}\" is not equal to itself; one that says no to everything teaches nothing",
        config.command.front(), same.front().gold);
    (labels.empty() ? found.warnings : found.errors).push_back(text);
  }
  const std::string& failure = equal.failure.empty() ? different.failure : equal.failure;
  if (equal.broken || different.broken) {
    found.errors.push_back("answer.verifier: " + failure + "; expected one line for each question");
  } else if (!failure.empty()) {
    found.warnings.push_back("answer.verifier: one of the probes had no answer: " + failure);
  }
}

void CheckEndpoint(const RunConfig& config, bool ask, Preflight& found) {
  Try(found, "", [&] {
    const Judge judge = MakeJudge(config);
    if (!ask) return;
    const auto longest = std::max<base::Milliseconds>(kLongestProbe, config.judge.endpoint.timeout);
    const auto reply =
        AskWithin(*judge.model_judge, ProbeRequest(config.judge.by_rubric()), base::Deadline::In(longest));
    if (reply) return JudgeProbe(config, *reply, found);
    found.errors.push_back(base::Format("judge.endpoint.base_url: {} did not answer a probe within {} s",
                                        config.judge.endpoint.base_url, longest.count() / 1000));
  });
}

void CheckJudgeModel(const JudgeConfig& config, const std::string& python, Preflight& found) {
  const std::filesystem::path folder(config.model.folder);
  Try(found, "judge.model.folder", [&] {
    const auto tokenizer = LoadTokenizer(config.model.folder, model::ReadModelConfig(folder));
    if (!std::filesystem::exists(folder / "model.safetensors") &&
        !std::filesystem::exists(folder / "model.safetensors.index.json")) {
      base::ThrowBadInput(folder.string() + " holds neither model.safetensors nor model.safetensors.index.json");
    }
    const auto yes = ChoiceIds("judge.model.yes", config.model.yes, *tokenizer, found);
    const auto no = ChoiceIds("judge.model.no", config.model.no, *tokenizer, found);
    if (!yes.empty() && yes == no) {
      found.errors.push_back(base::Format("judge.model.no: \"{}\" and judge.model.yes \"{}\" are the same tokens",
                                          config.model.no, config.model.yes));
    }
    const text::ChatTemplate format = LoadJudgeTemplate(config, python);
    const std::string instruction = InstructionOf(config);
    text::Chat chat;
    if (!config.system.empty()) chat.turns.emplace_back("system", text::MarkedText{config.system});
    chat.turns.emplace_back(
        "user", text::SubstituteMarked(instruction, {{"{response}", {}}, {"{criterion}", {}}, {"{reference}", {}}}));
    Try(found, "judge.instruction", [&] { format.Encode(chat, *tokenizer); });
  });
}

void CheckSandbox(const CodeConfig& config, Preflight& found) {
  Try(found, "", [&] {
    const programs::CodeConfig& run = CodeJudgeOf(config).run;
    const process::SandboxResult result = process::RunInSandbox(
        {.what = "a probe program", .argv = {run.python, "-c", "print(6 * 7)"}, .input = {}, .limits = run.limits});
    if (result.end == process::SandboxEnd::kExited && result.status.ok() && result.output == "42\n") return;
    const std::string what =
        result.end == process::SandboxEnd::kExited
            ? base::Format("{}; it wrote \"{}\"", result.status.Describe(), result.errors.substr(0, 200))
            : result.reason;
    base::ThrowBadInput(base::Format(
        "answer.code.python: {} did not run a program of one line in the sandbox: {} (answer.code.memory: {} MiB, "
        "answer.code.timeout: {} s)",
        run.python, what, run.limits.memory >> 20, InSeconds(run.limits.wall)));
  });
}

void CheckCombinations(const RunConfig& config, Preflight& found) {
  const auto estimator = EstimatorInTraining(config);
  if (config.answer.programs() && estimator && estimators::IsSelection(*estimator)) {
    found.errors.push_back(
        base::Format("estimator: got {}, expected synthesis or ground_truth: programs "
                     "(answer.comparator: code) are not selected",
                     base::NameIn(config.estimator)));
  }
  if (!config.judge.by_program() && !config.answer.verifier.command.empty()) {
    found.warnings.push_back(
        base::Format("answer.verifier: it is not asked, since judge.kind is {}", base::NameIn(config.judge.kind())));
  }
  const engine::SamplingParams& rollout = config.rollout;
  const bool greedy = rollout.top_k == 1 || rollout.top_p == 0 || rollout.min_p == 1;
  if (greedy) {
    const char* key = rollout.top_k == 1 ? "top_k" : rollout.top_p == 0 ? "top_p" : "min_p";
    found.errors.push_back(
        base::Format("rollout.{}: got {}, which leaves one token to draw: the rollouts of a group "
                     "would be equal, and teach nothing",
                     key, key == std::string("top_p") ? 0 : 1));
  }
  if (config.train.trainer.optimizer.learning_rate == 0) {
    found.errors.push_back(
        "train.learning_rate: got 0, expected more: the weights would not move (`eval` measures "
        "without training)");
  } else if (config.train.trainer.optimizer.learning_rate < kUnmovedWeights) {
    found.warnings.push_back(
        base::Format("train.learning_rate: got {}: most weights are too large to be moved by so "
                     "little",
                     config.train.trainer.optimizer.learning_rate));
  }
}

}  // namespace autodidact::launch
