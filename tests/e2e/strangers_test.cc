// A run of several processes that strangers come to, and a role that joins it by a ticket.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zmq.h>

#include <algorithm>

#include "launch/job/plan.h"
#include "net/net.h"
#include "schema/codec.h"
#include "tests/e2e/strangers.h"
#include "tests/e2e/tool.h"
#include "tests/paths.h"

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;

constexpr auto kVisitedJob = std::chrono::minutes(4);
constexpr base::Milliseconds kAnswer{10'000};
constexpr base::Milliseconds kNoAnswer{1'000};
constexpr int kSteps = 900;
constexpr int kGroupsPerStep = 6;
constexpr int kCrowds = 20, kOfEach = 500;
constexpr int kFiles = 1024;  // that the visited run may have open

const schema::LeaseRequest kLeaseForAnother{.actor = "actor-0", .max_groups = 1};
// In a handshake: the server's answer to anybody, and to who has shown that it has the keys.
constexpr const char* kWelcome = "\7WELCOME";
constexpr const char* kShaken = "\5READY";

// What the learner answers to the message of somebody with these keys; nothing when it does not.
std::optional<schema::Message> Ask(const std::string& learner, const net::Security& security,
                                   const schema::Message& message, base::Milliseconds patience) {
  net::Context context;
  net::Client client(context, {learner}, security, {.name = "x", .peer = "learner", .server = "learner"});
  const auto reply = client.Call(schema::Encode(message), base::Deadline::In(patience), "asking");
  if (!reply.ok()) return std::nullopt;
  return schema::Decode(*reply);
}
bool IsRefused(const std::optional<schema::Message>& answer) {
  return answer && std::holds_alternative<schema::Refused>(*answer);
}

class StrangersTest : public testing::Test {
 protected:
  std::unique_ptr<process::Child> Start(const std::string& name, std::vector<std::string> command = {}) const {
    for (const std::string& word :
         {std::string("mpirun"), std::string("--allow-run-as-root"), std::string("--oversubscribe"), std::string("-n"),
          std::string("4"), tests::ProgramFile().string(), std::string("train"), std::string("train.yaml"),
          std::string("--set"), "folder=" + runs_.string(), std::string("--set"), "name=" + name, std::string("--set"),
          "train.max_steps=" + std::to_string(kSteps), std::string("--set"), std::string("train.save_steps=0")}) {
      command.push_back(word);
    }
    return std::make_unique<process::Child>(ToolOptions(command, BaseFolder()));
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

  const fs::path runs_ = TestFolder();
};

// Those who know a key of the run: in another's name, for a ticket that they do not hold, and what no actor says.
constexpr int kLies = 5;
void ExpectLiesRefused(const launch::Ticket& ticket) {
  const net::Security joiner = ticket.SecurityOf("actor-1");
  schema::ScoredGroup forged;
  forged.actor = "actor-0";
  forged.group.ticket = kSteps * kGroupsPerStep - 1;  // of the last step
  schema::ScoredGroup not_lent = forged;
  not_lent.actor = "actor-1";
  EXPECT_TRUE(IsRefused(Ask(ticket.learner, joiner, forged, kAnswer)));
  EXPECT_TRUE(IsRefused(Ask(ticket.learner, joiner, kLeaseForAnother, kAnswer)));
  EXPECT_TRUE(IsRefused(Ask(ticket.learner, joiner, not_lent, kAnswer)));
  EXPECT_TRUE(IsRefused(Ask(ticket.learner, joiner, schema::Directory{}, kAnswer)));
  EXPECT_TRUE(IsRefused(Ask(ticket.learner, ticket.SecurityOf("judge-1"), not_lent, kAnswer)));
}

// Without a key, with an unknown one, with one of another run.
void ExpectNoAnswerWithoutAKey(const launch::Ticket& ticket) {
  void* context = zmq_ctx_new();
  void* plain = zmq_socket(context, ZMQ_DEALER);
  const int linger = 0;
  zmq_setsockopt(plain, ZMQ_LINGER, &linger, sizeof linger);
  ASSERT_EQ(zmq_connect(plain, ticket.learner.c_str()), 0);
  zmq_send(plain, "12345678", 8, ZMQ_SNDMORE);
  zmq_send(plain, "a", 1, 0);
  net::Security stranger = ticket.SecurityOf("actor-1");
  stranger.own = net::MakeKeyPair();
  EXPECT_FALSE(Ask(ticket.learner, stranger, kLeaseForAnother, kNoAnswer));
  stranger.own = launch::MakeKeys({{"actor", 0, 0, "cpu"}}, 1).at("actor-0");
  EXPECT_FALSE(Ask(ticket.learner, stranger, kLeaseForAnother, kNoAnswer));
  zmq_close(plain);
  zmq_ctx_term(context);
}

// A client's conversation is listened to, and its bytes are sent once more.
void ExpectNoAnswerToAReplay(const launch::Ticket& ticket) {
  Eavesdropper eavesdropper(tests::PortOf(ticket.learner));
  ASSERT_TRUE(IsRefused(Ask(eavesdropper.endpoint(), ticket.SecurityOf("actor-1"), kLeaseForAnother, kAnswer)));
  eavesdropper.Finish();
  const auto shaken = [](const Turn& turn) { return !turn.asks && turn.bytes.find(kShaken) != std::string::npos; };
  ASSERT_TRUE(std::any_of(eavesdropper.turns().begin(), eavesdropper.turns().end(), shaken));
  const Heard heard = Replay(tests::PortOf(ticket.learner), eavesdropper.turns(), kAnswer);
  EXPECT_TRUE(heard.closed);
  EXPECT_NE(heard.bytes.find(kWelcome), std::string::npos);
  EXPECT_EQ(heard.bytes.find(kShaken), std::string::npos);
}

TEST_F(StrangersTest, AreRefusedAndCountedAndTheRunIsTheQuietOne) {
  const tests::Crowd crowd(kCrowds, kOfEach);
  const auto quiet = Start("quiet");
  ASSERT_EQ(CodeOf(*quiet), 0) << quiet->errors();
  const auto job = Start("visited", {"bash", "-c", "ulimit -n " + std::to_string(kFiles) + " && exec \"$@\"", "bash"});
  WaitForStep(*job, "visited", 2);
  const launch::Ticket ticket = launch::ReadTicket(runs_ / "visited/join.ticket");

  ExpectNoAnswerToAReplay(ticket);
  WaitForStep(*job, "visited", ReadLines(runs_ / "visited/metrics.jsonl").size() + 2);
  EXPECT_GE(Sum("visited", "net/strangers"), 1);
  EXPECT_EQ(crowd.ConnectTo(tests::PortOf(ticket.learner)), kCrowds * kOfEach);
  ExpectLiesRefused(ticket);
  ExpectNoAnswerWithoutAKey(ticket);
  ASSERT_EQ(CodeOf(*job), 0) << job->errors();
  // Of the replay there is only what was listened to.
  EXPECT_EQ(Sum("visited", "intake/refused"), kLies + 1);
  EXPECT_GE(Sum("visited", "net/strangers"), kCrowds * kOfEach - kFiles);
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
