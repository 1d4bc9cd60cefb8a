#include "membership/role.h"

#include <utility>

#include "base/error.h"

namespace autodidact::membership {

void RunRole(net::Client& learner, MemberConfig member, Role& role, const std::stop_token& stop,
             const std::function<void()>& on_over) {
  std::stop_source over;
  const std::stop_callback forward(stop, [&] { over.request_stop(); });
  member.endpoint = role.endpoint();
  HeartbeatSender sender(
      learner, std::move(member), [&] { return role.TakeStatus(); },
      [&](const schema::Directory& directory) { role.Hear(directory); },
      [&] {
        if (on_over) on_over();
        over.request_stop();
      });
  role.Serve(over.get_token());
  if (const auto lost = sender.Lost()) throw base::Error(lost->kind, lost->reason);
}

schema::RoleKind RoleKindNamed(const std::string& name) {
  for (const auto kind : {schema::RoleKind::kActor, schema::RoleKind::kAnchor, schema::RoleKind::kJudge}) {
    if (name == schema::Name(kind)) return kind;
  }
  base::ThrowBadInput("role: got \"" + name + "\", expected actor, anchor or judge");
}

}  // namespace autodidact::membership
