#include "launch/job/plan.h"

#include "tests/fuzz/refusal.h"
#include "tests/libfuzzer/text_of.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace autodidact;
  fuzz::MayRefuse([&] {
    const launch::JobPlan plan = launch::ParsePlan(fuzz::TextOf(data, size));
    const std::string written = launch::Encode(plan);
    fuzz::Require(launch::Encode(launch::ParsePlan(written)) == written, "a plan reads back as it is");
    for (const launch::RolePlace& role : plan.roles) {
      if (role.kind != "learner") plan.ForRole(role);
    }
    plan.ForLearner("1");
    plan.ForStarter();
    plan.ForJoiners();
    for (std::size_t host = 0; host < plan.hosts.size(); ++host) plan.SecurityOf(launch::AgentName(host));
  });
  return 0;
}
