// A signal may reach any rank of a job: how all of them hear of it.
#pragma once

#include <string>
#include <thread>

#include "net/net.h"
#include "process/ending.h"

namespace autodidact::launch {

// Rank 0's end: takes what other ranks were sent, and tells them what was requested here. Its thread answers at once.
class StopDesk {
 public:
  // `bind` as net::Server takes it. The ending must outlive it.
  StopDesk(net::Context& context, const std::string& bind, const net::Security& security, process::Ending& ending);
  const std::string& endpoint() const { return server_.endpoint(); }

 private:
  net::Server server_;
};

// The end of another rank: asks and tells the desk several times a second. A request that the desk does not hear within
// seconds ends this process, since nobody else would.
class StopLine {
 public:
  // The ending must outlive it.
  StopLine(net::Context& context, const std::string& desk, const net::Security& security, process::Ending& ending);
  ~StopLine();
  StopLine(const StopLine&) = delete;
  StopLine& operator=(const StopLine&) = delete;

 private:
  void Talk(const std::stop_token& stop);

  process::Ending& ending_;
  net::Client client_;
  std::jthread thread_;
};

}  // namespace autodidact::launch
