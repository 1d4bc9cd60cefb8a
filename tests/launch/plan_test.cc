#include "launch/job/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "base/error.h"
#include "json/json.h"
#include "launch/job/learners.h"
#include "launch/job/orders.h"

namespace autodidact::launch {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

// A run on two hosts.
class PlanTest : public testing::Test {
 protected:
  PlanTest() { plan_.keys = MakeKeys(plan_.roles, plan_.hosts.size()); }

  template <class Fn>
  static std::string ErrorOf(Fn fn) {
    try {
      fn();
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
      return error.message();
    }
    return "no error";
  }
  std::string Command(bool again = false) const {
    std::string all;
    for (const std::string& word : LearnersCommand(plan_, folder_.path(), again))
      all += (all.empty() ? "" : " ") + word;
    return all;
  }

  PrivateFolder folder_;
  JobPlan plan_{
      .binary = "/opt/bin/autodidact",
      .config_file = "train.yaml",
      .arguments = {"--resume"},
      .verbose = false,
      .ports = "40000-40100",
      .hosts = {{"e0", "10.7.0.1", 24}, {"e0", "10.7.0.2", 24}},
      .roles = {{"learner", 0, 0, "cpu"}, {"actor", 0, 0, "cpu"}, {"anchor", 0, 1, "cuda:1"}, {"judge", 0, 1, "cpu"}},
      .supervisor = "tcp://10.7.0.1:40000",
      .learner = "tcp://10.7.0.1:40001",
      .keys = {}};
};

TEST_F(PlanTest, APlanReadsBackAsItWas) {
  const JobPlan read = ParsePlan(Encode(plan_));
  EXPECT_EQ(Encode(read), Encode(plan_));
  EXPECT_EQ(read.roles[2].device, "cuda:1");
  EXPECT_THAT(ErrorOf([] { ParsePlan("{}"); }), HasSubstr("the plan of a run"));
}

TEST_F(PlanTest, APlanThatLacksWhatItsRolesNeedIsRefused) {
  const auto refused = [&](const std::function<void(json::Json&)>& change) {
    json::Json plan = json::Parse(Encode(plan_), "plan");
    change(plan);
    return ErrorOf([&] { ParsePlan(json::Dump(plan)); });
  };
  EXPECT_THAT(refused([](json::Json& plan) { plan["roles"][1][2] = 2; }), HasSubstr("actor-0"));
  EXPECT_THAT(refused([](json::Json& plan) { plan["roles"][1][0] = "cook"; }), HasSubstr("cook-0"));
  EXPECT_THAT(refused([](json::Json& plan) { plan["roles"][1][1] = 70; }), HasSubstr("actor-70"));
  EXPECT_THAT(refused([](json::Json& plan) { plan["hosts"] = json::Json::array(); }), HasSubstr("no host"));
  for (const json::Json& number : {json::Json(-1), json::Json(0.5), json::Json(1e300), json::Json(true)}) {
    EXPECT_THAT(refused([&](json::Json& plan) { plan["roles"][1][2] = number; }), HasSubstr("whole number"));
    EXPECT_THAT(refused([&](json::Json& plan) { plan["hosts"][0][2] = number; }), HasSubstr("from 0 to 32"));
  }
  EXPECT_THAT(refused([](json::Json& plan) { plan["hosts"][0][2] = 33; }), HasSubstr("from 0 to 32"));
  for (const char* name : {"learner", "supervisor", "starter", "anchor", "judge-3", "actor-32", "agent-1"}) {
    EXPECT_THAT(refused([&](json::Json& plan) { plan["keys"].erase(name); }), HasSubstr(name));
  }
}

TEST_F(PlanTest, ARoleHasItsOwnKeysAloneAndKnowsWhoTheOthersAre) {
  const Ticket anchor = plan_.ForRole(plan_.roles[2]);
  EXPECT_EQ(anchor.bind, "tcp://10.7.0.2:40000-40100");
  EXPECT_EQ(anchor.keys.size(), 2u);  // and what anchors share
  EXPECT_TRUE(anchor.keys.contains("anchor-0") && anchor.keys.contains("anchor"));
  EXPECT_EQ(anchor.known.at("actor-0"), plan_.keys.at("actor-0").public_key);
  EXPECT_EQ(Encode(ParseTicket(Encode(anchor), "here")), Encode(anchor));
  const net::Security security = anchor.SecurityOf("anchor-0");
  EXPECT_EQ(security.own->secret_key, plan_.keys.at("anchor-0").secret_key);
  EXPECT_EQ(security.serving->secret_key, plan_.keys.at("anchor").secret_key);
  EXPECT_FALSE(plan_.ForRole(plan_.roles[1]).SecurityOf("actor-0").serving);
  EXPECT_THAT(ErrorOf([&] { anchor.SecurityOf("learner"); }), HasSubstr("no key of learner"));
}

TEST_F(PlanTest, WhoJoinsLaterCannotBeAnyRoleThatIsPlaced) {
  const Ticket ticket = plan_.ForJoiners();
  for (const char* name : {"actor-0", "anchor-0", "judge-0", "learner", "supervisor", "agent-0"}) {
    EXPECT_FALSE(ticket.keys.contains(name)) << name;
  }
  for (const char* name : {"actor-1", "anchor-1", "judge-1", "anchor", "judge"}) {
    EXPECT_TRUE(ticket.keys.contains(name)) << name;
  }
  for (const auto& [name, pair] : ticket.keys) EXPECT_EQ(ticket.known.at(name), pair.public_key);
}

TEST_F(PlanTest, ATicketIsAFileOfItsOwnerAlone) {
  const auto file = folder_.path() / "ticket";
  WriteTicket(file, plan_.ForJoiners());
  struct stat about {};
  ASSERT_EQ(stat(file.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  EXPECT_EQ(Encode(ReadTicket(file)), Encode(plan_.ForJoiners()));
  WriteTicket(file, plan_.ForStarter());  // in the place of the old one
  std::filesystem::permissions(file, std::filesystem::perms::group_read, std::filesystem::perm_options::add);
  EXPECT_THAT(ErrorOf([&] { ReadTicket(file); }), HasSubstr("others may read it"));
  EXPECT_THAT(ErrorOf([&] { ReadTicket(folder_.path() / "none"); }), HasSubstr("none"));
}

TEST_F(PlanTest, WhatIsNoTicketIsRefused) {
  for (const char* text : {"", "{", "[]", "1", "{}", R"({"name": 1})", "null"}) {
    EXPECT_THAT(ErrorOf([&] { ParseTicket(text, "t.json"); }), HasSubstr("t.json")) << text;
  }
  Ticket ticket = plan_.ForJoiners();
  for (const char* endpoint : {"", "nowhere", "tcp://example.org:80", "tcp://10.7.0.1:0"}) {
    ticket.learner = endpoint;
    EXPECT_NE(ErrorOf([&] { ParseTicket(Encode(ticket), "t.json"); }), "no error") << endpoint;
  }
}

TEST_F(PlanTest, OneLearnerIsAPlainProcessAndSeveralAreAnMpiJobOnTheRunsNetwork) {
  EXPECT_EQ(Command(), "/opt/bin/autodidact learner train.yaml --join - --resume");
  plan_.roles.insert(plan_.roles.begin(), {"learner", 1, 0, "cpu"});
  EXPECT_THAT(Command(), HasSubstr("-n 2 "));
  EXPECT_THAT(Command(), Not(HasSubstr("plm_rsh_agent")));
  plan_.roles[0].host = 1;
  EXPECT_THAT(Command(), HasSubstr("--host 10.7.0.1:1,10.7.0.2:1"));
  EXPECT_THAT(Command(), HasSubstr("oob_tcp_if_include 10.7.0.0/24"));
  EXPECT_THAT(Command(), HasSubstr("btl_tcp_port_min_v4 40000"));
  EXPECT_THAT(Command(), HasSubstr("/opt/bin/autodidact start-on "));
}

TEST_F(PlanTest, RanksThatAreStartedAgainGoOnFromTheNewestCheckpointAndDeleteNothing) {
  plan_.arguments = {"--set", "a=b", "--overwrite"};
  EXPECT_EQ(Command(/*again=*/true), "/opt/bin/autodidact learner train.yaml --join - --set a=b --resume");
}

TEST_F(PlanTest, NoSecretIsInACommandLine) {
  plan_.roles.insert(plan_.roles.begin(), {"learner", 1, 1, "cpu"});
  for (const auto& [name, pair] : plan_.keys) EXPECT_THAT(Command(), Not(HasSubstr(pair.secret_key)));
}

TEST(OrdersTest, ReportsAndOrdersReadBackAsTheyWere) {
  const Report report{
      .open = true, .config = "c.yaml", .done = true, .signal = 15, .failure = "no", .launched = {{3, "why"}}};
  EXPECT_EQ(Encode(ParseReport(Encode(report))), Encode(report));
  Report ended = report;
  ended.code = 3;
  EXPECT_EQ(ParseReport(Encode(ended)).code, 3);
  const Orders orders{.phase = RunPhase::kOver, .config = "c.yaml", .signal = 2, .launches = {{7, "orted"}}};
  EXPECT_EQ(Encode(ParseOrders(Encode(orders))), Encode(orders));
  for (const char* text : {"", "{}", "[]", "{\"phase\": 9, \"config\": \"\", \"signal\": 0, \"launches\": []}",
                           "{\"phase\": 0, \"config\": \"\", \"signal\": 99, \"launches\": []}"}) {
    EXPECT_THROW(ParseOrders(text), base::Error) << text;
    EXPECT_THROW(ParseReport(text), base::Error) << text;
    EXPECT_THROW(ParseStartRequest(text), base::Error) << text;
  }
}

TEST(OrdersTest, ANumberIsNotCutToFit) {
  for (const char* number : {"1e300", "2.5", "18446744073709551616", "true", "\"2\""}) {
    const std::string orders = R"({"phase": 0, "config": "", )";
    EXPECT_THROW(ParseOrders(orders + R"("launches": [], "signal": )" + number + "}"), base::Error) << number;
    EXPECT_THROW(ParseOrders(orders + R"("signal": 0, "launches": [{"command": "", "id": )" + number + "}]}"),
                 base::Error)
        << number;
    EXPECT_THROW(
        ParseReport(R"({"attempt": "", "open": true, "over": false, "config": "", "done": false, "signal": 0, )"
                    R"("failure": "", "launched": [], "code": )" +
                    std::string(number) + "}"),
        base::Error)
        << number;
  }
}

}  // namespace
}  // namespace autodidact::launch
