#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "echo.h"
#include "net/interfaces.h"

namespace autodidact::net {
namespace {

using testing::HasSubstr;

int PortOf(const Server& server) {
  return std::stoi(server.endpoint().substr(server.endpoint().rfind(':') + 1));
}

// As many neighbouring free ports as asked, as a range.
std::string FreePorts(Context& context, int count) {
  const Server anywhere(context, "tcp://127.0.0.1:*", ServerSide(), Echo);
  const int first = PortOf(anywhere) + 1 < 65000 ? PortOf(anywhere) + 1 : 20000;
  return std::to_string(first) + "-" + std::to_string(first + count - 1);
}

TEST(ServerPortsTest, ServersShareOutTheRangeUntilItIsUsedUp) {
  Context context;
  const std::string range = FreePorts(context, 20);
  std::set<int> ports;
  std::vector<std::unique_ptr<Server>> servers;
  std::string message;
  while (servers.size() <= 20) {
    try {
      servers.push_back(std::make_unique<Server>(context, "tcp://127.0.0.1:" + range, ServerSide(), Echo));
      ports.insert(PortOf(*servers.back()));
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
      message = error.message();
      break;
    }
  }
  EXPECT_EQ(ports.size(), servers.size());
  EXPECT_GT(ports.size(), 10U) << "other programs may hold some";
  EXPECT_GE(*ports.begin(), ParsePortRange(range).first);
  EXPECT_LE(*ports.rbegin(), ParsePortRange(range).last);
  EXPECT_THAT(message, HasSubstr("all 20 ports of the range are in use"));
}

TEST(ServerPortsTest, AddressThatIsNotOursIsNoMatterOfPorts) {
  Context context;
  try {
    Server(context, "tcp://127.0.0.1.5:40000-40100", ServerSide(), Echo);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.message().find("in use"), std::string::npos) << error.message();
  }
}

TEST(ServerPortsTest, ClientsNeedOnePort) {
  Context context;
  EXPECT_THROW(Client(context, {"tcp://127.0.0.1:40000-40100"}, ClientSide(),
                      {.name = "tester", .peer = "peer", .server = "learner"}),
               base::Error);
  for (const char* ports : {"5-4", "0-5", "1-65536", "-", "40000-", "1-2-3"}) {
    EXPECT_THROW(Server(context, std::string("tcp://127.0.0.1:") + ports, ServerSide(), Echo), base::Error) << ports;
  }
}

}  // namespace
}  // namespace autodidact::net
