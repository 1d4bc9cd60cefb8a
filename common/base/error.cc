#include "base/error.h"

namespace autodidact::base {

const char* Name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kBadInput:
      return "bad input";
    case ErrorKind::kRetryLater:
      return "retry later";
    case ErrorKind::kDisconnected:
      return "disconnected";
    case ErrorKind::kBug:
      return "bug";
  }
  return "unknown";
}

void ThrowBadInput(std::string message) {
  throw Error(ErrorKind::kBadInput, std::move(message));
}

void ThrowBug(std::string message) {
  throw Error(ErrorKind::kBug, std::move(message));
}

}  // namespace autodidact::base
