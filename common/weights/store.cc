#include <utility>

#include "base/check.h"
#include "base/wait_log.h"
#include "weights/weights.h"

namespace autodidact::weights {

void WeightStore::Publish(model::SharedWeights weights) {
  AD_CHECK(weights != nullptr, "published no weights");
  state_.With([&](State& state) {
    AD_CHECK(state.newest == nullptr || weights->version() > state.newest->version(),
             "published weights of version {} after version {}", weights->version(), state.newest->version());
    state.previous = std::exchange(state.newest, std::move(weights));
    if (!keep_previous_) state.previous = nullptr;
  });
}

base::Outcome<model::SharedWeights> WeightStore::WaitFor(schema::WeightVersion min_version,
                                                         base::Deadline deadline) const {
  const auto since = base::Clock::now();
  const auto there = [&](const State& state) { return state.newest && state.newest->version() >= min_version; };
  const bool found = base::WaitTold(
      deadline, [&] { return base::Format("weights of version {}", min_version); },
      [&](base::Deadline until) { return state_.WaitUntil(until, there); });
  const State state = Held();
  if (found) return state.newest;
  return base::Failure{
      base::ErrorKind::kRetryLater,
      base::Format("weights: version {} was not published within {:.1f} s (newest: {})", min_version,
                   base::SecondsSince(since), state.newest ? std::to_string(state.newest->version()) : "none")};
}

schema::WeightVersion WeightStore::newest() const {
  return std::as_const(state_).With([](const State& state) { return state.newest ? state.newest->version() : 0; });
}

WeightStore::State WeightStore::Held() const {
  return std::as_const(state_).With([](const State& state) { return state; });
}

namespace {

class LocalSource final : public WeightSource {
 public:
  explicit LocalSource(const WeightStore& store) : store_(store) {}

  base::Outcome<model::SharedWeights> Fetch(schema::WeightVersion min_version, base::Deadline deadline) override {
    return store_.WaitFor(min_version, deadline);
  }
  schema::WeightVersion newest() const override { return store_.newest(); }
  double transfer_seconds() const override { return 0; }
  std::uint64_t transfer_bytes() const override { return 0; }

 private:
  const WeightStore& store_;
};

}  // namespace

std::unique_ptr<WeightSource> MakeLocalSource(const WeightStore& store) {
  return std::make_unique<LocalSource>(store);
}

}  // namespace autodidact::weights
