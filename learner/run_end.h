// How a run ends where nothing broke.
#pragma once

namespace autodidact::learner {

enum class RunEnd : char {
  kFinished,     // max_steps are done
  kNothingLeft,  // every rollout has the full reward: there is nothing more to learn
  kStopped,      // on request
  kAlarm,        // the collapse alarm, where it may end the run
  kEmpty,        // too many steps in a row, or all of them, taught nothing
  kRefused,      // never began: what was checked before the first step is wrong
};

// "finished", "nothing_left", "stopped", "alarm", "empty", "refused".
const char* Name(RunEnd end);

}  // namespace autodidact::learner
