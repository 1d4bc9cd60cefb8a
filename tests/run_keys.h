// The keys of a small run, in which everybody knows everybody.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "net/net.h"

namespace autodidact::tests {

class RunKeys {
 public:
  explicit RunKeys(const std::vector<std::string>& names = {"learner", "actor-0"}) {
    for (const std::string& name : names) pairs_[name] = net::MakeKeyPair();
  }
  net::Security Of(const std::string& name) const {
    net::Security security{.own = pairs_.at(name), .serving = std::nullopt, .known = {}};
    for (const auto& [other, pair] : pairs_) security.known[other] = pair.public_key;
    return security;
  }

 private:
  std::map<std::string, net::KeyPair> pairs_;
};

}  // namespace autodidact::tests
