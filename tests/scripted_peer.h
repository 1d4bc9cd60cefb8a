// A peer that says what a test lets it say.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "net/net.h"
#include "schema/codec.h"
#include "tests/waits.h"

namespace autodidact::tests {

// Answers requests one after another in the order of its script, whose last entry goes on for ever. Thread-safe.
class ScriptedPeer {
 public:
  // What is sent back; nothing stays silent.
  using Answer = std::function<std::optional<std::string>(const schema::Message& asked)>;

  ScriptedPeer(net::Context& context, const std::string& endpoint)
      : server_(context, endpoint, {}, [this](net::Incoming incoming) { Take(std::move(incoming)); }) {}

  void Says(Answer answer) {
    state_.With([&](State& state) { state.script.push_back(std::move(answer)); });
  }
  void Says(const schema::Message& message) { SaysBytes(schema::Encode(message)); }
  void SaysBytes(const std::string& bytes) {
    Says([bytes](const schema::Message&) { return bytes; });
  }
  void IsSilent() {
    Says([](const schema::Message&) { return std::nullopt; });
  }

  const std::string& endpoint() const { return server_.endpoint(); }

  // Whether it is asked so often in all.
  bool IsAsked(std::size_t times) const {
    return state_.WaitUntil(base::Deadline::In(kSoon), [&](const State& state) { return state.asked.size() >= times; });
  }
  std::vector<schema::Message> asked() const {
    return state_.With([](const State& state) { return state.asked; });
  }
  // Every message of this kind that it was sent.
  template <class T>
  std::vector<T> Heard() const {
    std::vector<T> all;
    for (schema::Message& message : asked()) {
      if (auto* one = std::get_if<T>(&message)) all.push_back(std::move(*one));
    }
    return all;
  }

 private:
  struct State {
    std::deque<Answer> script;
    std::vector<schema::Message> asked;
  };

  void Take(net::Incoming incoming) {
    schema::Message asked = schema::Decode(incoming.bytes);
    const Answer answer = state_.With([&](State& state) {
      state.asked.push_back(asked);
      if (state.script.empty()) return Answer();
      Answer next = state.script.front();
      if (state.script.size() > 1) state.script.pop_front();
      return next;
    });
    if (!answer) return;
    if (auto bytes = answer(asked)) incoming.reply.Send(std::move(*bytes));
  }

  base::Guarded<State> state_;
  net::Server server_;
};

}  // namespace autodidact::tests
