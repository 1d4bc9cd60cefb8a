// Every end of a conversation against messages with wrong values and wrong bytes: nothing ends, nothing hangs, and all
// that is refused is counted. AUTODIDACT_DOOR_MESSAGES in the environment: how many of them each end gets.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "actors/actor.h"
#include "anchor_service/service.h"
#include "judge_service/service.h"
#include "learner/coordinator.h"
#include "learner/policy_trainer.h"
#include "membership/heartbeat_sender.h"
#include "tests/door/mutation.h"
#include "tests/scripted_peer.h"
#include "tests/tiny_model.h"
#include "weights/assembly.h"
#include "weights/flat_set.h"

namespace autodidact::door {
namespace {

using schema::Message;
using tests::kSoon;

std::uint64_t NumMessages() {
  const char* asked = std::getenv("AUTODIDACT_DOOR_MESSAGES");
  return asked == nullptr ? 600 : std::strtoull(asked, nullptr, 10);
}

// A model over a few symbols, and messages as a run with it sends them.
class DoorTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_GT(NumMessages(), 0u) << "AUTODIDACT_DOOR_MESSAGES is no number above zero: nothing would be tested";
    folder_ = std::filesystem::path(testing::TempDir()) /
              (std::string("door_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
    tests::TinyModel tiny = tests::MakeTinyModel({"a", "b", "c", "|", "=>"}, folder_ / "tokenizer.json");
    tokenizer_ = std::move(tiny.tokenizer);
    weights_ = std::move(tiny.weights);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static schema::Rollout SomeRollout(schema::TokenId first) {
    schema::Rollout rollout;
    rollout.ids = {first, 4, 2};
    rollout.logprobs = rollout.sampled_logprobs = {-1, -2, -0.5F};
    rollout.text = "a b";
    return rollout;
  }
  static schema::ScoredGroup SomeGroup(schema::Ticket ticket) {
    schema::ScoredGroup scored;
    scored.actor = "actor-0";
    scored.group = {.ticket = ticket, .prompt_ids = {1, 5}, .rollouts = {SomeRollout(3), SomeRollout(4)}};
    scored.reference = schema::Reference{.text = "a b", .generation = "=> a b", .rubric = {{"is short", 1}}};
    scored.verdicts = {{.rollout = 0, .kind = schema::VerdictKind::kMet}, {.rollout = 1}};
    scored.rewards = {1.0, 0.0};
    scored.rollout_seconds = 1;
    return scored;
  }
  static schema::Heartbeat SomeHeartbeat() {
    return {.role = "judge-0",
            .kind = schema::RoleKind::kJudge,
            .endpoint = "inproc://judge-0",
            .host = "here",
            .doing = "judging",
            .report = {{"judge/cache_hit", 1}}};
  }
  static schema::JudgeRequest SomeJudgement() {
    return {.ticket = 5, .target = schema::WholeText{"a b"}, .responses = {"a b", "b"}, .lengths = {3, 2}};
  }
  static schema::LeaseReply SomeLeases(schema::Ticket ticket) {
    const schema::Prompt prompt{.id = "q", .text = "a", .messages = {}};
    return {.state = schema::RunState::kRunning,
            .leases = {{.ticket = ticket, .prompt = prompt, .attempt = 1, .milliseconds = 50, .min_version = 0}}};
  }
  static schema::Directory SomeDirectory() {
    return {.weights = "inproc://weights", .anchors = {"inproc://anchor-0"}, .judges = {"inproc://judge-0"}};
  }

  // What a server at `endpoint` says to every wrong message made of `valid`; it must say something to each.
  struct Told {
    std::uint64_t replies = 0;
    std::uint64_t refused = 0;
    std::uint64_t failures = 0;
  };
  Told Knock(const std::string& endpoint, const std::vector<Message>& valid) {
    net::Client client(context_, {endpoint}, {}, {.name = "stranger", .peer = endpoint});
    Told told;
    for (std::uint64_t i = 0; i < NumMessages() && !HasFailure(); ++i) {
      std::string bytes = WrongMessage(valid, i);
      const auto reply = client.Call(Impatient(std::move(bytes)), base::Deadline::In(kSoon), "knocking");
      EXPECT_TRUE(reply.ok()) << "message " << i << ": " << reply.failure().reason;
      if (!reply.ok()) break;
      const Message answer = schema::Decode(*reply);
      ++told.replies;
      told.refused += std::holds_alternative<schema::Refused>(answer);
      told.failures += std::holds_alternative<schema::FailureReply>(answer);
    }
    return told;
  }
  // A request for weights that do not exist may wait for them; here nobody has the time.
  static std::string Impatient(std::string bytes) {
    try {
      Message message = schema::Decode(bytes);
      if (auto* request = std::get_if<schema::WeightRequest>(&message)) {
        request->wait_milliseconds = 0;
        return schema::Encode(message);
      }
    } catch (const base::Error&) {  // the bytes are what is to be sent
    }
    return bytes;
  }

  net::Context context_;
  std::filesystem::path folder_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  model::SharedWeights weights_;
};

TEST_F(DoorTest, TheLearnersIntakeTrainsOnNothingWrong) {
  std::vector<schema::Prompt> prompts(3);
  for (std::size_t i = 0; i < prompts.size(); ++i) prompts[i].id = prompts[i].text = std::to_string(i);
  learner::Coordinator coordinator(
      context_, {},
      {.endpoint = "inproc://learner",
       .hold = base::Milliseconds(0),
       .groups = {.num_rollouts = 2, .vocab_size = 8, .max_completion = 8, .context = 64, .rewards = {0, 1}}},
      learner::PromptQueue({.groups_per_step = 3, .max_staleness = 2, .max_steps = 1'000'000}, prompts));
  coordinator.Announce(0);
  learner::TrainerConfig config;
  const auto communicator = collective::MakeSingle();
  learner::PolicyTrainer trainer(config, *weights_, weights_, *communicator);
  // What is taken is trained on at once, while more comes in.
  std::atomic<bool> done{false};
  std::uint64_t trained = 0;
  std::thread learner([&] {
    while (!done) {
      auto step = coordinator.WaitForStep(base::Deadline::In(base::Milliseconds(20)), {});
      if (!step.ok()) continue;
      for (const schema::ScoredGroup& group : step->groups) {
        EXPECT_FALSE(schema::Check(group, {2, 8, 8, 64, {0, 1}}, 0)) << schema::Describe(group);
      }
      const auto result = trainer.Step(step->groups, {});
      for (const auto& [name, value] : result.metrics) EXPECT_TRUE(std::isfinite(value)) << name;
      trained += step->groups.size();
      coordinator.Announce(0);
    }
  });
  std::vector<Message> valid = {schema::LeaseRequest{.actor = "actor-0", .max_groups = 4}, SomeHeartbeat(),
                                SomeDirectory()};
  for (schema::Ticket ticket = 0; ticket < 6; ++ticket) valid.emplace_back(SomeGroup(ticket));
  const Told told = Knock("inproc://learner", valid);
  done = true;
  learner.join();
  EXPECT_GT(trained, 0u);
  EXPECT_GT(told.refused, NumMessages() / 4);
  EXPECT_EQ(coordinator.TakeReports().at("intake/refused"), static_cast<double>(told.refused));
}

TEST_F(DoorTest, TheAnchorAnswersEverything) {
  anchor_service::ServiceConfig config{.endpoint = "inproc://anchor"};
  config.synthesis.prompt.instruction = "{candidates} =>";
  config.synthesis.prompt.candidate = "| {text}";
  config.synthesis.prompt.separator = " ";
  config.synthesis.sampling.max_new_tokens = 4;
  config.synthesis.rule.extractor = answers::Extractor::kWholeText;
  anchor_service::Service service(context_, {}, config, weights_, *tokenizer_);
  std::jthread thread([&](const std::stop_token& stop) { service.Run(stop); });
  const Told told =
      Knock("inproc://anchor", {schema::SynthesisRequest{7, {"a b", "b"}}, schema::SynthesisRequest{8, {"a"}}});
  EXPECT_GT(told.refused, 0u);
  EXPECT_EQ(service.TakeRefused(), told.refused);
}

TEST_F(DoorTest, TheJudgeAnswersEverything) {
  judge_service::ServiceConfig config{.endpoint = "inproc://judge"};
  config.program.extractor = answers::Extractor::kWholeText;
  judge_service::Service service(context_, {}, config);
  std::jthread thread([&](const std::stop_token& stop) { service.Run(stop); });
  const Told told = Knock("inproc://judge", {SomeJudgement(), SomeHeartbeat()});
  EXPECT_GT(told.refused, 0u);
  EXPECT_EQ(service.TakeMetrics().at("judge/refused"), static_cast<double>(told.refused));
}

TEST_F(DoorTest, TheWeightPublisherAnswersEverything) {
  weights::WeightStore store;
  store.Publish(weights_);
  weights::WeightPublisher publisher(store, context_, "inproc://weights", {}, /*part_bytes=*/1'000);
  const Told told = Knock("inproc://weights", {schema::WeightRequest{}, schema::WeightRequest{.part = 1},
                                               schema::WeightRequest{.has_version = true}, SomeLeases(1)});
  EXPECT_GT(told.refused, 0u);
  EXPECT_EQ(publisher.TakeRefused(), told.refused);
}

TEST_F(DoorTest, PartsOfWeightsThatAreWrongAreRefused) {
  weights::WeightStore store;
  store.Publish(weights_);
  weights::WeightPublisher publisher(store, context_, "inproc://weights", {}, /*part_bytes=*/4'000);
  net::Client client(context_, {"inproc://weights"}, {}, {.name = "actor-0", .peer = "weights"});
  std::vector<Message> parts;
  for (std::uint32_t part = 0;; ++part) {
    const auto reply =
        client.Call(schema::Encode(schema::WeightRequest{.part = part}), base::Deadline::In(kSoon), "weights");
    ASSERT_TRUE(reply.ok());
    Message message = schema::Decode(*reply);
    if (!std::holds_alternative<schema::WeightPart>(message)) break;
    parts.push_back(std::move(message));
  }
  ASSERT_GT(parts.size(), 1u);
  const auto whole = [&](const std::vector<Message>& from) {
    weights::Assembly assembly(std::get<schema::WeightPart>(from[0]), weights_->config(), nullptr, 0);
    for (std::size_t p = 1; p < from.size(); ++p) assembly.Add(std::get<schema::WeightPart>(from[p]));
    return assembly.Finish().size();
  };
  const auto size = whole(parts);
  std::uint64_t refused = 0;
  for (std::uint64_t i = 0; i < NumMessages(); ++i) {
    std::vector<Message> wrong = parts;
    try {
      Message message = schema::Decode(WrongMessage(parts, i));
      if (!std::holds_alternative<schema::WeightPart>(message)) continue;
      wrong[i / 2 % parts.size()] = std::move(message);
      EXPECT_EQ(whole(wrong), size);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput) << error.message();
      ++refused;
    }
  }
  EXPECT_GT(refused, NumMessages() / 4);
}

// Each peer of the courier in turn answers with wrong messages; each group comes to its end.
TEST_F(DoorTest, ACourierComesToAnEndWhateverIsAnswered) {
  tests::ScriptedPeer anchor(context_, "inproc://anchor");
  tests::ScriptedPeer judge(context_, "inproc://judge");
  tests::ScriptedPeer learner(context_, "inproc://learner");
  std::atomic<std::uint64_t> next{0};
  std::atomic<int> liar{0};
  const auto answers = [&](int who, const Message& good) {
    return [&, who, good](const Message&) -> std::optional<std::string> {
      return liar == who ? WrongMessage({good}, next++) : schema::Encode(good);
    };
  };
  const schema::Reference reference{.text = "a b", .generation = "a b", .rubric = {{"c", 1}}};
  anchor.Says(answers(0, schema::SynthesisReply{5, reference}));
  judge.Says(answers(1, schema::JudgeReply{5, {{.rollout = 1}}, {1.0, base::Failure{}}}));
  learner.Says(answers(2, schema::SubmitReply{}));
  const auto client = [&](const std::string& peer) {
    return std::make_unique<net::Client>(context_, std::vector<std::string>{"inproc://" + peer}, net::Security{},
                                         net::Client::Options{.name = "actor-0", .peer = peer});
  };
  const auto to_anchor = client("anchor"), to_judge = client("judge"), to_learner = client("learner");
  actors::RefusedReplies refused{0};
  actors::Courier courier({.actor = "actor-0", .attempts = 2}, actors::RemoteAnchor(*to_anchor, refused), *to_judge,
                          *to_learner, refused);
  while (next < NumMessages()) {
    liar = static_cast<int>(next % 3);
    courier.Send({}, SomeGroup(5).group, 1);
    ASSERT_TRUE(courier.WaitUntilBelow(1, base::Deadline::In(kSoon))) << "message " << next;
  }
  EXPECT_GT(refused, 0u);
  for (const auto& group : learner.Heard<schema::ScoredGroup>()) {
    EXPECT_FALSE(schema::Check(group, {2, 8, 8, 64, {0, 1}}, 0)) << schema::Describe(group);
  }
}

TEST_F(DoorTest, HeartbeatsGoOnWhateverIsAnswered) {
  tests::ScriptedPeer learner(context_, "inproc://learner");
  std::atomic<std::uint64_t> next{0};
  learner.Says([&](const Message&) -> std::optional<std::string> {
    // A learner that says what ends the role is believed.
    while (true) {
      std::string bytes = WrongMessage({SomeDirectory(), schema::FailureReply{}}, next++);
      try {
        const Message message = schema::Decode(bytes);
        const auto* directory = std::get_if<schema::Directory>(&message);
        const auto* refused = std::get_if<schema::Refused>(&message);
        if (directory && directory->state == schema::RunState::kFinished) continue;
        if (refused && refused->why == schema::Refusal::kConfig) continue;
      } catch (const base::Error&) {  // what is no message is to be sent
      }
      return bytes;
    }
  });
  net::Client to_learner(context_, {"inproc://learner"}, {}, {.name = "actor-0", .peer = "learner"});
  net::Client to_anchor(context_, {}, {}, {.name = "actor-0", .peer = "anchor"});
  std::atomic<int> over{0};
  {
    membership::HeartbeatSender sender(
        to_learner, {.interval = base::Milliseconds(0)}, [] { return membership::Status{}; },
        [&](const schema::Directory& directory) { to_anchor.SetEndpoints(directory.anchors); }, [&] { ++over; });
    ASSERT_TRUE(learner.IsAsked(NumMessages()));
    EXPECT_FALSE(sender.Lost());
  }
  EXPECT_EQ(over, 0);
}

TEST_F(DoorTest, AnActorWorksOnWhateverIsLent) {
  tests::ScriptedPeer learner(context_, "inproc://learner");
  std::atomic<std::uint64_t> next{0};
  std::stop_source stop;
  learner.Says([&](const Message& asked) -> std::optional<std::string> {
    if (!std::holds_alternative<schema::LeaseRequest>(asked)) return schema::Encode(schema::SubmitReply{});
    while (true) {
      const std::uint64_t i = next++;
      if (i >= NumMessages() / 10) stop.request_stop();
      std::string bytes = WrongMessage({SomeLeases(i)}, i);
      try {
        const Message message = schema::Decode(bytes);
        const auto* reply = std::get_if<schema::LeaseReply>(&message);
        if (reply && reply->state == schema::RunState::kFinished) continue;
        if (std::holds_alternative<schema::Refused>(message)) continue;
      } catch (const base::Error&) {
      }
      return bytes;
    }
  });
  weights::WeightStore store;
  store.Publish(weights_);
  const auto source = weights::MakeLocalSource(store);
  net::Client to_learner(context_, {"inproc://learner"}, {}, {.name = "actor-0", .peer = "learner"});
  net::Client to_judge(context_, {}, {}, {.name = "actor-0", .peer = "judge"});
  actors::RefusedReplies refused{0};
  const auto no_reference = [](const schema::Lease&, const schema::RolloutGroup&, base::Deadline, auto done) {
    done(base::Failure{base::ErrorKind::kBadInput, "none"});
  };
  actors::Courier courier({.actor = "actor-0"}, no_reference, to_judge, to_learner, refused);
  actors::ActorConfig config{.name = "actor-0", .num_generations = 2};
  config.sampling.max_new_tokens = 4;
  config.pause = base::Milliseconds(0);
  config.weights_timeout = base::Milliseconds(10);
  actors::Actor actor(config, {to_learner, *source, refused}, courier, *tokenizer_,
                      [&](const schema::Prompt& prompt) { return tokenizer_->Encode(prompt.text); });
  EXPECT_NO_THROW(actor.Run(stop.get_token()));
  EXPECT_GT(refused, 0u);
  EXPECT_GT(actor.progress(), 0u);
}

}  // namespace
}  // namespace autodidact::door
