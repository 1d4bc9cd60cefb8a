#include "engine/engine.h"

#include <algorithm>
#include <deque>
#include <new>
#include <span>

#include "base/check.h"
#include "base/format.h"
#include "base/log.h"
#include "engine/decoder.h"
#include "engine/group_state.h"
#include "engine/memory_plan.h"

namespace autodidact::engine {
namespace {

MemoryPlan PlanFor(const EngineConfig& config, const model::WeightSet& weights) {
  const at::Tensor& embeddings = weights.at("model.embed_tokens.weight");
  const bool own_kernels = embeddings.is_cpu() && embeddings.scalar_type() == at::kFloat && !config.generic_decoder;
  return PlanMemory(config, weights.config(), own_kernels, static_cast<std::int64_t>(embeddings.element_size()));
}

std::unique_ptr<Decoder> MakeDecoder(const MemoryPlan& plan, const model::SharedWeights& weights) {
  const std::int64_t num_pages = plan.cache_tokens / kTokensPerPage;
  try {
    return plan.own_kernels ? MakeCpuDecoder(weights, num_pages) : MakeTorchDecoder(weights, num_pages);
  } catch (const std::bad_alloc&) {
    base::ThrowBadInput(
        base::Format("engine.cache_tokens: this machine has no room for a {}; lower it", plan.Describe()));
  }
}

}  // namespace

// waiting_ and running_ are both in the order of Add, and everything running is older than everything waiting.
class Engine::Impl {
 public:
  Impl(EngineConfig config, model::SharedWeights weights, const text::Tokenizer& tokenizer)
      : config_(config),
        weights_(std::move(weights)),
        tokenizer_(tokenizer),
        plan_(PlanFor(config, *weights_)),
        pool_(plan_.cache_tokens / kTokensPerPage),
        decoder_(MakeDecoder(plan_, weights_)) {}

  void Add(GroupRequest request) {
    if (num_added_ == 0) LogPlan(request);
    auto group = std::make_unique<GroupState>(std::move(request), num_added_++);
    group->failure = FindMisfit(group->request(), weights_->config(), pool_.num_pages(), config_.max_rows);
    waiting_.push_back(std::move(group));
  }

  std::vector<GroupResult> Step() {
    if (next_weights_ != nullptr) {
      weights_ = std::move(next_weights_);
      decoder_->SetWeights(weights_);
    }
    const std::size_t num_admitted = Admit();
    if (num_admitted > 0) {
      PrefillLast(num_admitted);
    } else if (!running_.empty()) {
      MakeRoom();
      if (!running_.empty()) DecodeAll();
    }
    return CollectFinished();
  }

  std::size_t num_groups() const { return waiting_.size() + running_.size(); }
  void SetWeights(model::SharedWeights weights) { next_weights_ = std::move(weights); }
  std::uint64_t weight_version() const {
    return next_weights_ != nullptr ? next_weights_->version() : weights_->version();
  }
  const EngineStats& stats() const { return stats_; }

 private:
  using GroupPointer = std::unique_ptr<GroupState>;

  // Once, when it is known what the groups are like.
  void LogPlan(const GroupRequest& first) const {
    base::LogInfo("engine: {}; {} groups fit that are like the first (prompt of {} tokens, {} rollouts of up to {})",
                  plan_.Describe(),
                  plan_.GroupsThatFit(std::ssize(first.prompt_ids), first.num_rollouts, first.sampling.max_new_tokens),
                  first.prompt_ids.size(), first.num_rollouts, first.sampling.max_new_tokens);
  }

  std::int64_t NumRows() const {
    std::int64_t rows = 0;
    for (const GroupPointer& group : running_) rows += group->num_running();
    return rows;
  }

  // Moves groups from waiting_ to the end of running_ while there is room for them; returns how many.
  std::size_t Admit() {
    std::size_t num_admitted = 0;
    std::int64_t tokens = 0;
    std::int64_t rows = NumRows();
    while (!waiting_.empty()) {
      GroupState& group = *waiting_.front();
      if (group.failure) {
        failed_.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
        continue;
      }
      const std::int64_t num_rollouts = group.request().num_rollouts;
      // A page for each rollout's first tokens, and one for each running rollout, so that a group is not admitted only
      // to be preempted in the next steps.
      const std::int64_t wanted = std::max(PagesFor(group.prompt_length()) + num_rollouts, group.pages_wanted) + rows;
      const bool alone = running_.empty();
      if (!alone && (rows + num_rollouts > config_.max_rows || wanted > pool_.num_free())) break;
      if (num_admitted > 0 && tokens + group.prompt_length() > kPrefillTokens) break;
      group.Start(pool_, tokenizer_);
      tokens += group.prompt_length();
      rows += num_rollouts;
      running_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
      ++num_admitted;
    }
    return num_admitted;
  }

  void PrefillLast(std::size_t count) {
    const std::size_t first = running_.size() - count;
    std::vector<std::vector<DrawSpec>> draws(count);
    std::vector<PrefillGroup> groups;
    for (std::size_t i = 0; i < count; ++i) {
      const GroupState& group = *running_[first + i];
      for (std::uint32_t rollout = 0; rollout < group.request().num_rollouts; ++rollout) {
        draws[i].push_back(group.Draw(rollout));
      }
      groups.push_back({group.request().prompt_ids, group.prompt_pages, draws[i]});
    }
    const std::vector<DrawnToken> tokens = decoder_->Prefill(groups);
    std::size_t next = 0;
    for (std::size_t i = 0; i < count; ++i) {
      GroupState& group = *running_[first + i];
      for (std::uint32_t rollout = 0; rollout < group.request().num_rollouts; ++rollout) {
        Accept(group, rollout, tokens[next++]);
      }
    }
  }

  // Frees pages for the next decode step: the youngest groups go back to wait. The oldest always stays, so work never
  // stands still; alone and still too large, it can never fit.
  void MakeRoom() {
    for (;;) {
      std::int64_t needed = 0;
      for (const GroupPointer& group : running_) needed += group->new_pages_needed();
      if (needed <= pool_.num_free()) break;
      GroupPointer group = std::move(running_.back());
      running_.pop_back();
      const std::int64_t held = group->num_pages();
      const std::int64_t longest = LongestRollout(*group);
      group->Reset(pool_);
      if (running_.empty()) {
        group->failure = base::Failure{
            base::ErrorKind::kBadInput,
            base::Format("the group does not fit into the cache of {} tokens: prompt of {}, {} rollouts, of which the "
                         "longest has reached {} tokens",
                         pool_.num_pages() * kTokensPerPage, group->prompt_length(), group->request().num_rollouts,
                         longest)};
        failed_.push_back(std::move(group));
        return;
      }
      ++stats_.preemptions;
      group->pages_wanted =
          std::min(pool_.num_pages(), held + static_cast<std::int64_t>(group->request().num_rollouts));
      waiting_.push_front(std::move(group));
    }
    for (const GroupPointer& group : running_) group->Grow(pool_);
  }

  static std::int64_t LongestRollout(const GroupState& group) {
    std::size_t longest = 0;
    for (const RolloutState& state : group.rollouts) longest = std::max(longest, state.rollout.ids.size());
    return static_cast<std::int64_t>(longest);
  }

  void DecodeAll() {
    std::vector<DecodeRow> rows;
    std::vector<std::size_t> counts;
    for (const GroupPointer& group : running_) {
      const std::size_t before = rows.size();
      for (std::uint32_t i = 0; i < group->request().num_rollouts; ++i) {
        const RolloutState& state = group->rollouts[i];
        if (!state.running) continue;
        const std::int64_t slot = static_cast<std::int64_t>(state.rollout.ids.size()) - 1;
        rows.push_back({state.rollout.ids.back(), slot, state.pages, group->Draw(i)});
      }
      counts.push_back(rows.size() - before);
    }
    std::vector<DecodeGroup> groups;
    std::size_t next = 0;
    for (std::size_t i = 0; i < running_.size(); ++i) {
      groups.push_back(
          {running_[i]->prompt_length(), running_[i]->prompt_pages, std::span(rows).subspan(next, counts[i])});
      next += counts[i];
    }
    const std::vector<DrawnToken> tokens = decoder_->Decode(groups);
    stats_.decode_steps += 1;
    next = 0;
    for (const GroupPointer& group : running_) {
      for (std::uint32_t i = 0; i < group->request().num_rollouts; ++i) {
        if (group->rollouts[i].running) Accept(*group, i, tokens[next++]);
      }
    }
  }

  void Accept(GroupState& group, std::uint32_t rollout, const DrawnToken& token) {
    group.Accept(rollout, token, weights_->version(), weights_->config(), tokenizer_, pool_);
    stats_.decoded_tokens += 1;
  }

  std::vector<GroupResult> CollectFinished() {
    std::vector<GroupPointer> finished = std::move(failed_);
    failed_.clear();
    for (GroupPointer& group : running_) {
      if (group->num_running() > 0) continue;
      pool_.Return(group->prompt_pages);
      finished.push_back(std::move(group));
    }
    std::erase(running_, nullptr);
    std::sort(finished.begin(), finished.end(),
              [](const GroupPointer& a, const GroupPointer& b) { return a->sequence() < b->sequence(); });
    std::vector<GroupResult> results;
    for (const GroupPointer& group : finished) {
      GroupResult result;
      result.ticket = group->request().ticket;
      if (group->failure) {
        result.group = *group->failure;
      } else {
        result.group = group->TakeResult();
      }
      results.push_back(std::move(result));
    }
    return results;
  }

  const EngineConfig config_;
  model::SharedWeights weights_;
  model::SharedWeights next_weights_;  // set by SetWeights, taken by the next Step
  const text::Tokenizer& tokenizer_;
  const MemoryPlan plan_;
  PagePool pool_;
  std::unique_ptr<Decoder> decoder_;
  std::deque<GroupPointer> waiting_;
  std::vector<GroupPointer> running_;
  std::vector<GroupPointer> failed_;  // to be reported by this Step
  std::uint64_t num_added_ = 0;
  EngineStats stats_;
};

Engine::Engine(EngineConfig config, model::SharedWeights weights, const text::Tokenizer& tokenizer)
    : impl_(std::make_unique<Impl>(config, std::move(weights), tokenizer)) {}
Engine::~Engine() = default;

void Engine::Add(GroupRequest request) {
  impl_->Add(std::move(request));
}
std::vector<GroupResult> Engine::Step() {
  return impl_->Step();
}
bool Engine::idle() const {
  return impl_->num_groups() == 0;
}
std::size_t Engine::num_groups() const {
  return impl_->num_groups();
}
void Engine::SetWeights(model::SharedWeights weights) {
  impl_->SetWeights(std::move(weights));
}
std::uint64_t Engine::weight_version() const {
  return impl_->weight_version();
}
EngineStats Engine::stats() const {
  return impl_->stats();
}

std::vector<GroupResult> GenerateAll(Engine& engine, std::vector<GroupRequest> requests) {
  const std::size_t count = requests.size();
  std::vector<schema::Ticket> order;
  for (GroupRequest& request : requests) {
    order.push_back(request.ticket);
    engine.Add(std::move(request));
  }
  std::vector<GroupResult> finished;
  while (!engine.idle()) {
    for (GroupResult& result : engine.Step()) finished.push_back(std::move(result));
  }
  AD_CHECK(finished.size() == count, "{} groups finished, {} were added", finished.size(), count);
  std::vector<GroupResult> results;
  std::vector<bool> used(count, false);
  for (const schema::Ticket ticket : order) {
    std::size_t i = 0;
    while (used[i] || finished[i].ticket != ticket) ++i;
    used[i] = true;
    results.push_back(std::move(finished[i]));
  }
  return results;
}

}  // namespace autodidact::engine
