#include "schema/validate.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "base/format.h"

namespace autodidact::schema {
namespace {

// Beyond what any run has; they bound the work that one message can ask for.
constexpr std::size_t kMaxCandidates = 4096;
constexpr std::size_t kMaxCriteria = 4096;
constexpr std::size_t kMaxServices = 1024;
constexpr std::uint32_t kMaxLeases = 1 << 20;
constexpr std::uint32_t kMaxStages = 1000;
// The upper half numbers the parts of a synthesis.
constexpr Ticket kMaxTicket = (Ticket{1} << 62) - 1;
constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxLine = 1024;
constexpr std::uint32_t kMaxLength = 1U << 30;  // tokens
// A log-probability is rounded: the likeliest token of all may stand above 0 by this.
constexpr float kAboveZero = 1e-3F;

Refused Because(Refusal why, std::string text) {
  return {why, std::move(text)};
}

// On one line, in a log too.
bool IsOneLine(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// Foreign words in a text that goes into a log: short, and on its line.
std::string Shown(std::string_view text) {
  std::string shown(text.substr(0, kMaxName));
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return shown;
}

Checked CheckTicket(Ticket ticket) {
  if (ticket <= kMaxTicket) return std::nullopt;
  return Because(Refusal::kLease, base::Format("ticket {}: expected at most {}", ticket, kMaxTicket));
}

Checked CheckName(std::string_view name, RoleKind kind) {
  const std::string prefix = std::string(Name(kind)) + "-";
  const bool good = name.size() > prefix.size() && name.size() <= kMaxName && name.starts_with(prefix) &&
                    name.find_first_not_of("0123456789", prefix.size()) == std::string_view::npos;
  if (good) return std::nullopt;
  return Because(Refusal::kSender, base::Format("got a sender named \"{}\", expected {}N", Shown(name), prefix));
}

Checked CheckLogprobs(const std::vector<float>& logprobs, std::size_t r, std::string_view what) {
  const auto bad = std::find_if(logprobs.begin(), logprobs.end(),
                                [](float value) { return !std::isfinite(value) || value > kAboveZero; });
  if (bad == logprobs.end()) return std::nullopt;
  return Because(Refusal::kNumbers, base::Format("rollout {}: the {} of token {} is {}, expected at most 0", r, what,
                                                 bad - logprobs.begin(), *bad));
}

Checked CheckIds(const std::vector<TokenId>& ids, std::int64_t vocab_size, const std::string& where) {
  const auto bad = std::find_if(ids.begin(), ids.end(), [&](TokenId id) { return id < 0 || id >= vocab_size; });
  if (bad == ids.end()) return std::nullopt;
  return Because(Refusal::kTokens, base::Format("{}: token {} is {}, expected one of a vocabulary of {}", where,
                                                bad - ids.begin(), *bad, vocab_size));
}

Checked CheckRollout(const Rollout& rollout, std::size_t r, const GroupRules& rules, WeightVersion newest) {
  const std::size_t size = rollout.ids.size();
  if (rollout.logprobs.size() != size || rollout.sampled_logprobs.size() != size) {
    return Because(Refusal::kSizes, base::Format("rollout {}: {} tokens with {} and {} log-probabilities", r, size,
                                                 rollout.logprobs.size(), rollout.sampled_logprobs.size()));
  }
  if (std::ssize(rollout.ids) > rules.max_completion) {
    return Because(Refusal::kSizes,
                   base::Format("rollout {}: {} tokens, expected at most {}", r, size, rules.max_completion));
  }
  if (auto refused = CheckIds(rollout.ids, rules.vocab_size, base::Format("rollout {}", r))) return refused;
  if (auto refused = CheckLogprobs(rollout.logprobs, r, "log-probability")) return refused;
  if (auto refused = CheckLogprobs(rollout.sampled_logprobs, r, "sampled log-probability")) return refused;
  if (rollout.first_version <= rollout.last_version && rollout.last_version <= newest) return std::nullopt;
  return Because(Refusal::kVersion, base::Format("rollout {}: made by versions {} to {}, while {} is the newest", r,
                                                 rollout.first_version, rollout.last_version, newest));
}

Checked CheckCriteria(const std::vector<Criterion>& criteria) {
  if (criteria.size() > kMaxCriteria) {
    return Because(Refusal::kSizes, base::Format("a rubric of {} criteria", criteria.size()));
  }
  for (const Criterion& criterion : criteria) {
    if (!std::isfinite(criterion.points)) {
      return Because(Refusal::kNumbers, base::Format("a criterion of {} points", criterion.points));
    }
    if (criterion.text.empty()) return Because(Refusal::kSizes, "a criterion without a text");
  }
  return std::nullopt;
}

Checked CheckReference(const Reference& reference) {
  if (reference.stages < 1 || reference.stages > kMaxStages) {
    return Because(Refusal::kNumbers, base::Format("a reference of {} stages", reference.stages));
  }
  return CheckCriteria(reference.rubric);
}

struct CheckOneTarget {
  Checked operator()(const WholeText&) const { return std::nullopt; }
  Checked operator()(const Labels& it) const {
    if (!it.answers.empty() && it.answers.size() <= kMaxCriteria) return std::nullopt;
    return Because(Refusal::kSizes, base::Format("{} labels, expected 1 to {}", it.answers.size(), kMaxCriteria));
  }
  Checked operator()(const Rubric& it) const {
    if (it.criteria.empty()) return Because(Refusal::kSizes, "a rubric without criteria");
    return CheckCriteria(it.criteria);
  }
  Checked operator()(const Tests& it) const {
    if (!it.code.empty()) return std::nullopt;
    return Because(Refusal::kSizes, "tests without code");
  }
  Checked operator()(const Program& it) const {
    if (it.inputs.size() <= kMaxCandidates) return std::nullopt;
    return Because(Refusal::kSizes, base::Format("{} inputs, expected at most {}", it.inputs.size(), kMaxCandidates));
  }
};

Checked CheckVerdicts(const std::vector<Verdict>& verdicts, std::size_t responses, std::size_t criteria) {
  criteria = std::max<std::size_t>(criteria, 1);
  if (verdicts.size() > responses * criteria) {
    return Because(Refusal::kSizes,
                   base::Format("{} verdicts on {} responses by {} criteria", verdicts.size(), responses, criteria));
  }
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (const Verdict& verdict : verdicts) {
    if (verdict.rollout >= responses || verdict.criterion >= criteria ||
        !seen.emplace(verdict.rollout, verdict.criterion).second) {
      return Because(Refusal::kSizes,
                     base::Format("a verdict on response {} by criterion {}, expected one each of {} by {}",
                                  verdict.rollout, verdict.criterion, responses, criteria));
    }
  }
  return std::nullopt;
}

Checked CheckRewards(const std::vector<Reward>& rewards, std::size_t expected, const RewardRange& range) {
  if (rewards.size() != expected) {
    return Because(Refusal::kSizes, base::Format("{} rewards for {} rollouts", rewards.size(), expected));
  }
  for (std::size_t r = 0; r < rewards.size(); ++r) {
    // Written so that what is not a number is refused.
    if (!rewards[r].ok() || (*rewards[r] >= range.least && *rewards[r] <= range.most)) continue;
    return Because(Refusal::kNumbers,
                   base::Format("reward {} is {}, expected {} to {}", r, *rewards[r], range.least, range.most));
  }
  return std::nullopt;
}

Checked CheckSeconds(float seconds) {
  if (std::isfinite(seconds) && seconds >= 0) return std::nullopt;
  return Because(Refusal::kNumbers, base::Format("a time of {} seconds", seconds));
}

// A group that could not be sampled.
Checked CheckEmpty(const ScoredGroup& scored) {
  if (scored.reference.ok() || !scored.rewards.empty() || !scored.verdicts.empty()) {
    return Because(Refusal::kSizes, base::Format("no rollouts, but {}{} rewards and {} verdicts",
                                                 scored.reference.ok() ? "a reference, " : "", scored.rewards.size(),
                                                 scored.verdicts.size()));
  }
  return std::nullopt;
}

Checked CheckRollouts(const ScoredGroup& scored, const GroupRules& rules, WeightVersion newest) {
  const RolloutGroup& group = scored.group;
  if (group.rollouts.size() != rules.num_rollouts) {
    return Because(Refusal::kSizes,
                   base::Format("{} rollouts, expected {}", group.rollouts.size(), rules.num_rollouts));
  }
  if (group.prompt_ids.empty()) return Because(Refusal::kSizes, "the prompt has no tokens");
  if (auto refused = CheckIds(group.prompt_ids, rules.vocab_size, "the prompt")) return refused;
  std::int64_t longest = 0;
  for (std::size_t r = 0; r < group.rollouts.size(); ++r) {
    if (auto refused = CheckRollout(group.rollouts[r], r, rules, newest)) return refused;
    longest = std::max<std::int64_t>(longest, std::ssize(group.rollouts[r].ids));
  }
  const std::int64_t prompt = std::ssize(group.prompt_ids);
  if (prompt + longest <= rules.context) return std::nullopt;
  return Because(Refusal::kSizes, base::Format("a prompt of {} and a rollout of {} tokens, expected {} together",
                                               prompt, longest, rules.context));
}

}  // namespace

const ReportedMetric* FindReported(RoleKind kind, std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kReportedMetrics), std::end(kReportedMetrics),
                   [&](const ReportedMetric& metric) { return metric.kind == kind && metric.name == name; });
  return found == std::end(kReportedMetrics) ? nullptr : found;
}

namespace {

// As whom a message speaks; an actor's request to a service does not say which one's it is.
struct SpeaksFor {
  std::string operator()(const LeaseRequest& request) const { return request.actor; }
  std::string operator()(const ScoredGroup& scored) const { return scored.actor; }
  std::string operator()(const Heartbeat& heartbeat) const { return heartbeat.role; }
  template <class Other>
  std::string operator()(const Other& /*other*/) const {
    return "";
  }
};

}  // namespace

Checked CheckSender(const Message& message, const std::string& sender) {
  if (sender.empty()) return std::nullopt;
  const std::string spoken_for = std::visit(SpeaksFor{}, message);
  if (spoken_for.empty() ? !CheckName(sender, RoleKind::kActor) : spoken_for == sender) return std::nullopt;
  return Because(Refusal::kSender, spoken_for.empty() ? base::Format("{} may not send a {}", sender, Name(message))
                                                      : base::Format("{} sends a {} in the name of \"{}\"", sender,
                                                                     Name(message), Shown(spoken_for)));
}

Checked Check(const ScoredGroup& scored, const GroupRules& rules, WeightVersion newest) {
  if (auto refused = CheckName(scored.actor, RoleKind::kActor)) return refused;
  if (auto refused = CheckTicket(scored.group.ticket)) return refused;
  for (const float seconds : {scored.rollout_seconds, scored.anchor_seconds, scored.judge_seconds}) {
    if (auto refused = CheckSeconds(seconds)) return refused;
  }
  if (scored.group.rollouts.empty()) return CheckEmpty(scored);
  if (auto refused = CheckRollouts(scored, rules, newest)) return refused;
  if (scored.reference.ok()) {
    if (auto refused = CheckReference(*scored.reference)) return refused;
  }
  const std::size_t expected = scored.reference.ok() ? scored.group.rollouts.size() : 0;
  if (auto refused = CheckRewards(scored.rewards, expected, rules.rewards)) return refused;
  return CheckVerdicts(scored.verdicts, expected, scored.reference.ok() ? scored.reference->rubric.size() : 0);
}

Checked Check(const LeaseRequest& request, WeightVersion newest) {
  if (auto refused = CheckName(request.actor, RoleKind::kActor)) return refused;
  if (request.max_groups < 1 || request.max_groups > kMaxLeases) {
    return Because(Refusal::kSizes, base::Format("{} groups are asked for", request.max_groups));
  }
  if (request.version <= newest) return std::nullopt;
  return Because(Refusal::kVersion,
                 base::Format("the actor holds version {}, while {} is the newest", request.version, newest));
}

Checked Check(const Heartbeat& heartbeat) {
  if (auto refused = CheckName(heartbeat.role, heartbeat.kind)) return refused;
  if (heartbeat.host.size() > kMaxLine || heartbeat.doing.size() > kMaxLine || heartbeat.endpoint.size() > kMaxLine) {
    return Because(Refusal::kSizes, base::Format("a text of more than {} characters", kMaxLine));
  }
  if (!IsOneLine(heartbeat.host) || !IsOneLine(heartbeat.doing)) {
    return Because(Refusal::kSender, base::Format("{}: its host or its doing has control characters", heartbeat.role));
  }
  if (heartbeat.endpoint.empty() != (heartbeat.kind == RoleKind::kActor)) {
    return Because(Refusal::kSender,
                   base::Format("{}: got the endpoint \"{}\", expected {}", heartbeat.role, Shown(heartbeat.endpoint),
                                heartbeat.kind == RoleKind::kActor ? "none" : "one"));
  }
  for (const auto& [name, value] : heartbeat.report) {
    if (FindReported(heartbeat.kind, name) == nullptr) {
      return Because(Refusal::kSender, base::Format("{}: it reports \"{}\", which is no metric of its kind",
                                                    heartbeat.role, Shown(name)));
    }
    if (!std::isfinite(value) || value < 0) {
      return Because(Refusal::kNumbers, base::Format("{}: {} is {}", heartbeat.role, name, value));
    }
  }
  return std::nullopt;
}

Checked Check(const SynthesisRequest& request) {
  if (auto refused = CheckTicket(request.ticket)) return refused;
  if (!request.candidates.empty() && request.candidates.size() <= kMaxCandidates) return std::nullopt;
  return Because(Refusal::kSizes,
                 base::Format("{} candidates, expected 1 to {}", request.candidates.size(), kMaxCandidates));
}

Checked Check(const JudgeRequest& request) {
  if (auto refused = CheckTicket(request.ticket)) return refused;
  const std::size_t responses = request.responses.size();
  if (responses < 1 || responses > kMaxCandidates) {
    return Because(Refusal::kSizes, base::Format("{} responses, expected 1 to {}", responses, kMaxCandidates));
  }
  if (request.lengths.size() != responses) {
    return Because(Refusal::kSizes, base::Format("{} lengths for {} responses", request.lengths.size(), responses));
  }
  if (std::any_of(request.lengths.begin(), request.lengths.end(), [](std::uint32_t n) { return n > kMaxLength; })) {
    return Because(Refusal::kNumbers, base::Format("a response of more than {} tokens", kMaxLength));
  }
  return std::visit(CheckOneTarget{}, request.target);
}

Checked Check(const WeightRequest& request) {
  if (!request.has_version || request.version >= request.min_version) return std::nullopt;
  return Because(Refusal::kVersion,
                 base::Format("version {} is asked for, and at least {}", request.version, request.min_version));
}

Checked Check(const LeaseReply& reply, std::uint32_t max_groups) {
  if (reply.leases.size() > max_groups) {
    return Because(Refusal::kSizes, base::Format("{} leases, {} were asked for", reply.leases.size(), max_groups));
  }
  std::set<Ticket> tickets;
  for (const Lease& lease : reply.leases) {
    if (auto refused = CheckTicket(lease.ticket)) return refused;
    if (!tickets.insert(lease.ticket).second) {
      return Because(Refusal::kLease, base::Format("ticket {} is lent twice at once", lease.ticket));
    }
    if (lease.prompt.text.empty() && lease.prompt.messages.empty()) {
      return Because(Refusal::kSizes, base::Format("ticket {}: the prompt is empty", lease.ticket));
    }
  }
  return std::nullopt;
}

Checked Check(const SynthesisReply& reply, Ticket ticket) {
  if (reply.ticket != ticket) {
    return Because(Refusal::kLease, base::Format("a synthesis of ticket {}, {} was asked for", reply.ticket, ticket));
  }
  return reply.reference.ok() ? CheckReference(*reply.reference) : std::nullopt;
}

Checked Check(const JudgeReply& reply, const Judged& asked) {
  if (reply.ticket != asked.ticket) {
    return Because(Refusal::kLease, base::Format("rewards of ticket {}, {} was asked for", reply.ticket, asked.ticket));
  }
  if (auto refused = CheckRewards(reply.rewards, asked.responses, asked.rewards)) return refused;
  return CheckVerdicts(reply.verdicts, asked.responses, asked.criteria);
}

Checked Check(const Directory& directory) {
  if (directory.anchors.size() <= kMaxServices && directory.judges.size() <= kMaxServices) return std::nullopt;
  return Because(Refusal::kSizes, base::Format("{} anchors and {} judges, expected at most {} each",
                                               directory.anchors.size(), directory.judges.size(), kMaxServices));
}

}  // namespace autodidact::schema
