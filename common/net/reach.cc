#include "net/reach.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <random>
#include <thread>

#include "base/check.h"
#include "base/fault.h"
#include "net/wakeup.h"

namespace autodidact::net {
namespace {

// Beyond what any network takes in one packet, so that a way on which only small ones pass is noticed.
constexpr std::size_t kLoadBytes = std::size_t{1} << 16;
constexpr std::size_t kMessageBytes = ReachDesk::kTokenBytes + kLoadBytes;
constexpr std::size_t kMostVisitors = 512;
constexpr int kQueue = 512;

class OwnSocket {
 public:
  OwnSocket() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}
  explicit OwnSocket(int fd) : fd_(fd) {}
  ~OwnSocket() {
    if (fd_ >= 0) close(fd_);
  }
  OwnSocket(OwnSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnSocket& operator=(OwnSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

sockaddr_in SocketAddress(const std::string& address, int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  if (inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) {
    base::ThrowBadInput("net: got '" + address + "', expected an IPv4 address");
  }
  return to;
}

bool IsPassing(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// What is said in both directions: the token, the one who answers with its bytes inverted, and the load.
std::string Question(const std::string& token) {
  return token + std::string(kLoadBytes, 'q');
}
std::string Answer(const std::string& token) {
  std::string inverted = token;
  for (char& byte : inverted) byte = static_cast<char>(~byte);
  return inverted + std::string(kLoadBytes, 'a');
}

// One end of a trial: writes one message and reads one.
struct Talk {
  OwnSocket socket;
  std::string to_send;
  std::size_t sent = 0;
  std::string received;

  bool AllSent() const { return sent == to_send.size(); }
  bool AllReceived() const { return received.size() == kMessageBytes; }

  // 0, or the error that ends it; ECONNRESET where the other end closed before it had said all.
  int Send() {
    while (!AllSent()) {
      const auto count = base::FaultFails("net.reach.send")
                             ? -1
                             : send(socket.fd(), to_send.data() + sent, to_send.size() - sent, MSG_NOSIGNAL);
      if (count < 0) return IsPassing(errno) ? 0 : errno;
      sent += static_cast<std::size_t>(count);
    }
    return 0;
  }
  int Receive() {
    std::array<char, 1 << 14> buffer{};
    while (!AllReceived()) {
      const std::size_t room = std::min(buffer.size(), kMessageBytes - received.size());
      const auto count = base::FaultFails("net.reach.receive") ? -1 : recv(socket.fd(), buffer.data(), room, 0);
      if (count < 0) return IsPassing(errno) ? 0 : errno;
      if (count == 0) return ECONNRESET;
      received.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return 0;
  }
};

std::string WhyFailed(int error) {
  switch (error) {
    case ECONNREFUSED:
      return "refused: a firewall rejects the port, or the process there is gone";
    case EHOSTUNREACH:
    case ENETUNREACH:
      return "no route leads there: the network is another one, or the host is down";
    case ECONNRESET:
      return "something else answers at this port";
    default:
      return std::strerror(error);
  }
}

// One target's side of TryToReach.
class Trial {
 public:
  explicit Trial(const ReachTarget& target) : target_(target) {
    talk_.to_send = Question(target.token);
    const sockaddr_in to = SocketAddress(target.address, target.port);
    const int result = connect(talk_.socket.fd(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
    if (result != 0 && errno != EINPROGRESS) End(errno);
  }

  bool over() const { return over_; }
  int fd() const { return talk_.socket.fd(); }
  short Events() const { return static_cast<short>(talk_.AllSent() ? POLLIN : POLLIN | POLLOUT); }

  void Proceed() {
    if (!connected_) {
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) return End(error);
      connected_ = true;
    }
    int error = talk_.Send();
    if (error == 0) error = talk_.Receive();
    if (error != 0) return End(error);
    if (!talk_.AllReceived()) return;
    over_ = true;
    if (talk_.received != Answer(target_.token)) why_ = WhyFailed(ECONNRESET);
  }

  // The deadline has passed.
  std::string Conclude(double waited) const {
    if (over_) return why_;
    if (!connected_) {
      return base::Format("silence for {:.1f} s: a firewall drops what is sent there, or the host is down", waited);
    }
    return base::Format(
        "connected, but {} KiB did not come through in {:.1f} s: a firewall, or a network on the way that takes "
        "smaller "
        "packets (MTU)",
        kLoadBytes / 1024, waited);
  }

 private:
  void End(int error) {
    over_ = true;
    why_ = WhyFailed(error);
  }

  const ReachTarget& target_;
  Talk talk_;
  bool connected_ = false;
  bool over_ = false;
  std::string why_;
};

}  // namespace

class ReachDesk::Impl {
 public:
  Impl(const std::string& address, const PortRange& ports, const std::string& token)
      : question_(Question(token)), answer_(Answer(token)) {
    AD_CHECK(token.size() == kTokenBytes, "a token of {} bytes", token.size());
    Bind(address, ports);
    AD_CHECK(listen(listener_.fd(), kQueue) == 0, "listen: {}", std::strerror(errno));
    thread_ = base::StartThread<std::thread>("net.reach.thread", [this] { Run(); });
  }

  ~Impl() {
    stopping_ = true;
    wakeup_.Signal();
    thread_.join();
  }

  int port() const { return port_; }

 private:
  void Bind(const std::string& address, const PortRange& ports) {
    const int count = ports.last - ports.first + 1;
    const int start = static_cast<int>(std::random_device()() % static_cast<unsigned>(count));
    for (int i = 0; i < count; ++i) {
      sockaddr_in own = SocketAddress(address, ports.first + (start + i) % count);
      if (bind(listener_.fd(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0) {
        socklen_t size = sizeof own;
        getsockname(listener_.fd(), reinterpret_cast<sockaddr*>(&own), &size);
        port_ = ntohs(own.sin_port);
        return;
      }
      if (errno != EADDRINUSE) break;
    }
    const int error = errno;
    base::ThrowBadInput(base::Format("net: cannot listen at {}:{}: {}", address, Name(ports),
                                     error == EADDRINUSE ? "all ports of the range are in use" : std::strerror(error)));
  }

  void Run() {
    while (!stopping_) {
      std::vector<pollfd> polled{{wakeup_.fd(), POLLIN, 0}, {listener_.fd(), POLLIN, 0}};
      if (visitors_.size() >= kMostVisitors) polled[1].events = 0;
      for (const Talk& visitor : visitors_) {
        const bool answering = !visitor.to_send.empty();
        polled.push_back({visitor.socket.fd(), static_cast<short>(answering ? POLLOUT : POLLIN), 0});
      }
      poll(polled.data(), polled.size(), -1);  // ended by the destructor's signal
      for (std::size_t i = visitors_.size(); i-- > 0;) {
        if (polled[i + 2].revents != 0 && !Serve(visitors_[i])) visitors_.erase(visitors_.begin() + i);
      }
      if ((polled[1].revents & POLLIN) != 0) Welcome();
    }
  }

  void Welcome() {
    OwnSocket visitor(accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (visitor.fd() >= 0) visitors_.push_back({std::move(visitor), {}, 0, {}});
  }

  // False when the visitor is done with.
  bool Serve(Talk& visitor) const {
    if (visitor.to_send.empty()) {
      if (visitor.Receive() != 0) return false;
      const std::size_t known = std::min(visitor.received.size(), kTokenBytes);
      if (visitor.received.compare(0, known, question_, 0, known) != 0) return false;
      if (!visitor.AllReceived()) return true;
      visitor.to_send = answer_;
    }
    return visitor.Send() == 0 && !visitor.AllSent();
  }

  const std::string question_;
  const std::string answer_;
  OwnSocket listener_;
  int port_ = 0;
  Wakeup wakeup_;
  std::atomic<bool> stopping_{false};
  std::vector<Talk> visitors_;  // of the thread
  std::thread thread_;
};

ReachDesk::ReachDesk(const std::string& address, const PortRange& ports, const std::string& token)
    : impl_(std::make_unique<Impl>(address, ports, token)) {}
ReachDesk::~ReachDesk() = default;

int ReachDesk::port() const {
  return impl_->port();
}

std::vector<std::string> TryToReach(const std::vector<ReachTarget>& targets, base::Deadline deadline) {
  const auto since = base::Clock::now();
  std::vector<Trial> trials;
  trials.reserve(targets.size());
  for (const ReachTarget& target : targets) trials.emplace_back(target);
  while (!deadline.Passed()) {
    std::vector<pollfd> polled;
    std::vector<Trial*> open;
    for (Trial& trial : trials) {
      if (trial.over()) continue;
      polled.push_back({trial.fd(), trial.Events(), 0});
      open.push_back(&trial);
    }
    if (open.empty()) break;
    poll(polled.data(), polled.size(), static_cast<int>(deadline.Left().count()) + 1);
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (polled[i].revents != 0) open[i]->Proceed();
    }
  }
  std::vector<std::string> failures;
  for (const Trial& trial : trials) failures.push_back(trial.Conclude(base::SecondsSince(since)));
  return failures;
}

std::string MakeReachToken() {
  std::string token(ReachDesk::kTokenBytes, '\0');
  std::size_t filled = 0;
  while (filled < token.size()) {
    const auto count = getrandom(token.data() + filled, token.size() - filled, 0);
    AD_CHECK(count > 0 || errno == EINTR, "getrandom: {}", std::strerror(errno));
    if (count > 0) filled += static_cast<std::size_t>(count);
  }
  return token;
}

}  // namespace autodidact::net
