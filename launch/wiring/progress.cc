#include "launch/wiring/progress.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <utility>

#include "base/format.h"
#include "base/log.h"

namespace autodidact::launch {
namespace {

constexpr auto kPlainInterval = std::chrono::seconds(5);

std::string Duration(double seconds) {
  const auto whole = std::llround(seconds);
  if (whole < 60) return base::Format("{} s", whole);
  if (whole < 3600) return base::Format("{}:{:02} min", whole / 60, whole % 60);
  return base::Format("{}:{:02} h", whole / 3600, whole % 3600 / 60);
}

}  // namespace

ProgressLine::ProgressLine(std::string phase, std::int64_t total, std::int64_t already_done)
    : phase_(std::move(phase)), total_(total), first_(already_done), terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (open_) std::fputc('\n', stderr);
}

void ProgressLine::Show(std::int64_t done, const std::string& details) {
  const auto now = base::Clock::now();
  if (!terminal_ && done != total_ && shown_ != base::Clock::time_point{} && now - shown_ < kPlainInterval) return;
  shown_ = now;
  std::string left;
  if (done > first_ && done < total_) {
    const double each = base::SecondsSince(start_) / static_cast<double>(done - first_);
    left = "  left " + Duration(each * static_cast<double>(total_ - done));
  }
  const std::string line = base::Format("{} {}/{}  {}{}", phase_, done, total_, details, left);
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s", line.c_str());
    std::fflush(stderr);
    open_ = true;
  } else {
    base::LogInfo("{}", line);
  }
}

std::string StepDetails(const base::Metrics& metrics) {
  std::string text;
  const auto add = [&](const char* name, const char* shown, const char* unit) {
    const auto found = metrics.find(name);
    if (found == metrics.end()) return;
    text += base::Format("{}{} {:.3g}{}", text.empty() ? "" : "  ", shown, found->second, unit);
  };
  add("reward", "reward", "");
  add("accuracy/rollouts", "accuracy", "");
  add("eval/single", "eval", "");
  add("kl", "kl", "");
  add("entropy", "entropy", "");
  add("completions/mean_length", "length", "");
  add("step_time", "step", " s");
  return text;
}

}  // namespace autodidact::launch
