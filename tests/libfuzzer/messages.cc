#include <cstdint>
#include <filesystem>
#include <string>

#include "schema/codec.h"
#include "schema/validate.h"
#include "tests/fuzz/refusal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace autodidact;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  fuzz::MayRefuse([&] {
    const schema::Message message = schema::Decode(bytes);
    schema::CheckSender(message, "actor-0");
    if (const auto* scored = std::get_if<schema::ScoredGroup>(&message)) {
      schema::Check(*scored, {2, 100, 16, 32, {}}, 3);
    } else if (const auto* lease = std::get_if<schema::LeaseReply>(&message)) {
      schema::Check(*lease, 4);
    } else if (const auto* beat = std::get_if<schema::Heartbeat>(&message)) {
      schema::Check(*beat);
    } else if (const auto* directory = std::get_if<schema::Directory>(&message)) {
      schema::Check(*directory);
    } else if (const auto* judge = std::get_if<schema::JudgeRequest>(&message)) {
      schema::Check(*judge);
    } else if (const auto* judged = std::get_if<schema::JudgeReply>(&message)) {
      schema::Check(*judged, {4, 2, 2, {}});
    } else if (const auto* synthesis = std::get_if<schema::SynthesisRequest>(&message)) {
      schema::Check(*synthesis);
    }
  });
  return 0;
}
