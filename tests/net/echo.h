// A peer that answers, for the tests of the room.
#pragma once

#include "base/deadline.h"
#include "net/net.h"
#include "tests/waits.h"

namespace autodidact::net {

using base::Milliseconds;
using tests::kSoon;

inline void Echo(Incoming incoming) {
  incoming.reply.Send("echo " + incoming.bytes);
}

}  // namespace autodidact::net
