#include "net/interfaces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace autodidact::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Interface kDocker{"docker0", "172.17.0.1", 16};

std::vector<std::string> Addresses(const std::vector<Interface>& chosen) {
  std::vector<std::string> all;
  for (const Interface& one : chosen) all.push_back(one.address);
  return all;
}

std::vector<std::string> Choose(const std::vector<HostNetwork>& hosts, const AddressChoice& choice = {}) {
  return Addresses(ChooseAddresses(hosts, choice));
}

std::string WhyNone(const std::vector<HostNetwork>& hosts, const AddressChoice& choice = {}) {
  try {
    ChooseAddresses(hosts, choice);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
    return error.message();
  }
  return "";
}

// Two machines with Ethernet (the default route), InfiniBand, and the same bridge for containers.
std::vector<HostNetwork> Cluster() {
  return {{"node1", {kDocker, {"ib0", "10.8.0.1", 16}, {"eno1", "192.168.3.11", 24}}, "192.168.3.11"},
          {"node2", {{"eno1", "192.168.3.12", 24}, kDocker, {"ib0", "10.8.0.2", 16}}, "192.168.3.12"}};
}

TEST(InterfacesTest, HostAloneTakesTheLoopback) {
  EXPECT_THAT(Choose({Cluster()[0]}), ElementsAre("127.0.0.1"));
  EXPECT_THAT(Choose({{"bare", {}, ""}}), ElementsAre("127.0.0.1"));
}

TEST(InterfacesTest, NetworkOfTheDefaultRouteGoesBeforeOthers) {
  EXPECT_THAT(Choose(Cluster()), ElementsAre("192.168.3.11", "192.168.3.12"));
  auto hosts = Cluster();
  hosts[0].outward = "10.8.0.1";
  EXPECT_THAT(Choose(hosts), ElementsAre("10.8.0.1", "10.8.0.2"));
}

TEST(InterfacesTest, CommonNetworkIsTakenWithoutAnyDefaultRoute) {
  EXPECT_THAT(Choose({{"h", {{"e0", "10.77.0.1", 24}}, ""},
                      {"h", {{"e0", "10.77.0.2", 24}}, ""},
                      {"h", {{"e0", "10.77.0.3", 24}}, ""}}),
              ElementsAre("10.77.0.1", "10.77.0.2", "10.77.0.3"));
}

TEST(InterfacesTest, NetworkThatOneHostLacksIsNotTaken) {
  auto hosts = Cluster();
  hosts.push_back({"node3", {{"ib0", "10.8.0.3", 16}}, ""});
  EXPECT_THAT(Choose(hosts), ElementsAre("10.8.0.1", "10.8.0.2", "10.8.0.3"));
}

TEST(InterfacesTest, AddressThatSeveralHostsHaveIsNobodys) {
  const std::string why = WhyNone({{"a", {kDocker}, "172.17.0.1"}, {"b", {kDocker}, "172.17.0.1"}});
  EXPECT_THAT(why, HasSubstr("host 0 (a) has docker0 172.17.0.1/16"));
  EXPECT_THAT(why, HasSubstr("host 1 (b) has docker0 172.17.0.1/16"));
}

TEST(InterfacesTest, AddressThatTwoOfThreeHostsHaveIsNobodys) {
  EXPECT_THAT(Choose({{"a", {kDocker, {"e0", "10.0.0.1", 24}}, "172.17.0.1"},
                      {"b", {{"docker0", "172.17.0.2", 16}, {"e0", "10.0.0.2", 24}}, ""},
                      {"c", {kDocker, {"e0", "10.0.0.3", 24}}, ""}}),
              ElementsAre("10.0.0.1", "10.0.0.2", "10.0.0.3"));
}

TEST(InterfacesTest, PrefixesThatDifferMakeDifferentNetworks) {
  EXPECT_THAT(WhyNone({{"a", {{"e0", "10.0.0.1", 24}}, ""}, {"b", {{"e0", "10.0.0.2", 16}}, ""}}),
              HasSubstr("no network in common"));
}

TEST(InterfacesTest, WithoutACommonNetworkTheDefaultRoutesAreTaken) {
  EXPECT_THAT(Choose({{"a", {kDocker, {"ens4", "10.128.0.2", 32}}, "10.128.0.2"},
                      {"b", {kDocker, {"ens4", "10.128.0.3", 32}}, "10.128.0.3"}}),
              ElementsAre("10.128.0.2", "10.128.0.3"));
}

TEST(InterfacesTest, HostWithoutAnAddressIsNamed) {
  EXPECT_THAT(WhyNone({{"a", {{"e0", "10.0.0.1", 24}}, "10.0.0.1"}, {"b", {}, ""}}),
              HasSubstr("host 1 (b) has no default route"));
  EXPECT_THAT(WhyNone({{"a", {{"e0", "10.0.0.1", 24}}, "10.0.0.1"}, {"b", {}, ""}}),
              HasSubstr("host 1 (b) has no address besides the loopback"));
}

TEST(InterfacesTest, HostsOfOneNameAreToldApart) {
  EXPECT_THAT(WhyNone({{"x", {{"ib0", "10.0.0.1", 24}}, ""}, {"x", {{"e0", "10.0.0.2", 24}}, ""}}, {"ib0", "auto"}),
              HasSubstr("host 1 (x)"));
}

TEST(InterfacesTest, NamedInterfaceIsTakenOnEveryHost) {
  EXPECT_THAT(Choose(Cluster(), {"ib0", "auto"}), ElementsAre("10.8.0.1", "10.8.0.2"));
  EXPECT_THAT(Choose({Cluster()[0]}, {"ib0", "auto"}), ElementsAre("10.8.0.1"));
}

TEST(InterfacesTest, InterfaceThatAHostLacksIsNamedWithWhatItHas) {
  auto hosts = Cluster();
  hosts[1].interfaces[2].name = "ibp4s0";
  const std::string why = WhyNone(hosts, {"ib0", "auto"});
  EXPECT_THAT(why, HasSubstr("network.interface ib0: host 1 (node2)"));
  EXPECT_THAT(why, HasSubstr("ibp4s0 10.8.0.2/16"));
}

TEST(InterfacesTest, NetworkStandsForAnInterfaceWhoseNamesDiffer) {
  auto hosts = Cluster();
  hosts[1].interfaces[2].name = "ibp4s0";
  EXPECT_THAT(Choose(hosts, {"10.8.0.0/16", "auto"}), ElementsAre("10.8.0.1", "10.8.0.2"));
  EXPECT_THAT(Choose(hosts, {"10.8.77.1/16", "auto"}), ElementsAre("10.8.0.1", "10.8.0.2"));
  EXPECT_THAT(WhyNone(hosts, {"10.9.0.0/16", "auto"}),
              HasSubstr("host 0 (node1) has no address of its own in 10.9.0.0/16"));
}

TEST(InterfacesTest, BridgeOfTheSameAddressIsRefusedByNameToo) {
  EXPECT_THAT(WhyNone(Cluster(), {"docker0", "auto"}), HasSubstr("host 0 (node1) has no such interface"));
}

TEST(InterfacesTest, AddressOfOneHostNamesTheNetworkOfAll) {
  EXPECT_THAT(Choose(Cluster(), {"auto", "10.8.0.2"}), ElementsAre("10.8.0.1", "10.8.0.2"));
  EXPECT_THAT(Choose({Cluster()[0]}, {"auto", "192.168.3.11"}), ElementsAre("192.168.3.11"));
}

TEST(InterfacesTest, AddressThatNobodyHasIsRefused) {
  EXPECT_THAT(WhyNone(Cluster(), {"auto", "10.0.0.9"}), HasSubstr("no host has it: host 0 (node1) has docker0"));
  EXPECT_THAT(WhyNone({Cluster()[0]}, {"auto", "10.0.0.9"}), HasSubstr("no host has it"));
  for (const char* address : {"", "node1", "10.0.0", "10.0.0.256", "0x7f000001", "::1", "10.0.0.1/24", "10.0.0.1 "}) {
    EXPECT_THAT(WhyNone(Cluster(), {"auto", address}), HasSubstr("network.address: got")) << address;
  }
}

TEST(InterfacesTest, LoopbackServesOneHostOnly) {
  EXPECT_THAT(Choose({Cluster()[0]}, {"auto", "127.0.0.2"}), ElementsAre("127.0.0.2"));
  EXPECT_THAT(Choose({Cluster()[0]}, {"lo", "auto"}), ElementsAre("127.0.0.1"));
  EXPECT_THAT(WhyNone(Cluster(), {"auto", "127.0.0.1"}), HasSubstr("by the loopback"));
  EXPECT_THAT(WhyNone(Cluster(), {"lo", "auto"}), HasSubstr("by the loopback"));
}

TEST(InterfacesTest, InterfaceAndAddressTogetherAreRefused) {
  EXPECT_THAT(WhyNone(Cluster(), {"ib0", "10.8.0.1"}), HasSubstr("both interface ib0 and address 10.8.0.1"));
}

TEST(InterfacesTest, SecondAddressOfAnInterfaceCounts) {
  EXPECT_THAT(Choose({{"a", {{"e0", "192.168.0.1", 24}, {"e0", "10.0.0.1", 8}}, "192.168.0.1"},
                      {"b", {{"e0", "192.168.1.1", 24}, {"e0", "10.3.0.1", 8}}, "192.168.1.1"}}),
              ElementsAre("10.0.0.1", "10.3.0.1"));
}

TEST(InterfacesTest, NetworkIsTheAddressUnderItsMask) {
  EXPECT_EQ(NetworkOf({"e", "10.77.3.9", 24}), "10.77.3.0/24");
  EXPECT_EQ(NetworkOf({"e", "10.77.3.9", 32}), "10.77.3.9/32");
  EXPECT_EQ(NetworkOf({"e", "10.77.3.9", 13}), "10.72.0.0/13");
  EXPECT_EQ(NetworkOf({"e", "10.77.3.9", 0}), "0.0.0.0/0");
}

TEST(InterfacesTest, ThisHostSaysWhereItsRoutesLeave) {
  EXPECT_EQ(AddressTowards("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(AddressTowards("no address"), "");
  for (const Interface& own : ThisHost().interfaces) {
    EXPECT_EQ(AddressTowards(own.address), own.address) << own.name;
    EXPECT_FALSE(own.address.starts_with("127."));
  }
}

TEST(PortRangeTest, IsReadAsItIsWritten) {
  for (const char* text : {"*", "40000-40100", "1-65535", "40000"}) EXPECT_EQ(Name(ParsePortRange(text)), text);
  EXPECT_EQ(ParsePortRange("7-7"), (PortRange{7, 7}));
  EXPECT_TRUE(ParsePortRange("*").any());
}

TEST(PortRangeTest, WhatIsNoneIsRefused) {
  for (const char* text : {"", "0", "0-5", "5-4", "1-65536", "65536", "-", "5-", "-5", "1-2-3", "a-b", "1 - 2", "+1",
                           "40000:40100", "99999999999", "0x10", "*-5", "1,2"}) {
    EXPECT_THROW(ParsePortRange(text), base::Error) << text;
  }
}

}  // namespace
}  // namespace autodidact::net
