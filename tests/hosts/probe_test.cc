#include "launch/hosts/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "site.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr base::Milliseconds kTimeout{10'000};
const net::Interface kLoopback{"lo", "127.0.0.1", 8};

// Ranks as threads, on hosts as `host_of_rank` has them: on one machine, but they do not know.
template <class Fn>
void OnHosts(const std::vector<std::size_t>& host_of_rank, Fn fn) {
  collective::SpawnRanks(static_cast<int>(host_of_rank.size()), [&](collective::Communicator& ranks) {
    const auto rank = static_cast<std::size_t>(ranks.rank());
    const auto first = std::find(host_of_rank.begin(), host_of_rank.end(), host_of_rank[rank]) - host_of_rank.begin();
    Site site;
    site.host_of_rank = host_of_rank;
    for (std::size_t host = 0; host <= *std::max_element(host_of_rank.begin(), host_of_rank.end()); ++host) {
      site.hosts.push_back(InventedHost("h", "127.0.0.1"));
    }
    site.here = host_of_rank[rank];
    site.acts_for_it = static_cast<std::size_t>(first) == rank;
    fn(ranks, site);
  });
}

class Folder {
 public:
  explicit Folder(const std::string& name) : path_(fs::path(testing::TempDir()) / ("hosts_" + name)) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TEST(SiteTest, RanksOfOneHostAreOneHostWhateverItsName) {
  collective::SpawnRanks(4, [](collective::Communicator& ranks) {
    // Ranks 0 and 2 on one host, 1 and 3 on another.
    const Site site = GatherSite(ranks, ranks.rank() % 2);
    EXPECT_THAT(site.hosts, SizeIs(2));
    EXPECT_THAT(site.host_of_rank, ElementsAre(0, 1, 0, 1));
    EXPECT_EQ(site.here, static_cast<std::size_t>(ranks.rank() % 2));
    EXPECT_EQ(site.acts_for_it, ranks.rank() < 2);
  });
}

TEST(ProbeTest, HostsThatReachEachOtherLeaveNoBrokenPair) {
  OnHosts({0, 0, 1, 2}, [](collective::Communicator& ranks, const Site& site) {
    EXPECT_THAT(ProbePairs(ranks, site, {kLoopback, kLoopback, kLoopback}, {}, kTimeout), SizeIs(0));
  });
}

TEST(ProbeTest, HostThatCannotListenIsNamedForAllOthers) {
  const net::Interface elsewhere{"e0", "192.0.2.7", 24};
  OnHosts({0, 1, 2}, [&](collective::Communicator& ranks, const Site& site) {
    const auto broken = ProbePairs(ranks, site, {kLoopback, elsewhere, kLoopback}, {}, kTimeout);
    ASSERT_THAT(broken, SizeIs(2));
    EXPECT_EQ(broken[0].to, 1U);
    EXPECT_EQ(broken[1].to, 1U);
    EXPECT_THAT(broken[0].text, HasSubstr("host 1 (h) cannot be reached: net: cannot listen at 192.0.2.7"));
  });
}

TEST(ProbeTest, FolderThatAllSeeIsGoodAndStaysAsItWas) {
  const Folder folder("shared");
  OnHosts({0, 1, 1, 2}, [&](collective::Communicator& ranks, const Site& site) {
    EXPECT_THAT(ProbeFolder(ranks, site, folder.path() / "not" / "there" / "yet"), Each(""));
  });
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(ProbeTest, FolderThatAHostDoesNotShareIsNamed) {
  const Folder shared("one");
  const Folder other("two");
  OnHosts({0, 1, 2}, [&](collective::Communicator& ranks, const Site& site) {
    const auto wrong = ProbeFolder(ranks, site, site.here == 1 ? other.path() : shared.path());
    EXPECT_EQ(wrong[0], "");
    EXPECT_THAT(wrong[1], HasSubstr("that host 0 (h) wrote there is not seen: the folder is not shared"));
    EXPECT_EQ(wrong[2], "");
  });
  EXPECT_TRUE(fs::is_empty(shared.path()));
  EXPECT_TRUE(fs::is_empty(other.path()));
}

TEST(ProbeTest, FolderThatCannotBeWrittenIsNamed) {
  OnHosts({0, 1}, [&](collective::Communicator& ranks, const Site& site) {
    const auto wrong = ProbeFolder(ranks, site, "/proc/autodidact");
    EXPECT_THAT(wrong[0], HasSubstr("cannot write"));
  });
}

TEST(ProbeTest, OneHostHasAFolderToo) {
  const Folder folder("alone");
  OnHosts({0}, [&](collective::Communicator& ranks, const Site& site) {
    EXPECT_THAT(ProbeFolder(ranks, site, folder.path()), ElementsAre(""));
    EXPECT_THAT(ProbePairs(ranks, site, {kLoopback}, {}, kTimeout), SizeIs(0));
  });
}

TEST(ProbeTest, ClocksOfOneMachineAgree) {
  OnHosts({0, 1, 0}, [](collective::Communicator& ranks, const Site& site) {
    const auto ahead = ProbeClocks(ranks, site);
    ASSERT_THAT(ahead, SizeIs(2));
    EXPECT_EQ(ahead[0], 0);
  });
}

TEST(ProbeTest, RankThatDoesNotComeIsSoughtOnItsHost) {
  auto ranks = collective::MakeThreadGroup(2, std::chrono::milliseconds(50));
  Site site = InventedSite();
  site.host_of_rank = {0, 1};
  try {
    ProbePairs(*ranks[0], site, {kLoopback, kLoopback}, {}, kTimeout);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kRetryLater);
    EXPECT_THAT(error.message(), HasSubstr("rank 0 on host 0 (a), rank 1 on host 1 (b)"));
  }
}

}  // namespace
}  // namespace autodidact::launch
