// The Python side of code.h: what runs in the sandbox. Private to the room.
#pragma once

namespace autodidact::answers {

// Reads a job from stdin: its length as 16 digits, the job as JSON, then a word. Writes one JSON object to stdout:
// {"word", "end", "reason", "outputs", "returned"}. What the program prints goes to stderr.
extern const char* const kCodeHarness;

}  // namespace autodidact::answers
