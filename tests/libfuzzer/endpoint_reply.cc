#include "judge_service/endpoint_talk.h"
#include "tests/fuzz/refusal.h"
#include "tests/libfuzzer/text_of.h"

namespace {

constexpr std::size_t kNumItems = 2;

void Check(const autodidact::base::Outcome<std::vector<autodidact::judge_service::ItemVerdict>>& verdicts) {
  if (verdicts.ok()) {
    autodidact::fuzz::Require(verdicts->size() == kNumItems, "there is a verdict for each item");
  } else {
    autodidact::fuzz::Require(!verdicts.failure().reason.empty(), "a failure has a reason");
  }
}

}  // namespace

// What an HTTP endpoint sends: as the body of a success, of a refusal, as the message itself, and as an address.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace autodidact;
  const std::string bytes = fuzz::TextOf(data, size);
  const judge_service::ReplyBody body = judge_service::ReadBody(bytes);
  fuzz::Require(body.error.empty() || body.content.empty(), "a reply is an error or a message");
  fuzz::Require(body.status == 200 || !body.error.empty(), "an error says something");
  fuzz::Require(body.status >= 100 && body.status <= 999, "a status is one of HTTP's");
  Check(judge_service::ReadReply(body, {}, kNumItems));
  Check(judge_service::ReadVerdicts(bytes, kNumItems));
  const judge_service::Dialect adapted = judge_service::Adapted({}, bytes);
  fuzz::Require(judge_service::Adapted(adapted, bytes) == adapted, "what a refusal says is learnt at once");
  fuzz::MayRefuse([&] { judge_service::ChatUrl(bytes); });
  return 0;
}
