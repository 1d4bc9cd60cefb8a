// A run on several hosts: network namespaces of this machine. Skipped where none can be made (root, iproute2).
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <set>

#include "base/format.h"
#include "tests/e2e/tool.h"
#include "tests/paths.h"

namespace autodidact::e2e {
namespace {

namespace fs = std::filesystem;

constexpr auto kJobOnHosts = std::chrono::minutes(3);

class HostsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "network namespaces need root";
    process::Child up(ToolOptions({script_, "up", "3"}, {}));
    const auto status = up.Wait(base::Deadline::In(kJobOnHosts));
    if (!status || !status->ok()) GTEST_SKIP() << "no network namespaces here: " << up.errors();
  }
  void TearDown() override {
    process::Child down(ToolOptions({script_, "down"}, {}));
    down.Wait(base::Deadline::In(kJobOnHosts));
  }

  static std::vector<std::string> Train(const fs::path& runs, const std::string& name) {
    return {"train", "train.yaml", "--set", "folder=" + runs.string(), "--set", "name=" + name};
  }
  // mpirun on the first host, of so many places on each of the three.
  std::vector<std::string> OnThreeHosts(const std::string& name, const std::vector<std::string>& more) const {
    std::vector<std::string> argv = {script_,
                                     "on",
                                     "1",
                                     "mpirun",
                                     "--allow-run-as-root",
                                     "--oversubscribe",
                                     "--host",
                                     "10.88.0.1:1,10.88.0.2:1,10.88.0.3:1",
                                     "-n",
                                     "3",
                                     "--mca",
                                     "plm_rsh_agent",
                                     script_ + " rsh",
                                     "--mca",
                                     "btl",
                                     "tcp,self",
                                     "--mca",
                                     "btl_tcp_if_include",
                                     "e0",
                                     "--mca",
                                     "oob_tcp_if_include",
                                     "e0",
                                     tests::ProgramFile()};
    const auto arguments = Train(runs_, name);
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    argv.insert(argv.end(), {"--set", "placement.hosts=[learner actor, learner anchor, actor judge]"});
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  }
  static int CodeOf(process::Child& job) {
    const auto status = job.Wait(base::Deadline::In(kJobOnHosts));
    EXPECT_TRUE(status) << job.errors();
    return status && !status->by_signal ? status->code : -1;
  }

  const std::string script_ = (tests::SourceFolder() / "tests/e2e/netns.sh").string();
  const fs::path runs_ = TestFolder();
};

TEST_F(HostsTest, LearnersOnTwoHostsLearnBitForBitWhatTheyLearnOnOne) {
  std::vector<std::string> one = {"mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "5", tests::ProgramFile()};
  const auto arguments = Train(runs_, "one");
  one.insert(one.end(), arguments.begin(), arguments.end());
  process::Child on_one(ToolOptions(one, BaseFolder()));
  ASSERT_EQ(CodeOf(on_one), 0) << on_one.errors();
  process::Child on_three(ToolOptions(OnThreeHosts("three", {}), BaseFolder()));
  ASSERT_EQ(CodeOf(on_three), 0) << on_three.errors();
  const auto local = ReadLines(runs_ / "one/metrics.jsonl");
  const auto spread = ReadLines(runs_ / "three/metrics.jsonl");
  ASSERT_EQ(local.size(), spread.size());
  for (std::size_t i = 0; i < local.size(); ++i) EXPECT_EQ(local[i].at("loss"), spread[i].at("loss")) << i;
  const std::string weights = "checkpoints/step_000004/model/model.safetensors";
  EXPECT_FALSE(json::ReadFile(runs_ / "one" / weights).empty());
  EXPECT_EQ(json::ReadFile(runs_ / "one" / weights), json::ReadFile(runs_ / "three" / weights));
  for (const json::Json& line : spread) EXPECT_EQ(line.at("net/strangers"), 0);
}

TEST_F(HostsTest, ASignalToTheKeeperOfAnotherHostStopsAndSavesTheRun) {
  process::Child job(ToolOptions(
      OnThreeHosts("run", {"--set", "train.max_steps=100000", "--set", "train.save_steps=0"}), BaseFolder()));
  const auto deadline = base::Deadline::In(kJobOnHosts);
  while (!fs::exists(runs_ / "run/rollouts/step_000002.jsonl")) {
    ASSERT_FALSE(job.Wait(base::Deadline::In(std::chrono::milliseconds(20)))) << job.errors();
    ASSERT_FALSE(deadline.Passed()) << job.errors();
  }
  process::Child look(ToolOptions(
      {script_, "on", "3", "bash", "-c",
       "for p in $(ip netns pids adhost3); do grep -qz '^train$' /proc/$p/cmdline && kill -TERM $p; done; true"},
      {}));
  look.Wait(base::Deadline::In(kJobOnHosts));
  EXPECT_EQ(CodeOf(job), 128 + SIGTERM) << job.errors();
  EXPECT_TRUE(fs::exists(runs_ / "run/checkpoints")) << job.errors();
}

TEST_F(HostsTest, AHostThatIsBehindAFirewallIsNamedAtTheStart) {
  // What the third host sends to the second one goes to a machine that is not there.
  process::Child cut(ToolOptions({"ip", "-n", "adhost3", "neighbour", "add", "10.88.0.2", "lladdr", "02:00:00:00:00:99",
                                  "dev", "e0", "nud", "permanent"},
                                 {}));
  cut.Wait(base::Deadline::In(kJobOnHosts));
  process::Child job(ToolOptions(OnThreeHosts("run", {}), BaseFolder()));
  EXPECT_NE(CodeOf(job), 0);
  const std::string said = job.output() + job.errors();
  EXPECT_NE(said.find("rank 1 waited 15.0 s for rank 2 to form groups"), std::string::npos) << said;
  EXPECT_FALSE(fs::exists(runs_ / "run"));
}

}  // namespace
}  // namespace autodidact::e2e
