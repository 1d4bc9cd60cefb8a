// Messages with wrong values in them: valid on the wire, and wrong in one field or in a few. The same in every run.
#pragma once

#include <concepts>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "schema/codec.h"
#include "schema/types.h"

namespace autodidact::door {

// Finds every field of a message and changes some of them.
class Mutator {
 public:
  explicit Mutator(base::RandomWalk& walk) : walk_(walk) {}

  // One field in most cases, up to four in others.
  void Change(schema::Message& message) {
    for (std::uint64_t n = 1 + walk_.Below(8) / 6 * walk_.Below(4); n > 0; --n) {
      changes_.clear();
      std::visit([this](auto& value) { Fields(value); }, message);
      if (!changes_.empty()) changes_[walk_.Below(changes_.size())]();
    }
  }

 private:
  template <class T>
  T OneOf(const std::vector<T>& values) {
    return values[walk_.Below(values.size())];
  }

  template <class T>
  static T Default() {
    if constexpr (std::is_default_constructible_v<T>) {
      return T();
    } else {
      return base::Failure{};
    }
  }

  template <class... T>
  void All(T&... fields) {
    (Field(fields), ...);
  }

  template <std::integral T>
  void Field(T& number) {
    changes_.push_back([this, &number] {
      using Limits = std::numeric_limits<T>;
      const auto bits = static_cast<std::make_unsigned_t<T>>(number);
      number = OneOf<T>({T{0}, T{1}, T{2}, T{3}, T{7}, T{100}, Limits::max(), static_cast<T>(Limits::max() / 2),
                         Limits::min(), static_cast<T>(bits + 1), static_cast<T>(bits - 1)});
    });
  }
  void Field(bool& flag) {
    changes_.push_back([&flag] { flag = !flag; });
  }
  template <std::floating_point T>
  void Field(T& number) {
    changes_.push_back([this, &number] {
      using Limits = std::numeric_limits<T>;
      number = OneOf<T>({T{0}, T{1}, T{-1}, T{0.5}, T{1e-30}, T{1e30}, Limits::max(), Limits::lowest(),
                         Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::denorm_min()});
    });
  }
  template <class T>
  requires std::is_enum_v<T>
  void Field(T& value) {
    changes_.push_back([this, &value] { value = static_cast<T>(OneOf<int>({0, 1, 2, 3, 4, 9, 200})); });
  }
  void Field(std::string& text) {
    changes_.push_back([this, &text] {
      text = OneOf<std::string>({"",
                                 " ",
                                 "a",
                                 "actor-0",
                                 "actor-1",
                                 "anchor-0",
                                 "judge-0",
                                 "judge--1",
                                 "reward",
                                 "accuracy/reference",
                                 "inproc://",
                                 "inproc://x",
                                 "tcp://10.0.0.1:5",
                                 "tcp://127.0.0.1:0",
                                 std::string(1, '\0'),
                                 "\xff\xfe",
                                 "\x1e",
                                 "\n",
                                 "\\boxed{",
                                 "{\"a\": [",
                                 std::string(3'000, 'x'),
                                 std::string(30'000, '\n'),
                                 text + text,
                                 text.substr(0, text.size() / 2)});
    });
  }
  template <class T>
  void Field(std::vector<T>& list) {
    changes_.push_back([this, &list] {
      switch (walk_.Below(5)) {
        case 0:
          list.clear();
          break;
        case 1:
          if (!list.empty()) list.pop_back();
          break;
        case 2:
          list.push_back(list.empty() ? Default<T>() : list.front());
          break;
        case 3:
          list.push_back(Default<T>());
          break;
        default:
          list.resize(OneOf<std::size_t>({3, 40, 5'000}), list.empty() ? Default<T>() : list.front());
      }
    });
    for (std::size_t i = 0; i < list.size() && i < 6; ++i) Field(list[i]);
  }
  template <class T>
  void Field(base::Outcome<T>& outcome) {
    changes_.push_back([this, &outcome] {
      if (outcome.ok() || walk_.Below(2) == 0) {
        outcome = base::Failure{OneOf<base::ErrorKind>({base::ErrorKind::kBadInput, base::ErrorKind::kRetryLater,
                                                        base::ErrorKind::kDisconnected, base::ErrorKind::kBug}),
                                OneOf<std::string>({"", "why", std::string(5'000, 'w')})};
      } else {
        outcome = T();
      }
    });
    if (outcome.ok()) Field(*outcome);
  }
  void Field(base::Metrics& metrics) {
    changes_.push_back([this, &metrics] {
      metrics[OneOf<std::string>(
          {"", "reward", "reward/x", "accuracy/reference", "judge/cache_hit", "actor/refused"})] =
          OneOf<double>({0, 1, -1, 1e308, std::numeric_limits<double>::quiet_NaN()});
    });
    for (auto& [name, value] : metrics) Field(value);
  }
  // Another kind, or something wrong in this one.
  template <class... T>
  void Field(std::variant<T...>& one) {
    changes_.push_back([this, &one] {
      const std::vector<std::variant<T...>> kinds = {T()...};
      one = kinds[walk_.Below(kinds.size())];
    });
    std::visit([this](auto& value) { Fields(value); }, one);
  }
  template <class T>
  requires std::is_class_v<T>
  void Field(T& value) { Fields(value); }

  void Fields(schema::ChatMessage& m) { All(m.role, m.content, m.json); }
  void Fields(schema::Prompt& m) { All(m.id, m.text, m.messages, m.variables); }
  void Fields(schema::Lease& m) { All(m.ticket, m.prompt, m.supervision, m.attempt, m.milliseconds, m.min_version); }
  void Fields(schema::LeaseRequest& m) { All(m.actor, m.max_groups, m.version, m.config); }
  void Fields(schema::LeaseReply& m) { All(m.state, m.leases); }
  void Fields(schema::Rollout& m) {
    All(m.ids, m.logprobs, m.sampled_logprobs, m.first_version, m.last_version, m.stop, m.text);
  }
  void Fields(schema::RolloutGroup& m) { All(m.ticket, m.prompt_ids, m.rollouts); }
  void Fields(schema::SynthesisRequest& m) { All(m.ticket, m.candidates); }
  void Fields(std::monostate&) {}
  void Fields(schema::Labels& m) { All(m.answers); }
  void Fields(schema::Rubric& m) { All(m.criteria); }
  void Fields(schema::Tests& m) { All(m.code, m.entry_point, m.prompt); }
  void Fields(schema::Inputs& m) { All(m.inputs); }
  void Fields(schema::MadeReference& m) { All(m.text); }
  void Fields(schema::WholeText& m) { All(m.text); }
  void Fields(schema::Program& m) { All(m.text, m.inputs); }
  void Fields(schema::Criterion& m) { All(m.text, m.points); }
  void Fields(schema::Reference& m) { All(m.text, m.generation, m.rubric, m.stages); }
  void Fields(schema::SynthesisReply& m) { All(m.ticket, m.reference); }
  void Fields(schema::JudgeRequest& m) { All(m.ticket, m.target, m.responses, m.lengths); }
  void Fields(schema::Verdict& m) { All(m.rollout, m.criterion, m.kind, m.reason); }
  void Fields(schema::JudgeReply& m) { All(m.ticket, m.verdicts, m.rewards); }
  void Fields(schema::ScoredGroup& m) {
    All(m.actor, m.group, m.reference, m.verdicts, m.rewards, m.rollout_seconds, m.anchor_seconds, m.judge_seconds);
  }
  void Fields(schema::SubmitReply& m) { All(m.receipt, m.state); }
  void Fields(schema::Heartbeat& m) {
    All(m.role, m.kind, m.config, m.endpoint, m.host, m.pid, m.doing, m.progress, m.report);
  }
  void Fields(schema::Directory& m) { All(m.state, m.weights, m.anchors, m.judges); }
  void Fields(schema::TensorInfo& m) { All(m.name, m.type, m.shape); }
  void Fields(schema::WeightRequest& m) {
    All(m.has_weights, m.have, m.min_version, m.wait_milliseconds, m.part, m.has_version, m.version);
  }
  void Fields(schema::WeightPart& m) {
    All(m.version, m.is_delta, m.base, m.tensors, m.part, m.num_parts, m.raw_size, m.checksum, m.payload);
  }
  void Fields(base::Failure& m) { All(m.kind, m.reason); }
  void Fields(schema::FailureReply& m) { Fields(m.failure); }
  void Fields(schema::Refused& m) { All(m.why, m.text); }

  base::RandomWalk& walk_;
  std::vector<std::function<void()>> changes_;
};

// Some bytes of the message changed, cut off, or put in again.
inline std::string Damaged(std::string bytes, base::RandomWalk& walk) {
  for (std::uint64_t n = 1 + walk.Below(4); n > 0 && !bytes.empty(); --n) {
    const std::size_t at = walk.Below(bytes.size());
    switch (walk.Below(4)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << walk.Below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(walk.Below(256));
        break;
      case 2:
        bytes.resize(at);
        break;
      default:
        bytes.insert(at, bytes.substr(at, 8));
    }
  }
  return bytes;
}

// Number `i` of the messages made of `valid`: in turn with wrong fields and with wrong bytes.
inline std::string WrongMessage(const std::vector<schema::Message>& valid, std::uint64_t i) {
  base::RandomWalk walk({.seed = i, .stream = base::RandomStream::kTest});
  schema::Message message = valid[i / 2 % valid.size()];
  if (i % 2 == 1) return Damaged(schema::Encode(message), walk);
  Mutator(walk).Change(message);
  return schema::Encode(message);
}

}  // namespace autodidact::door
