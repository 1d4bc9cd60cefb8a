#include "launch/job/orders.h"

#include "json/json.h"
#include "launch/job/reading.h"

namespace autodidact::launch {
namespace {

using json::Json;

constexpr int kMostSignals = 64;

int ReadSignal(const Json& object) {
  return ReadWhole<int>(object.at("signal"), 0, kMostSignals);
}

std::optional<int> ReadCode(const Json& code) {
  return code.is_null() ? std::nullopt : std::optional(ReadWhole<int>(code));
}

}  // namespace

std::string Encode(const Report& report) {
  Json launched = Json::array();
  for (const Launched& it : report.launched) launched.push_back({{"id", it.id}, {"failure", it.failure}});
  return json::Dump({{"attempt", report.attempt},
                     {"open", report.open},
                     {"over", report.over},
                     {"code", json::OrNull(report.code)},
                     {"config", report.config},
                     {"done", report.done},
                     {"signal", report.signal},
                     {"failure", report.failure},
                     {"launched", launched}});
}

std::string Encode(const Orders& orders) {
  Json launches = Json::array();
  for (const Launch& it : orders.launches) launches.push_back({{"id", it.id}, {"command", it.command}});
  return json::Dump({{"phase", static_cast<int>(orders.phase)},
                     {"config", orders.config},
                     {"signal", orders.signal},
                     {"launches", launches}});
}

std::string Encode(const StartRequest& request) {
  return json::Dump({{"host", request.host}, {"command", request.command}});
}

Report ParseReport(const std::string& text) {
  return ReadObject(text, "what was reported", "a report", [](const Json& object) {
    Report report{.attempt = object.at("attempt"),
                  .open = object.at("open"),
                  .over = object.at("over"),
                  .code = ReadCode(object.at("code")),
                  .config = object.at("config"),
                  .done = object.at("done"),
                  .signal = ReadSignal(object),
                  .failure = object.at("failure")};
    for (const Json& it : object.at("launched"))
      report.launched.push_back({ReadWhole<std::uint64_t>(it.at("id")), it.at("failure")});
    return report;
  });
}

Orders ParseOrders(const std::string& text) {
  return ReadObject(text, "what was ordered", "orders", [](const Json& object) {
    const int phase = ReadWhole<int>(object.at("phase"), 0, static_cast<int>(RunPhase::kGone));
    Orders orders{.phase = static_cast<RunPhase>(phase), .config = object.at("config"), .signal = ReadSignal(object)};
    for (const Json& it : object.at("launches"))
      orders.launches.push_back({ReadWhole<std::uint64_t>(it.at("id")), it.at("command")});
    return orders;
  });
}

StartRequest ParseStartRequest(const std::string& text) {
  return ReadObject(text, "what was asked", "a request to start something", [](const Json& object) {
    return StartRequest{.host = object.at("host"), .command = object.at("command")};
  });
}

}  // namespace autodidact::launch
