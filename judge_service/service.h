// The judge service: scores every response of a group against its reference.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bounded_queue.h"
#include "judge_service/model_judge.h"
#include "judge_service/program_judge.h"
#include "net/net.h"
#include "schema/types.h"

namespace autodidact::judge_service {

struct ServiceConfig {
  std::string endpoint = "inproc://judge-0";
  ProgramJudgeConfig program;
  std::size_t queue = 4096;  // requests waiting; beyond that the answer is "retry later"
};

// Stateless request -> reply: any replica can answer. A message that is not as it should be gets a Refused. Run belongs
// to one thread; the server's thread fills the queue.
class Service {
 public:
  // With a model judge it judges every request by a model, without one by the program.
  Service(net::Context& context, const net::Security& security, ServiceConfig config,
          std::unique_ptr<ModelJudge> model_judge = nullptr);

  const std::string& endpoint() const { return server_->endpoint(); }

  // Blocks, answering requests, until `stop` is requested.
  void Run(const std::stop_token& stop);

  // For heartbeats, from any thread.
  std::string Doing() const;
  std::uint64_t progress() const { return progress_; }
  // "judge/refused", messages that were refused since the last call, and the model judge's.
  base::Metrics TakeMetrics();

 private:
  void Answer(net::Incoming incoming);
  void Take(schema::Message message, net::Incoming& incoming);
  void Refuse(net::Incoming& incoming, schema::Refused refused);
  void AskModel(schema::JudgeRequest request, net::Incoming& incoming);

  ServiceConfig config_;
  const std::unique_ptr<ModelJudge> model_judge_;
  // Who waits for the model judge, by the bytes of the request: one that is sent again joins the first.
  std::map<std::string, std::vector<net::ReplyHandle>> waiting_;
  base::BoundedQueue<net::Incoming> queue_;
  std::atomic<std::uint64_t> progress_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::unique_ptr<net::Server> server_;  // last: its thread uses the queue
};

}  // namespace autodidact::judge_service
