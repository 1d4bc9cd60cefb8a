#include <thread>

#include "base/check.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/wait_log.h"
#include "net/client_loop.h"
#include "net/context.h"

namespace autodidact::net {
class Client::Impl {
 public:
  Impl(void* context, std::vector<std::string> endpoints, const Security& security, Options options)
      : security_(security), options_(std::move(options)) {
    SetEndpoints(std::move(endpoints));
    thread_ = base::StartThread<std::thread>("net.client.thread", [this, context, role = base::LogRole()] {
      base::SetLogRole(role);
      ClientLoop(context, security_, options_, inbox_, wakeup_).Run();
    });
  }

  ~Impl() {
    Close();
    thread_.join();
  }

  void Close() {
    inbox_.With([](Inbox& inbox) { inbox.closing = true; });
    wakeup_.Signal();
  }

  void SetEndpoints(std::vector<std::string> endpoints) {
    for (const auto& endpoint : endpoints) RequireAskable(endpoint, security_, options_.server);
    inbox_.With([&](Inbox& inbox) { inbox.endpoints = std::move(endpoints); });
    wakeup_.Signal();
  }

  void CallAsync(Outgoing call) {
    const bool taken = inbox_.With([&](Inbox& inbox) {
      if (inbox.closing) return false;
      inbox.calls.push_back(std::move(call));
      return true;
    });
    if (taken) {
      wakeup_.Signal();
    } else {
      call.done(base::Failure{base::ErrorKind::kDisconnected,
                              base::Format("{}: {}: the client is closed", options_.peer, call.doing)});
    }
  }

  base::Outcome<std::string> CallAndWait(std::string bytes, base::Deadline deadline, const std::string& doing) {
    AD_CHECK(std::this_thread::get_id() != thread_.get_id(), "net: '{}' blocks the client's own thread", doing);
    using Answer = base::Guarded<std::optional<base::Outcome<std::string>>>;
    const auto answer = std::make_shared<Answer>();
    const auto since = base::Clock::now();
    CallAsync({std::make_shared<const std::string>(std::move(bytes)), deadline, since, doing,
               [answer](base::Outcome<std::string> outcome) {
                 answer->With([&](auto& value) { value = std::move(outcome); });
               }});
    // The client's thread fails the call at its deadline and knows best why; a little patience lets it say so.
    constexpr base::Milliseconds kPatience{200};
    const auto there = [](const auto& value) { return value.has_value(); };
    if (base::WaitTold(
            base::Deadline(deadline.at() + kPatience), [&] { return base::Format("the {}: {}", options_.peer, doing); },
            [&](base::Deadline until) { return answer->WaitUntil(until, there); })) {
      return answer->With([](auto& value) { return std::move(*value); });
    }
    return base::Failure{base::ErrorKind::kRetryLater, base::Format("{}: no reply to '{}' within {:.1f} s",
                                                                    options_.peer, doing, base::SecondsSince(since))};
  }

 private:
  const Security security_;
  const Options options_;
  base::Guarded<Inbox> inbox_;
  Wakeup wakeup_;
  std::thread thread_;
};

Client::Client(Context& context, std::vector<std::string> endpoints, const Security& security, Options options)
    : impl_(std::make_unique<Impl>(context.impl_->handle(), std::move(endpoints), security, std::move(options))) {}
Client::~Client() = default;

base::Outcome<std::string> Client::Call(std::string bytes, base::Deadline deadline, const std::string& doing) {
  return impl_->CallAndWait(std::move(bytes), deadline, doing);
}

void Client::CallAsync(std::string bytes, base::Deadline deadline, std::string doing,
                       std::function<void(base::Outcome<std::string>)> done) {
  impl_->CallAsync({std::make_shared<const std::string>(std::move(bytes)), deadline, base::Clock::now(),
                    std::move(doing), std::move(done)});
}

void Client::Close() {
  impl_->Close();
}

void Client::SetEndpoints(std::vector<std::string> endpoints) {
  impl_->SetEndpoints(std::move(endpoints));
}

}  // namespace autodidact::net
