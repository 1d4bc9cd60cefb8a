// AD_CHECK(condition, format, ...): an invariant. A broken one throws Error(kBug) with the place and the message.
#pragma once

#include "base/error.h"
#include "base/format.h"

#define AD_CHECK(condition, ...)                                                                    \
  do {                                                                                              \
    if (!(condition)) [[unlikely]]                                                                  \
      ::autodidact::base::ThrowBug(                                                                 \
          ::autodidact::base::Format("{}:{}: check failed: " #condition ": ", __FILE__, __LINE__) + \
          ::autodidact::base::Format(__VA_ARGS__));                                                 \
  } while (false)
