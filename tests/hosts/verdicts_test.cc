#include "launch/hosts/verdicts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "site.h"

namespace autodidact::launch {
namespace {

using testing::HasSubstr;

Finding Of(const std::vector<Finding>& findings, const std::string& what) {
  for (const Finding& finding : findings) {
    if (finding.what == what) return finding;
  }
  return {Verdict::kBad, what, "is not judged", ""};
}

Finding Judged(const Site& site, const std::string& what, const Needs& needs = {}) {
  return Of(JudgeHosts(site, needs), what);
}

TEST(VerdictsTest, HostsThatAgreeAreGood) {
  EXPECT_EQ(Worst(JudgeHosts(InventedSite(), {})), Verdict::kOk) << ToText(JudgeHosts(InventedSite(), {}));
  EXPECT_EQ(Judged(InventedSite(), "hosts").found, "2: host 0 (a): 2 processes, host 1 (b): 1 process");
  EXPECT_EQ(Judged(InventedSite(), "MPI").found, "Open MPI 4.1.4");
}

TEST(VerdictsTest, VersionsThatDifferAreBadAndSayWhere) {
  const auto differ = [](const std::string& what, auto change) {
    Site site = InventedSite();
    change(site.hosts[1]);
    const Finding finding = Judged(site, what);
    EXPECT_EQ(finding.verdict, Verdict::kBad) << what;
    EXPECT_THAT(finding.found, HasSubstr("on host 1 (b)")) << what;
    EXPECT_NE(finding.fix, "") << what;
  };
  differ("program", [](HostFacts& host) { host.program = "ba9876543210"; });
  differ("MPI", [](HostFacts& host) { host.mpi = "Open MPI 4.1.6"; });
  differ("PMIx", [](HostFacts& host) { host.pmix = "3.2.2"; });
  differ("PMIx", [](HostFacts& host) { host.pmix = ""; });
  differ("libtorch", [](HostFacts& host) { host.torch = "2.10.0"; });
  differ("NCCL", [](HostFacts& host) { host.nccl = "2.27.3"; });
}

TEST(VerdictsTest, SrunWithoutPmixIsBad) {
  Site site = InventedSite();
  for (HostFacts& host : site.hosts) host.slurm = true;
  EXPECT_EQ(Judged(site, "PMIx").verdict, Verdict::kBad);
  for (HostFacts& host : site.hosts) host.srun_plugins = {"none", "pmi2"};
  EXPECT_EQ(Judged(site, "PMIx").verdict, Verdict::kBad);
  EXPECT_THAT(Judged(site, "PMIx").found, HasSubstr("srun has none, pmi2"));
  EXPECT_THAT(Judged(site, "PMIx").fix, HasSubstr("mpi_pmix"));
  for (HostFacts& host : site.hosts) host.srun_plugins = {"none", "pmix", "pmix_v4"};
  EXPECT_EQ(Judged(site, "PMIx").verdict, Verdict::kOk);
}

TEST(VerdictsTest, SrunsPmixOfAnotherVersionIsAWarning) {
  Site site = InventedSite();
  for (HostFacts& host : site.hosts) {
    host.slurm = true;
    host.srun_plugins = {"pmix", "pmix_v3"};
  }
  EXPECT_EQ(Judged(site, "PMIx").verdict, Verdict::kWarning);
  EXPECT_NE(Judged(site, "PMIx").fix, "");
  for (HostFacts& host : site.hosts) host.pmix = "3.1.5";
  EXPECT_EQ(Judged(site, "PMIx").verdict, Verdict::kOk);
}

TEST(VerdictsTest, GpusThatARunNeedsMustBeOnEveryHost) {
  Site site = InventedSite();
  EXPECT_EQ(Judged(site, "GPUs").verdict, Verdict::kOk);
  EXPECT_EQ(Judged(site, "GPUs", {.gpus = true}).verdict, Verdict::kBad);
  const Gpu h100{"NVIDIA H100", std::int64_t{80} << 30};
  site.hosts[0].gpus = {h100, h100};
  EXPECT_EQ(Judged(site, "GPUs", {.gpus = true}).verdict, Verdict::kBad);
  EXPECT_THAT(Judged(site, "GPUs").found, HasSubstr("2 x NVIDIA H100 (80.0 GiB)"));
  site.hosts[1].gpus = {h100};
  EXPECT_EQ(Judged(site, "GPUs", {.gpus = true}).verdict, Verdict::kWarning);
  site.hosts[1].gpus = {h100, h100};
  EXPECT_EQ(Judged(site, "GPUs", {.gpus = true}).verdict, Verdict::kOk);
}

TEST(VerdictsTest, LowLimitsAreWarnings) {
  const auto low = [](const std::string& what, auto change) {
    Site site = InventedSite();
    change(site.hosts[1]);
    EXPECT_EQ(Judged(site, what).verdict, Verdict::kWarning) << what;
    EXPECT_NE(Judged(site, what).fix, "") << what;
  };
  low("open files", [](HostFacts& host) { host.open_files = {1024, 1024}; });
  low("/dev/shm", [](HostFacts& host) { host.shared_memory = 64 << 20; });
  low("cores", [](HostFacts& host) { host.cores = 1; });
  low("locked memory", [](HostFacts& host) {
    host.infiniband = true;
    host.locked_memory = {65536, 65536};
  });
}

TEST(VerdictsTest, BrokenPairsAreNamedWithTheFix) {
  const Site site = InventedSite();
  EXPECT_EQ(JudgePairs(site, {}, {}).verdict, Verdict::kOk);
  const Finding finding = JudgePairs(site, {{0, 1, "a to b: silence"}}, {40000, 40100});
  EXPECT_EQ(finding.verdict, Verdict::kBad);
  EXPECT_THAT(finding.found, HasSubstr("a to b: silence"));
  EXPECT_THAT(finding.fix, HasSubstr("40000-40100"));
}

TEST(VerdictsTest, FolderThatIsNotSharedIsBad) {
  const Site site = InventedSite();
  EXPECT_EQ(JudgeFolder(site, "runs", {"", ""}).verdict, Verdict::kOk);
  const Finding finding = JudgeFolder(site, "runs", {"", "not seen"});
  EXPECT_EQ(finding.verdict, Verdict::kBad);
  EXPECT_EQ(finding.found, "host 1 (b): not seen");
}

TEST(VerdictsTest, ClocksMoreThanASecondApartAreAWarning) {
  const Site site = InventedSite();
  EXPECT_EQ(JudgeClocks(site, {0, 0.4}).verdict, Verdict::kOk);
  EXPECT_EQ(JudgeClocks(site, {0, -3}).verdict, Verdict::kWarning);
  EXPECT_EQ(JudgeClocks(site, {0, -3}).found, "host 1 (b) is 3.0 s behind host 0 (a)");
  EXPECT_EQ(JudgeClocks(site, {0, 3}).found, "host 1 (b) is 3.0 s ahead of host 0 (a)");
  EXPECT_EQ(JudgeClocks(site, {0}).verdict, Verdict::kOk);
}

TEST(VerdictsTest, RoomIsJudgedByTheCheckpoints) {
  EXPECT_EQ(JudgeRoom("runs", 10, {}).verdict, Verdict::kOk);
  EXPECT_EQ(JudgeRoom("runs", 10, {.checkpoint = 11, .checkpoints_kept = 1}).verdict, Verdict::kBad);
  EXPECT_EQ(JudgeRoom("runs", 20, {.checkpoint = 10, .checkpoints_kept = 3}).verdict, Verdict::kWarning);
  EXPECT_EQ(JudgeRoom("runs", 30, {.checkpoint = 10, .checkpoints_kept = 3}).verdict, Verdict::kOk);
}

TEST(VerdictsTest, TableHasALineForEachFindingAndOneForWhatToDo) {
  EXPECT_EQ(ToText({{Verdict::kOk, "MPI", "4", ""}, {Verdict::kBad, "folder", "gone", "mount it"}}),
            "ok        MPI            4\n"
            "BAD       folder         gone\n"
            "            to do:       mount it\n");
}

TEST(HostFactsTest, EncodingLosesNothing) {
  HostFacts facts = InventedHost("ünal \"x\"", "10.0.0.1");
  facts.gpus = {{"NVIDIA H100", std::int64_t{80} << 30}};
  facts.slurm = true;
  facts.srun_plugins = {"pmix"};
  facts.infiniband = true;
  EXPECT_EQ(DecodeHostFacts(Encode(facts)), facts);
  const HostFacts here = LookAtThisHost();
  EXPECT_EQ(DecodeHostFacts(Encode(here)), here);
}

TEST(HostFactsTest, WhatIsNoneIsRefused) {
  for (const char* text : {"", "{}", "[]", "{\"host\": 1}", "null"}) {
    EXPECT_THROW(DecodeHostFacts(text), base::Error) << text;
  }
  HostFacts facts = InventedHost("a", "10.0.0.1");
  for (const int prefix : {-1, 33}) {
    facts.network.interfaces[0].prefix = prefix;
    EXPECT_THROW(DecodeHostFacts(Encode(facts)), base::Error) << prefix;
  }
}

TEST(HostFactsTest, ThisHostKnowsItsLibraries) {
  const HostFacts here = LookAtThisHost();
  EXPECT_THAT(here.mpi, testing::StartsWith("Open MPI "));
  EXPECT_THAT(here.torch, testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_THAT(here.program, testing::MatchesRegex("[0-9a-f]*"));
  EXPECT_GT(here.cores, 0);
  EXPECT_GT(here.memory, 0);
}

}  // namespace
}  // namespace autodidact::launch
