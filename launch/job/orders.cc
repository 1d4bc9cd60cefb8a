#include "launch/job/orders.h"

#include "base/error.h"
#include "json/json.h"

namespace autodidact::launch {
namespace {

using json::Json;

constexpr int kMostSignals = 64;

template <class Read>
auto ReadObject(const std::string& text, const char* what, Read read) {
  const Json object = json::Parse(text, what);
  try {
    return read(object);
  } catch (const Json::exception& error) {
    base::ThrowBadInput(std::string(what) + ": " + error.what());
  }
}

int ReadSignal(const Json& object) {
  const int signal = object.at("signal");
  if (signal < 0 || signal > kMostSignals) base::ThrowBadInput("signal " + std::to_string(signal));
  return signal;
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
  return ReadObject(text, "a report", [](const Json& object) {
    Report report{.attempt = object.at("attempt"),
                  .open = object.at("open"),
                  .over = object.at("over"),
                  .code = object.at("code").is_null() ? std::nullopt : std::optional<int>(object.at("code")),
                  .config = object.at("config"),
                  .done = object.at("done"),
                  .signal = ReadSignal(object),
                  .failure = object.at("failure")};
    for (const Json& it : object.at("launched")) report.launched.push_back({it.at("id"), it.at("failure")});
    return report;
  });
}

Orders ParseOrders(const std::string& text) {
  return ReadObject(text, "orders", [](const Json& object) {
    const int phase = object.at("phase");
    if (phase < 0 || phase > static_cast<int>(RunPhase::kGone)) base::ThrowBadInput("phase " + std::to_string(phase));
    Orders orders{.phase = static_cast<RunPhase>(phase), .config = object.at("config"), .signal = ReadSignal(object)};
    for (const Json& it : object.at("launches")) orders.launches.push_back({it.at("id"), it.at("command")});
    return orders;
  });
}

StartRequest ParseStartRequest(const std::string& text) {
  return ReadObject(text, "a start", [](const Json& object) {
    return StartRequest{.host = object.at("host"), .command = object.at("command")};
  });
}

}  // namespace autodidact::launch
