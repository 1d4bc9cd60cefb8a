#include "launch/commands/job_script.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "base/format.h"
#include "base/strings.h"

namespace autodidact::launch {
namespace {

// Slurm looks at the time about once a minute, and the run needs time to save.
constexpr std::int64_t kLeastNotice = 60;
// Of a name of a job, a partition or an account; what Slurm takes there without quotes.
constexpr std::string_view kPlain = "_.,:/=@%+-";
// How long the others may go on when one node's task has ended.
constexpr int kLastSeconds = 120;

// What the script says itself, and by what it is said to this command; empty: it cannot be said.
struct OwnOption {
  const char* name;
  const char* brief;
  const char* instead;
};
constexpr std::array kOwn = std::to_array<OwnOption>({{"--nodes", "-N", "--nodes"},
                                                      {"--ntasks", "-n", ""},
                                                      {"--ntasks-per-node", "", ""},
                                                      {"--cpus-per-task", "-c", "--cpus-per-node"},
                                                      {"--gpus-per-node", "", "--gpus-per-node"},
                                                      {"--gpus", "-G", "--gpus-per-node"},
                                                      {"--gpus-per-task", "", "--gpus-per-node"},
                                                      {"--mem", "", "--mem"},
                                                      {"--mem-per-cpu", "", "--mem"},
                                                      {"--mem-per-gpu", "", "--mem"},
                                                      {"--time", "-t", "--time"},
                                                      {"--partition", "-p", "--partition"},
                                                      {"--account", "-A", "--account"},
                                                      {"--signal", "", "--notice"},
                                                      {"--requeue", "", "--requeue"},
                                                      {"--no-requeue", "", ""},
                                                      {"--open-mode", "", ""},
                                                      {"--array", "-a", ""},
                                                      {"--wrap", "", ""}});

bool IsPlain(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return base::IsLetter(c) || base::IsDigit(c) || kPlain.find(c) != std::string_view::npos;
  });
}

bool HasControl(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string ForBash(const std::string& text) {
  return IsPlain(text) ? text : "'" + base::ReplaceAll(text, "'", R"('\'')") + "'";
}

// As sbatch reads the lines of a script: words, quotes, and backslashes before what means something else.
std::string ForSbatch(const std::string& text) {
  if (HasControl(text)) base::ThrowBadInput("slurm: '" + text + "': control characters cannot be said to sbatch");
  if (IsPlain(text)) return text;
  return "\"" + base::ReplaceAll(base::ReplaceAll(text, "\\", "\\\\"), "\"", "\\\"") + "\"";
}

void RequireName(const std::string& option, const std::string& value) {
  if (value.empty() || IsPlain(value)) return;
  base::ThrowBadInput(base::Format("slurm: {}: got '{}', expected a name without spaces", option, value));
}

void RequireMemory(const std::string& memory) {
  const auto digits = memory.find_first_not_of("0123456789");
  const std::string unit = digits == std::string::npos ? "" : memory.substr(digits);
  if (digits == 0 || memory.empty() || !(unit.empty() || base::Contains(std::to_array({"K", "M", "G", "T"}), unit))) {
    base::ThrowBadInput("slurm: --mem: got '" + memory + "', expected one like 64G, or 0 for all of a node's");
  }
}

void RequireNotOurs(const std::string& option) {
  const std::string name = option.substr(0, option.find('='));
  for (const OwnOption& own : kOwn) {
    const bool brief = *own.brief != '\0' && option.starts_with(own.brief) && !option.starts_with("--");
    if (name != own.name && !brief) continue;
    const std::string instead = own.instead;
    base::ThrowBadInput(base::Format("slurm: {} is said by the script itself{}", option,
                                     instead.empty() ? "" : ": give " + instead + " before --"));
  }
}

std::int64_t RequireTime(const JobScript& script) {
  const std::int64_t limit = SlurmSeconds(script.time);
  if (script.notice < kLeastNotice) {
    base::ThrowBadInput(
        base::Format("slurm: --notice: got {} s, expected {} or more: Slurm looks at the time about once "
                     "a minute",
                     script.notice, kLeastNotice));
  }
  if (limit > 0 && limit < 2 * script.notice) {
    base::ThrowBadInput(
        base::Format("slurm: --time {}: the run would be asked to stop {} s before its end, and do little "
                     "else: give it {} s or more, or a smaller --notice",
                     script.time, script.notice, 2 * script.notice));
  }
  return limit;
}

// Options of sbatch, one a line: "--qos=high", or "-C" with its value behind it.
std::vector<std::string> FurtherLines(const std::vector<std::string>& words) {
  std::vector<std::string> lines;
  for (const std::string& word : words) {
    if (word.starts_with("-") && word.size() > 1) {
      RequireNotOurs(word);
      lines.push_back(ForSbatch(word));
    } else if (lines.empty()) {
      base::ThrowBadInput("slurm: behind --: got '" + word + "', expected an option of sbatch, as in --qos=high");
    } else {
      lines.back() += " " + ForSbatch(word);
    }
  }
  return lines;
}

std::string Head(const JobScript& script) {
  std::string head = "#!/bin/bash\n";
  const auto say = [&](const std::string& option) { head += "#SBATCH " + option + "\n"; };
  say("--job-name=" + ForSbatch(script.name));
  say("--nodes=" + std::to_string(script.nodes));
  say("--ntasks-per-node=1");
  say(script.cpus_per_node == 0 ? "--exclusive" : base::Format("--cpus-per-task={}", script.cpus_per_node));
  if (script.gpus_per_node > 0) say(base::Format("--gpus-per-node={}", script.gpus_per_node));
  say("--mem=" + script.memory);
  say("--time=" + script.time);
  if (!script.partition.empty()) say("--partition=" + script.partition);
  if (!script.account.empty()) say("--account=" + script.account);
  say(base::Format("--signal=TERM@{}", script.notice));
  say(script.requeue ? "--requeue" : "--no-requeue");
  say("--open-mode=append");
  say("--output=autodidact-%j.log");
  for (const std::string& line : FurtherLines(script.further)) say(line);
  return head;
}

std::string Introduction(const JobScript& script) {
  std::string about = base::Format(R"(#
# A run as a Slurm job: one task a node, with all that the job has of the node. Submit it from the folder from which the
# paths of the config are meant. {} seconds before the time limit, and by scancel --signal=TERM, every process of the run
# is sent SIGTERM: it stops with a checkpoint, from which the same job goes on when it is started again)",
                                   script.notice);
  about += script.requeue ? ",\n# which it then asks Slurm for.\n" : ".\n";
  return about;
}

std::string Command(const JobScript& script) {
  std::string words = "train " + ForBash(script.config) + " --resume";
  for (const std::string& value : script.overrides) words += " --set " + ForBash(value);
  return words;
}

constexpr const char* kChecks = R"(
case $(srun --mpi=list 2>&1) in
  *pmix*) ;;
  *) echo "autodidact: srun has no plugin for PMIx (srun --mpi=list): install it, or use mpirun in the job" >&2; exit 2 ;;
esac
if ! [ -x "$program" ]; then
  echo "autodidact: $PWD: no program $program there: AUTODIDACT_PROGRAM names another" >&2
  exit 2
fi

# A job that is cancelled is sent SIGTERM with its shell, which waits for the run all the same.
)";

constexpr const char* kTrap = "trap : INT TERM\n";
// At the notice the shell is sent nothing: that is how a job that was cancelled is told from one that is to go on.
constexpr const char* kRequeueTrap = "cancelled=\ntrap 'cancelled=yes' INT TERM\n";

constexpr const char* kGoOn = R"(
case $code in
  129 | 130 | 138 | 143)
    if [ -z "$cancelled" ]; then
      echo "autodidact: stopped with exit code $code; job $SLURM_JOB_ID goes on when it is started again" >&2
      scontrol requeue "$SLURM_JOB_ID" || echo "autodidact: it is not requeued: submit it again" >&2
    fi
    ;;
esac
)";

}  // namespace

std::int64_t SlurmSeconds(const std::string& limit) {
  if (limit == "UNLIMITED" || limit == "INFINITE") return 0;
  const auto dash = limit.find('-');
  const bool has_days = dash != std::string::npos;
  std::string rest = has_days ? limit.substr(dash + 1) : limit;
  std::vector<std::string> words;
  if (has_days) words.push_back(limit.substr(0, dash));
  for (std::size_t colon = 0; (colon = rest.find(':')) != std::string::npos; rest = rest.substr(colon + 1)) {
    words.push_back(rest.substr(0, colon));
  }
  words.push_back(rest);
  bool good = words.size() <= (has_days ? 4U : 3U);
  std::vector<std::int64_t> numbers;
  for (const std::string& word : words) {
    good = good && !word.empty() && word.size() <= 6 && word.find_first_not_of("0123456789") == std::string::npos;
    numbers.push_back(good ? std::stoll(word) : 0);
  }
  numbers.resize(4, 0);
  std::int64_t seconds = 0;
  if (has_days) {
    seconds = ((numbers[0] * 24 + numbers[1]) * 60 + numbers[2]) * 60 + numbers[3];
  } else if (words.size() == 3) {
    seconds = (numbers[0] * 60 + numbers[1]) * 60 + numbers[2];
  } else {
    seconds = numbers[0] * 60 + numbers[1];
  }
  if (!good || seconds == 0) {
    base::ThrowBadInput("slurm: --time: got '" + limit + "', expected one like 90 (minutes), 24:00:00 or 2-12:00:00");
  }
  return seconds;
}

std::string ToText(const JobScript& script) {
  RequireTime(script);
  RequireMemory(script.memory);
  RequireName("--partition", script.partition);
  RequireName("--account", script.account);
  std::string text = Head(script) + Introduction(script);
  text += "set -euo pipefail\n\n";
  text += "program=${AUTODIDACT_PROGRAM:-" + ForBash(script.program) + "}\n";
  text += kChecks;
  text += script.requeue ? kRequeueTrap : kTrap;
  text += "\ncode=0\n";
  text += base::Format(
      "srun --mpi=pmix --ntasks={} --ntasks-per-node=1{} --cpu-bind=none --kill-on-bad-exit=0 --wait={} \\\n",
      script.nodes, script.cpus_per_node > 0 ? base::Format(" --cpus-per-task={}", script.cpus_per_node) : "",
      kLastSeconds);
  text += "  \"$program\" " + Command(script) + " || code=$?\n";
  if (script.requeue) text += kGoOn;
  return text + "exit \"$code\"\n";
}

}  // namespace autodidact::launch
