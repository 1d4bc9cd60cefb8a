#include "launch/job/plan.h"
#include "tests/fuzz/refusal.h"
#include "tests/libfuzzer/text_of.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace autodidact;
  fuzz::MayRefuse([&] {
    const launch::Ticket ticket = launch::ParseTicket(fuzz::TextOf(data, size), "fuzz");
    const std::string written = launch::Encode(ticket);
    fuzz::Require(launch::Encode(launch::ParseTicket(written, "fuzz")) == written, "a ticket reads back as it is");
    for (const auto& [name, keys] : ticket.keys) ticket.SecurityOf(name);
  });
  return 0;
}
