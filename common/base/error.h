// The one error type, whose kind says what the caller can do about it, and Outcome for failures that are expected.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace autodidact::base {

enum class ErrorKind {
  kBadInput,      // fix the input: a config, a row, a file, a message from outside
  kRetryLater,    // overloaded or timed out: the same call may succeed later
  kDisconnected,  // the peer is gone: connect again
  kBug,           // an invariant of this program is broken: report it
};

const char* Name(ErrorKind kind);

// Thrown only for what should not happen at the place that throws; the message is one line that says what, where,
// what was found and what was expected. Libraries throw; only launch turns an Error into an exit code.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  ErrorKind kind_;
  std::string message_;
};

// Shorthands for the two commonest kinds.
[[noreturn]] void ThrowBadInput(std::string message);
[[noreturn]] void ThrowBug(std::string message);

// A failure that its receiver is meant to handle: counted, retried or dropped, never turned into a zero.
struct Failure {
  ErrorKind kind = ErrorKind::kRetryLater;
  std::string reason;

  bool operator==(const Failure&) const = default;
};

// A value, or the reason why there is none. Copies if T copies.
template <class T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : state_(std::move(value)) {}            // NOLINT(google-explicit-constructor)
  Outcome(Failure failure) : state_(std::move(failure)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }

  // Throws Error(kBug) when there is no value.
  const T& value() const& {
    Require();
    return std::get<T>(state_);
  }
  T& value() & {
    Require();
    return std::get<T>(state_);
  }
  T&& value() && {
    Require();
    return std::get<T>(std::move(state_));
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  // Only when !ok().
  const Failure& failure() const { return std::get<Failure>(state_); }

  bool operator==(const Outcome&) const = default;

 private:
  void Require() const {
    if (!ok()) ThrowBug("value of a failed outcome: " + failure().reason);
  }

  std::variant<T, Failure> state_;
};

}  // namespace autodidact::base
