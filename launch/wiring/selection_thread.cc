#include "launch/wiring/selection_thread.h"

#include <utility>

#include "base/fault.h"
#include "base/format.h"
#include "base/log.h"
#include "launch/wiring/wiring.h"

namespace autodidact::launch {
namespace {

constexpr auto kLook = std::chrono::seconds(1);  // between two looks at a closed queue

}  // namespace

SelectionThread::SelectionThread(Config config, model::SharedWeights weights, const text::Tokenizer& tokenizer)
    : config_(std::move(config)), jobs_(config_.capacity) {
  thread_ = base::StartThread("selection.thread",
                              [this, weights = std::move(weights), &tokenizer] { Run(weights, tokenizer); });
}

SelectionThread::~SelectionThread() {
  Close();
}

void SelectionThread::Close() {
  jobs_.Close();
}

actors::ReferenceSource SelectionThread::source() {
  return [this](const schema::Lease& lease, const schema::RolloutGroup& group, base::Deadline deadline,
                const std::function<void(base::Outcome<schema::GroupReference>)>& done) {
    if (jobs_.TryPush({lease.prompt, group, deadline, done})) return;
    if (jobs_.closed()) return done(base::Failure{base::ErrorKind::kDisconnected, "the actor is leaving"});
    done(base::Failure{base::ErrorKind::kRetryLater,
                       base::Format("{} groups wait for {} already", config_.capacity, base::NameIn(config_.kind))});
  };
}

void SelectionThread::Run(const model::SharedWeights& weights, const text::Tokenizer& tokenizer) {
  base::SetLogRole(config_.name);
  UseThreads(config_.threads);
  const estimators::Selector selector(config_.selection, weights, tokenizer);
  while (true) {
    auto job = jobs_.Pop(base::Deadline::In(kLook));
    if (!job && jobs_.closed()) return;
    if (!job) continue;
    job->done(Answer(selector, *job));
  }
}

base::Outcome<schema::GroupReference> SelectionThread::Answer(const estimators::Selector& selector,
                                                              const Job& job) const {
  if (jobs_.closed()) return base::Failure{base::ErrorKind::kDisconnected, "the actor is leaving"};
  if (job.deadline.Passed()) {
    return base::Failure{base::ErrorKind::kRetryLater,
                         base::Format("group {} waited too long for {}", job.group.ticket, base::NameIn(config_.kind))};
  }
  try {
    return schema::WithTarget(selector.Select(config_.kind, job.prompt, job.group));
  } catch (const std::exception& error) {
    return base::Failure{base::ErrorKind::kBug, base::Format("{}: {}", base::NameIn(config_.kind), error.what())};
  }
}

}  // namespace autodidact::launch
