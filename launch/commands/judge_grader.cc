#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/format.h"
#include "data/row_rubric.h"
#include "launch/commands/grader.h"
#include "launch/wiring/judge.h"

namespace autodidact::launch {
namespace {

constexpr auto kTurn = std::chrono::milliseconds(20);  // how long one caller moves the panel on before another may

// A panel for several threads: each puts its request in, and whoever holds the lock moves all of them on.
class SharedJudge {
 public:
  explicit SharedJudge(Judge judge) : judge_(std::move(judge)) {}

  schema::JudgeReply Ask(schema::JudgeRequest request) {
    std::optional<schema::JudgeReply> reply;
    {
      const std::lock_guard lock(mutex_);
      judge_.panel->Add(std::move(request), [&reply](schema::JudgeReply done) { reply = std::move(done); });
    }
    while (true) {
      const std::lock_guard lock(mutex_);
      if (reply) return std::move(*reply);
      judge_.panel->Step(base::Deadline::In(kTurn));
    }
  }

 private:
  std::mutex mutex_;
  Judge judge_;
};

Grade ToGrade(const schema::JudgeReply& reply, const std::vector<schema::Criterion>& rubric) {
  Grade grade;
  std::size_t met = 0, invalid = 0;
  grade.more["verdicts"] = json::Json::array();
  for (const schema::Verdict& verdict : reply.verdicts) {
    met += verdict.kind == schema::VerdictKind::kMet;
    invalid += verdict.kind == schema::VerdictKind::kInvalid;
    json::Json entry = {{"criterion", verdict.criterion}};
    if (!rubric.empty()) entry["text"] = rubric.at(verdict.criterion).text;
    entry["verdict"] = schema::Name(verdict.kind);
    entry["reason"] = verdict.reason;
    grade.more["verdicts"].push_back(std::move(entry));
  }
  const schema::Reward& reward = reply.rewards.front();
  if (!reward.ok()) {
    grade.reason = reward.failure().reason;
    return grade;
  }
  grade.reward = *reward;
  grade.verdict = *reward >= 1 ? Grade::Verdict::kRight : Grade::Verdict::kWrong;
  grade.reason = base::Format("{} of {} criteria met", met, reply.verdicts.size());
  if (invalid > 0) grade.reason += base::Format(", {} without a valid verdict left out", invalid);
  return grade;
}

}  // namespace

Grader JudgeGrader(const RunConfig& config) {
  const auto judge = std::make_shared<SharedJudge>(MakeJudge(config));
  const bool by_rubric = config.judge.kind == "rubric";
  return {{"response", by_rubric ? "rubric" : "reference"},
          [judge, by_rubric](const json::Json& row, const std::string& where) {
            schema::JudgeRequest request;
            request.responses = {json::GetString(row, "response", where)};
            request.lengths = {0};
            if (by_rubric) {
              request.target = schema::Rubric{data::ReadRubric(row.at("rubric"), where)};
            } else {
              request.target = schema::WholeText{json::GetString(row, "reference", where)};
            }
            const auto* rubric = std::get_if<schema::Rubric>(&request.target);
            const auto criteria = rubric ? rubric->criteria : std::vector<schema::Criterion>();
            return ToGrade(judge->Ask(std::move(request)), criteria);
          }};
}

}  // namespace autodidact::launch
