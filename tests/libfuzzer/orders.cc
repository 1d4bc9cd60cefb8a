#include "launch/job/orders.h"

#include "tests/fuzz/refusal.h"
#include "tests/libfuzzer/text_of.h"

namespace {

template <class Parse>
void ReadsBack(const std::string& text, Parse parse) {
  autodidact::fuzz::MayRefuse([&] {
    const std::string written = Encode(parse(text));
    autodidact::fuzz::Require(Encode(parse(written)) == written, "what is said reads back as it is");
  });
}

}  // namespace

// Reports, orders, and the starter's requests.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace autodidact;
  const std::string text = fuzz::TextOf(data, size);
  ReadsBack(text, launch::ParseReport);
  ReadsBack(text, launch::ParseOrders);
  ReadsBack(text, launch::ParseStartRequest);
  return 0;
}
