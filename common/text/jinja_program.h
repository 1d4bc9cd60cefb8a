// The Python side of jinja.h. Private to the room.
#pragma once

namespace autodidact::text {

// Reads JSON lines from stdin and answers each by one on stdout. The first is {"template", "variables"}, answered by
// {"ready": version of jinja2, "asks": names of the variables that the template reads}, {"missing": reason} where there
// is no jinja2, or {"error"}. Each further one is {"now": [year, month, day, hour, minute, second, microsecond],
// "chats": [variables of one rendering, …]}, answered by a list of {"text", "unread": keys of messages that the
// template did not look at} and {"error"}.
extern const char* const kJinjaProgram;

}  // namespace autodidact::text
