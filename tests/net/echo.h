// A peer that answers, for the tests of the room.
#pragma once

#include "base/deadline.h"
#include "net/net.h"
#include "tests/run_keys.h"
#include "tests/waits.h"

namespace autodidact::net {

using base::Milliseconds;
using tests::kSoon;

// The keys of a server and of a client that know each other, for every transport.
inline const tests::RunKeys& Keys() {
  static const tests::RunKeys keys;
  return keys;
}
inline Security ServerSide() {
  return Keys().Of("learner");
}
inline Security ClientSide() {
  return Keys().Of("actor-0");
}

inline void Echo(Incoming incoming) {
  incoming.reply.Send("echo " + incoming.bytes);
}

}  // namespace autodidact::net
