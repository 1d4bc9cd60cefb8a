#include "launch/config/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/format.h"
#include "tests/launch/config_folder.h"

namespace autodidact::launch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Roles on the hosts that a launcher gave.
class PlacementTest : public testing::Test {
 protected:
  // "learner-0@1 cuda:2" for a role on host 1 and a GPU.
  std::vector<std::string> Placed(const JobHosts& hosts) const {
    std::vector<std::string> texts;
    for (const RolePlace& place : PlaceRoles(config_, hosts)) {
      texts.push_back(
          base::Format("{}@{}{}", place.name(), place.host, place.device == "cpu" ? "" : " " + place.device));
    }
    return texts;
  }
  std::string WhyNot(const JobHosts& hosts) const {
    try {
      PlaceRoles(config_, hosts);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
      return error.message();
    }
    return "placed";
  }
  static JobHosts OneHost(std::size_t places) { return {std::vector<std::size_t>(places, 0), {0}}; }

  RunConfig config_;
};

TEST_F(PlacementTest, PlacesBeyondThreeAreLearnersWhenNothingIsSaid) {
  EXPECT_THAT(Placed(OneHost(5)), ElementsAre("learner-0@0", "learner-1@0", "actor-0@0", "anchor-0@0", "judge-0@0"));
  EXPECT_THAT(WhyNot(OneHost(3)), HasSubstr("at least 4 are needed"));
  EXPECT_THAT(Placed({{0, 0, 1, 1}, {0, 0}}), ElementsAre("learner-0@0", "actor-0@0", "anchor-0@1", "judge-0@1"));
}

TEST_F(PlacementTest, RanksSayTheRoleOfEachPlace) {
  config_.placement.ranks = {"learner", "actor", "judge"};
  EXPECT_THAT(WhyNot(OneHost(3)), HasSubstr("there is no anchor"));
  config_.estimator = estimators::EstimatorKind::kMajority;
  EXPECT_THAT(Placed({{0, 1, 1}, {0, 0}}), ElementsAre("learner-0@0", "actor-0@1", "judge-0@1"));
  EXPECT_THAT(WhyNot(OneHost(4)), HasSubstr("got 3 roles for 4 places"));
}

TEST_F(PlacementTest, HostsSayTheRolesOfEachHostHoweverManyPlacesItHas) {
  config_.placement.hosts = {"learner actor*2", "learner anchor judge"};
  EXPECT_THAT(Placed({{0, 1}, {0, 0}}),
              ElementsAre("learner-0@0", "learner-1@1", "actor-0@0", "actor-1@0", "anchor-0@1", "judge-0@1"));
  EXPECT_THAT(WhyNot(OneHost(6)), HasSubstr("got the roles of 2 hosts, and the launcher gave 1"));
  config_.placement.hosts = {"actor anchor judge", "learner"};
  EXPECT_THAT(WhyNot({{0, 1}, {0, 0}}), HasSubstr("the first host has no learner"));
}

TEST_F(PlacementTest, EachRoleThatComputesTakesTheNextGpuOfItsHostUnlessOneIsNamed) {
  config_.device = "cuda";
  config_.placement.hosts = {"learner*2 actor", "actor anchor@0 judge"};
  EXPECT_THAT(Placed({{0, 1}, {3, 1}}), ElementsAre("learner-0@0 cuda:0", "learner-1@0 cuda:1", "actor-0@0 cuda:2",
                                                    "actor-1@1 cuda:0", "anchor-0@1 cuda:0", "judge-0@1"));
  EXPECT_THAT(WhyNot({{0, 1}, {2, 1}}), HasSubstr("the 3th role that needs a GPU on host 1, which has 2"));
  config_.placement.hosts = {"learner@5 actor anchor judge"};
  EXPECT_THAT(WhyNot({{0}, {4}}), HasSubstr("GPU 5 is asked for"));
}

TEST_F(PlacementTest, CountsAreDealtOutToTheGpusOfAllHosts) {
  config_.device = "cuda";
  config_.placement.learners = 3;
  config_.placement.actors = 4;
  EXPECT_THAT(Placed({{0, 1}, {4, 4}}), ElementsAre("learner-0@0 cuda:0", "learner-1@0 cuda:1", "learner-2@0 cuda:2",
                                                    "actor-0@1 cuda:0", "actor-1@1 cuda:1", "actor-2@1 cuda:2",
                                                    "actor-3@0 cuda:3", "anchor-0@1 cuda:3", "judge-0@0"));
  EXPECT_THAT(WhyNot({{0}, {4}}), HasSubstr("needs a GPU"));
}

TEST_F(PlacementTest, CountsAreDealtOutToTheEmptiestHostWithoutGpus) {
  config_.placement.learners = 2;
  config_.placement.actors = 2;
  EXPECT_THAT(Placed({{0, 1, 2}, {0, 0, 0}}),
              ElementsAre("learner-0@0", "learner-1@1", "actor-0@2", "actor-1@0", "anchor-0@1", "judge-0@2"));
}

TEST_F(PlacementTest, TheConfigIsCheckedAsFarAsNoHostIsKnown) {
  const ConfigFolder folder;
  const auto error_of = [&](const std::string& placement) -> std::string {
    const std::string text =
        folder.Filled("model: FOLDER/model\ndata: {train: FOLDER/data.jsonl}\n") + "placement: {" + placement + "}\n";
    try {
      ReadRunConfig(folder.Write("config.yaml", text), {});
    } catch (const base::Error& error) {
      return error.message();
    }
    return "read";
  };
  EXPECT_EQ(error_of("hosts: [learner*2 actor@3, anchor judge]"), "read");
  EXPECT_THAT(error_of("hosts: [learner actr, anchor judge]"), HasSubstr("actr"));
  EXPECT_THAT(error_of("hosts: [learner actor@x anchor judge]"), HasSubstr("number of a GPU"));
  EXPECT_THAT(error_of("hosts: [learner actor judge]"), HasSubstr("got no anchor"));
  EXPECT_THAT(error_of("hosts: [learner actor anchor judge], ranks: [learner, actor, anchor, judge]"),
              HasSubstr("expected one of them"));
}

}  // namespace
}  // namespace autodidact::launch
