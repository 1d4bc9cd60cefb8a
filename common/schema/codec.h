// Messages to bytes and back. Bytes from outside are never trusted: what does not decode is Error(kBadInput).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "schema/types.h"

namespace autodidact::schema {

// The largest message that is read; kinds that say little may have much less.
inline constexpr std::size_t kMaxMessageBytes = std::size_t{256} << 20;

// Cap'n Proto's canonical flat form of one Message: equal messages give equal bytes.
std::string Encode(const Message& message);

// Throws Error(kBadInput) for bytes that are not a message: cut, malformed, unknown kind, an enum out of range, or more
// in it than its bytes hold. Takes time and memory in proportion to the bytes. What is decoded need make no sense:
// validate.h.
Message Decode(std::string_view bytes);

// Decodes a message that must be a T. A FailureReply comes back as the failure that it carries, a Refused as a failure
// (kBadInput); any other kind is Error(kBadInput) naming both kinds.
template <class T>
base::Outcome<T> DecodeReply(std::string_view bytes) {
  Message message = Decode(bytes);
  if (auto* wanted = std::get_if<T>(&message)) return std::move(*wanted);
  if (auto* failed = std::get_if<FailureReply>(&message)) return std::move(failed->failure);
  if (auto* refused = std::get_if<Refused>(&message)) {
    return base::Failure{base::ErrorKind::kBadInput,
                         std::string("refused (") + Name(refused->why) + "): " + refused->text};
  }
  base::ThrowBadInput(std::string("message: got ") + Name(message) + ", expected " + Name(Message(T{})));
}

// One line for people (`inspect`), in Cap'n Proto's text notation; payload bytes are shown as their size.
std::string Describe(const Message& message);

}  // namespace autodidact::schema
