// A run of several processes that strangers come to, and a role that joins it by a ticket.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zmq.h>

#include <thread>

#include "launch/job/plan.h"
#include "net/net.h"
#include "schema/codec.h"
#include "tests/e2e/tool.h"
#include "tests/paths.h"

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;

constexpr auto kVisitedJob = std::chrono::minutes(3);
constexpr base::Milliseconds kAnswer{10'000};
constexpr base::Milliseconds kNoAnswer{1'000};
constexpr int kSteps = 900;
constexpr int kGroupsPerStep = 6;

class StrangersTest : public testing::Test {
 protected:
  std::unique_ptr<process::Child> Start(const std::string& name) const {
    return std::make_unique<process::Child>(
        ToolOptions({"mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "4", tests::ProgramFile(), "train",
                     "train.yaml", "--set", "folder=" + runs_.string(), "--set", "name=" + name, "--set",
                     "train.max_steps=" + std::to_string(kSteps), "--set", "train.save_steps=0"},
                    BaseFolder()));
  }
  void WaitForStep(const process::Child& job, const std::string& name, std::size_t step) const {
    const auto deadline = base::Deadline::In(kVisitedJob);
    while (LinesSoFar(runs_ / name / "metrics.jsonl") < step) {
      ASSERT_FALSE(job.Wait(base::Deadline::In(std::chrono::milliseconds(20)))) << job.errors();
      ASSERT_FALSE(deadline.Passed()) << job.errors();
    }
  }
  static int CodeOf(const process::Child& job) {
    const auto status = job.Wait(base::Deadline::In(kVisitedJob));
    EXPECT_TRUE(status) << job.errors();
    return status && !status->by_signal ? status->code : -1;
  }
  double Sum(const std::string& name, const std::string& metric) const {
    double sum = 0;
    for (const json::Json& line : ReadLines(runs_ / name / "metrics.jsonl")) sum += line.at(metric).get<double>();
    return sum;
  }
  std::string WeightsOf(const std::string& name) const {
    return json::ReadFile(runs_ / name / "checkpoints" / ("step_000" + std::to_string(kSteps)) /
                          "model/model.safetensors");
  }

  // What the learner answers to the message of somebody with these keys; nothing when it does not.
  static std::optional<schema::Message> Ask(const std::string& learner, const net::Security& security,
                                            const schema::Message& message, base::Milliseconds patience) {
    net::Context context;
    net::Client client(context, {learner}, security, {.name = "x", .peer = "learner", .server = "learner"});
    const auto reply = client.Call(schema::Encode(message), base::Deadline::In(patience), "asking");
    if (!reply.ok()) return std::nullopt;
    return schema::Decode(*reply);
  }
  static bool IsRefused(const std::optional<schema::Message>& answer) {
    return answer && std::holds_alternative<schema::Refused>(*answer);
  }

  const fs::path runs_ = TestFolder();
};

TEST_F(StrangersTest, AreRefusedAndCountedAndTheRunIsTheQuietOne) {
  const auto quiet = Start("quiet");
  ASSERT_EQ(CodeOf(*quiet), 0) << quiet->errors();
  const auto job = Start("visited");
  WaitForStep(*job, "visited", 2);
  const launch::Ticket ticket = launch::ReadTicket(runs_ / "visited/join.ticket");
  const net::Security joiner = ticket.SecurityOf("actor-1");

  schema::ScoredGroup forged;
  forged.actor = "actor-0";
  forged.group.ticket = kSteps * kGroupsPerStep - 1;  // of the last step
  const schema::Message in_anothers_name = forged;
  // With a key of the run: in another's name, for a ticket that it does not hold, and what no actor says.
  EXPECT_TRUE(IsRefused(Ask(ticket.learner, joiner, in_anothers_name, kAnswer)));
  EXPECT_TRUE(
      IsRefused(Ask(ticket.learner, joiner, schema::LeaseRequest{.actor = "actor-0", .max_groups = 1}, kAnswer)));
  schema::ScoredGroup not_lent = forged;
  not_lent.actor = "actor-1";
  EXPECT_TRUE(IsRefused(Ask(ticket.learner, joiner, not_lent, kAnswer)));
  EXPECT_TRUE(IsRefused(Ask(ticket.learner, joiner, schema::Directory{}, kAnswer)));
  EXPECT_TRUE(IsRefused(Ask(ticket.learner, ticket.SecurityOf("judge-1"), not_lent, kAnswer)));
  // Without a key, with an unknown one, with one of another run.
  void* context = zmq_ctx_new();
  void* plain = zmq_socket(context, ZMQ_DEALER);
  const int linger = 0;
  zmq_setsockopt(plain, ZMQ_LINGER, &linger, sizeof linger);
  ASSERT_EQ(zmq_connect(plain, ticket.learner.c_str()), 0);
  zmq_send(plain, "12345678", 8, ZMQ_SNDMORE);
  zmq_send(plain, "a", 1, 0);
  net::Security stranger = joiner;
  stranger.own = net::MakeKeyPair();
  EXPECT_FALSE(Ask(ticket.learner, stranger, in_anothers_name, kNoAnswer));
  const auto other_run = launch::MakeKeys({{"actor", 0, 0, "cpu"}}, 1);
  net::Security foreign = joiner;
  foreign.own = other_run.at("actor-0");
  EXPECT_FALSE(Ask(ticket.learner, foreign, in_anothers_name, kNoAnswer));
  zmq_close(plain);
  zmq_ctx_term(context);
  ASSERT_EQ(CodeOf(*job), 0) << job->errors();
  EXPECT_GE(Sum("visited", "intake/refused"), 5);
  EXPECT_GE(Sum("visited", "net/strangers"), 3);
  EXPECT_EQ(Sum("quiet", "intake/refused"), 0);
  EXPECT_EQ(Sum("quiet", "net/strangers"), 0);
  EXPECT_FALSE(WeightsOf("quiet").empty());
  EXPECT_EQ(WeightsOf("visited"), WeightsOf("quiet"));
  EXPECT_FALSE(fs::exists(runs_ / "visited/join.ticket"));
}

TEST_F(StrangersTest, AnActorJoinsByATicketAndTakesPart) {
  const auto job = Start("run");
  WaitForStep(*job, "run", 1);
  const fs::path file = runs_ / "ticket";
  const auto written = RunTool({"ticket", runs_ / "run", "--out", file}, BaseFolder());
  ASSERT_TRUE(written.status.ok()) << written.err;
  struct stat about {};
  ASSERT_EQ(stat(file.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  process::Child actor(
      ToolOptions({tests::ProgramFile(), "actor", runs_ / "run/config.yaml", "--join", file}, BaseFolder()));
  EXPECT_EQ(CodeOf(*job), 0) << job->errors();
  EXPECT_EQ(CodeOf(actor), 0) << actor.errors() << actor.output();  // it hears that the run is over
  EXPECT_NE((job->output() + job->errors()).find("actor-"), std::string::npos);
  EXPECT_EQ(RunTool({"ticket", runs_ / "run", "--out", file}, BaseFolder()).status.code, 2);
}

}  // namespace
}  // namespace autodidact::e2e
