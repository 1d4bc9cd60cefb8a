#include "net/client_loop.h"

#include <algorithm>

#include "base/log.h"

namespace autodidact::net {
namespace {

// Timers and new calls are not kept waiting behind a flood of replies.
constexpr int kRepliesPerTurn = 256;
constexpr base::Milliseconds kLongestSleep{60'000};

base::Failure Disconnected(const Outgoing& call, const std::string& peer) {
  return {base::ErrorKind::kDisconnected, base::Format("{}: {}: the client was closed after {:.1f} s", peer, call.doing,
                                                       base::SecondsSince(call.since))};
}

}  // namespace

ClientLoop::ClientLoop(void* context, Security security, Client::Options options, base::Guarded<Inbox>& inbox,
                       Wakeup& wakeup)
    : context_(context), security_(std::move(security)), options_(std::move(options)), inbox_(inbox), wakeup_(wakeup) {}

void ClientLoop::Run() {
  while (TakeInbox()) {
    ReopenBroken();
    FireTimers();
    Sleep();
    ReadReplicas();
  }
  while (!pending_.empty()) {
    const auto& [id, pending] = *pending_.begin();
    Finish(id, Disconnected(pending.call, options_.peer));
  }
  replicas_.clear();
}

bool ClientLoop::TakeInbox() {
  wakeup_.Clear();
  Inbox news = inbox_.With([](Inbox& inbox) {
    Inbox taken = std::exchange(inbox, {});
    inbox.closing = taken.closing;
    return taken;
  });
  if (news.endpoints) ReplaceReplicas(*news.endpoints);
  for (auto& call : news.calls) Begin(std::move(call));
  return !news.closing;
}

void ClientLoop::ReplaceReplicas(const std::vector<std::string>& endpoints) {
  std::vector<std::unique_ptr<Replica>> old = std::exchange(replicas_, {});
  for (const auto& endpoint : endpoints) {
    const auto same =
        std::find_if(old.begin(), old.end(), [&](const auto& r) { return r && r->endpoint() == endpoint; });
    if (same != old.end()) {
      replicas_.push_back(std::move(*same));
      continue;
    }
    try {
      replicas_.push_back(std::make_unique<Replica>(context_, endpoint, security_, options_));
    } catch (const base::Error& error) {  // the others can be asked all the same
      base::LogError("net: {}: {} is left out: {}", options_.peer, endpoint, error.message());
    }
  }
  for (const auto& gone : old) {
    if (gone) Abandon(*gone);
  }
  DispatchWaiting();
}

void ClientLoop::Begin(Outgoing call) {
  const std::uint64_t id = next_id_++;
  const auto deadline = call.deadline.at();
  const auto added = pending_.emplace(id, Pending{std::move(call), {}}).first;
  timers_.push({deadline, id, TimerKind::kDeadline});
  Dispatch(id, added->second);
}

Replica* ClientLoop::Best(const Pending& pending) const {
  Replica* best = nullptr;
  const auto better = [](const Replica& a, const Replica& b) {
    return std::pair(a.suspect(), a.in_flight) < std::pair(b.suspect(), b.in_flight);
  };
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    Replica* candidate = replicas_[(rotation_ + i) % replicas_.size()].get();
    const bool asked = std::find(pending.asked.begin(), pending.asked.end(), candidate) != pending.asked.end();
    if (candidate->usable() && !asked && (best == nullptr || better(*candidate, *best))) best = candidate;
  }
  return best;
}

void ClientLoop::Dispatch(std::uint64_t id, Pending& pending) {
  while (Replica* replica = Best(pending)) {
    ++rotation_;
    if (!replica->Send(id, pending.call.bytes)) {
      continue;  // it is broken now, so Best names another; what it had in flight is taken back by ReopenBroken
    }
    ++replica->in_flight;
    pending.asked.push_back(replica);
    if (replicas_.size() > 1) timers_.push({base::Clock::now() + options_.retry_after, id, TimerKind::kRetry});
    return;
  }
}

void ClientLoop::FireTimers() {
  const auto now = base::Clock::now();
  while (!timers_.empty() && timers_.top().at <= now) {
    const Timer timer = timers_.top();
    timers_.pop();
    const auto found = pending_.find(timer.id);
    if (found == pending_.end()) continue;
    if (timer.kind == TimerKind::kDeadline) {
      Finish(timer.id, base::Failure{base::ErrorKind::kRetryLater, WhyLate(found->second)});
    } else {
      Dispatch(timer.id, found->second);
    }
  }
}

void ClientLoop::ReopenBroken() {
  const auto now = base::Clock::now();
  bool reopened = false;
  for (const auto& replica : replicas_) {
    if (replica->usable()) continue;
    if (replica->in_flight > 0) Abandon(*replica);
    if (replica->reopen_at() > now) continue;
    try {
      replica->Reopen();
      reopened = true;
    } catch (const base::Error& error) {
      replica->Break(error.message());
    }
  }
  if (reopened) DispatchWaiting();
}

void ClientLoop::Sleep() {
  std::vector<zmq_pollitem_t> items{{nullptr, wakeup_.fd(), ZMQ_POLLIN, 0}};
  auto until = base::Clock::now() + kLongestSleep;
  if (!timers_.empty()) until = std::min(until, timers_.top().at);
  for (const auto& replica : replicas_) {
    if (void* socket = replica->socket()) items.push_back({socket, 0, ZMQ_POLLIN, 0});
    if (void* monitor = replica->monitor()) items.push_back({monitor, 0, ZMQ_POLLIN, 0});
    if (!replica->usable()) until = std::min(until, replica->reopen_at());
  }
  const auto left = std::chrono::ceil<base::Milliseconds>(until - base::Clock::now());
  zmq_poll(items.data(), static_cast<int>(items.size()), std::max<long>(0, left.count()));
}

void ClientLoop::ReadReplicas() {
  for (const auto& replica : replicas_) {
    for (int i = 0; i < kRepliesPerTurn; ++i) {
      auto reply = replica->TryReceive();
      if (!reply) break;
      Finish(reply->call, std::move(reply->bytes));
    }
  }
  for (const auto& replica : replicas_) {
    const Replica::News news = replica->ReadNews();
    if (news == Replica::News::kNone || replica->in_flight == 0) continue;
    const bool elsewhere = std::any_of(replicas_.begin(), replicas_.end(), [](const auto& r) { return !r->suspect(); });
    if (news == Replica::News::kAbsent && !elsewhere) continue;  // the calls may as well wait in its socket
    if (replica->usable()) replica->Break(replica->problem());   // not reopened at once: it may be lost again and again
    Abandon(*replica);
  }
}

void ClientLoop::Abandon(Replica& replica) {
  replica.in_flight = 0;
  for (auto& [id, pending] : pending_) {
    if (std::erase(pending.asked, &replica) > 0 && pending.asked.empty()) Dispatch(id, pending);
  }
}

void ClientLoop::DispatchWaiting() {
  for (auto& [id, pending] : pending_) {
    if (pending.asked.empty()) Dispatch(id, pending);
  }
}

void ClientLoop::Finish(std::uint64_t id, base::Outcome<std::string> outcome) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;  // late, or the second answer to a call that was sent twice
  for (Replica* replica : found->second.asked) --replica->in_flight;
  const Done done = std::move(found->second.call.done);
  const std::string doing = std::move(found->second.call.doing);
  pending_.erase(found);
  try {
    done(std::move(outcome));
  } catch (const std::exception& error) {
    base::LogError("net: {}: the receiver of '{}' failed: {}", options_.peer, doing, error.what());
  }
}

std::string ClientLoop::WhyLate(const Pending& pending) const {
  std::string replicas;
  for (const auto& replica : replicas_) {
    replicas += replicas.empty() ? "" : "; ";
    replicas += replica->endpoint();
    if (!replica->problem().empty()) replicas += ": " + replica->problem();
  }
  if (replicas.empty()) replicas = "it has no endpoint";
  return base::Format("{}: no reply to '{}' within {:.1f} s ({})", options_.peer, pending.call.doing,
                      base::SecondsSince(pending.call.since), replicas);
}

}  // namespace autodidact::net
