#include "text/jinja.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>
#include <utility>

#include "base/format.h"
#include "base/guarded.h"
#include "base/log.h"
#include "process/sandbox.h"
#include "text/jinja_program.h"

namespace autodidact::text {
namespace {

using json::Json;

constexpr base::Milliseconds kStartBy{60'000};   // Python on a busy machine
constexpr base::Milliseconds kRenderBy{30'000};  // templates need milliseconds
constexpr std::size_t kMemory = std::size_t{1} << 30;
constexpr std::size_t kOutput = std::size_t{1} << 26;
constexpr std::uint32_t kCpuSeconds = 24 * 3600;  // of a whole run; a runaway template meets kRenderBy first
constexpr const char* kInstall =
    "install jinja2 (apt-get install python3-jinja2, or pip install jinja2), or name a Python that has it as "
    "prompt.python, or a chat format as prompt.format (--chat-format)";

std::vector<std::string> CommandOf(const std::string& python) {
  return {python, "-I", "-B", "-c", kJinjaProgram};
}

// Without namespaces, but with the kernel's limits.
std::unique_ptr<process::Child> StartBare(const std::string& what, const std::string& python) {
  process::ChildOptions options;
  options.what = what;
  options.argv = {"prlimit",
                  base::Format("--as={}", kMemory),
                  base::Format("--cpu={}", kCpuSeconds),
                  "--fsize=0",
                  "--nofile=64",
                  "--core=0",
                  "--"};
  for (std::string& part : CommandOf(python)) options.argv.push_back(std::move(part));
  options.environment = process::EnvironmentWithoutMpi();
  options.output = process::ChildOptions::Output::kCapture;
  options.capture_limit = kOutput;
  options.feed = true;
  options.grace = base::Milliseconds(0);
  return std::make_unique<process::Child>(std::move(options));
}

std::unique_ptr<process::Child> StartSandboxed(const std::string& what, const std::string& python) {
  process::SandboxRun run{.what = what, .argv = CommandOf(python), .input = {}, .limits = {}};
  run.limits.memory = kMemory;
  run.limits.output = kOutput;
  run.limits.cpu_seconds = kCpuSeconds;
  run.limits.files = 1 << 16;
  return process::StartInSandbox(run);
}

// The clock as the template may read it, in the zone of this process: the sandbox knows none.
Json Now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count() % 1'000'000;
  std::tm local{};
  localtime_r(&seconds, &local);
  return {local.tm_year + 1900, local.tm_mon + 1,           local.tm_mday, local.tm_hour,
          local.tm_min,         std::min(local.tm_sec, 59), micros};
}

Json ObjectOf(const std::string& text, const std::string& where) {
  if (text.empty()) return Json::object();
  Json value = json::Parse(text, where);
  if (value.is_object()) return value;
  base::ThrowBadInput(base::Format("{}: got {}, expected a mapping", where, json::Describe(value)));
}

std::vector<std::string> StringsOf(const Json& list) {
  std::vector<std::string> strings;
  for (const Json& item : list) strings.push_back(item.get<std::string>());
  return strings;
}

}  // namespace

std::shared_ptr<const Jinja> Jinja::For(const ChatSource& source) {
  static base::Guarded<std::map<std::string, std::weak_ptr<const Jinja>>> all;
  const std::string key =
      json::Dump({source.text, source.where, source.special_tokens, source.variables, source.python});
  if (auto found = all.With([&](auto& map) { return map[key].lock(); })) return found;
  auto made = std::make_shared<const Jinja>(source);
  all.With([&](auto& map) { map[key] = made; });
  return made;
}

Jinja::Jinja(ChatSource source) : source_(std::move(source)) {
  StartAny();
}

bool Jinja::Asks(const std::string& variable) const {
  return std::find(asks_.begin(), asks_.end(), variable) != asks_.end();
}

void Jinja::StartAny() {
  std::vector<std::string> pythons = {source_.python};
  if (source_.python.empty()) pythons = {"/usr/bin/python3", "python3"};
  for (const std::string& python : pythons) {
    // A Python of one's own may lie where the sandbox, which shows /usr alone, has nothing.
    const bool of_the_system = python.starts_with("/usr/bin/") || python.starts_with("/bin/");
    for (const bool sandboxed : {true, false}) {
      if (sandboxed && !of_the_system) continue;
      switch (TryStart(python, sandboxed)) {
        case Start::kReady:
          python_ = python;
          sandboxed_ = sandboxed;
          return;
        case Start::kNoJinja:
          break;
        case Start::kEnded:
          continue;
      }
      break;
    }
  }
  base::ThrowBadInput(base::Format("{}: this chat template needs jinja2, which no Python here has ({}): {}",
                                   source_.where, tried_, kInstall));
}

Jinja::Start Jinja::TryStart(const std::string& python, bool sandboxed) {
  const std::string what = "jinja2 for " + source_.where;
  const auto tried = [&](const std::string& reason) {
    tried_ += (tried_.empty() ? "" : "; ") + python + (sandboxed ? " in the sandbox" : "") + ": " + reason;
  };
  try {
    child_ = sandboxed ? StartSandboxed(what, python) : StartBare(what, python);
  } catch (const base::Error& error) {
    tried(error.message());
    return Start::kEnded;
  }
  Json variables = ObjectOf(source_.special_tokens, source_.where + ": special tokens");
  const Json own = ObjectOf(source_.variables, "prompt.template_variables");
  for (const auto& [key, value] : own.items()) variables[key] = value;
  child_->Write(json::Dump({{"template", source_.text}, {"variables", variables}}) + "\n");
  const auto line = child_->ReadLine(base::Deadline::In(kStartBy));
  if (!line) {
    const std::string said = child_->errors().substr(0, 500);
    tried(said.empty() ? "no reply" : said.substr(0, said.find_last_not_of('\n') + 1));
    return Start::kEnded;
  }
  const Json reply = json::Parse(*line, what);
  if (reply.contains("missing")) {
    tried(json::GetString(reply, "missing", what));
    return Start::kNoJinja;
  }
  if (reply.contains("error")) {
    base::ThrowBadInput(source_.where + ": the chat template is wrong: " + json::GetString(reply, "error", what));
  }
  version_ = json::GetString(reply, "ready", what);
  asks_ = StringsOf(reply.at("asks"));
  if (version_.starts_with("2.") || version_.starts_with("3.0.")) {
    tried("jinja2 " + version_ + ", expected 3.1 or newer");
    return Start::kNoJinja;
  }
  return Start::kReady;
}

// Nothing when it gave no reply and was killed for it, or had ended before it was asked.
std::optional<Json> Jinja::Ask(const Json& request) const {
  if (!child_ || !child_->Write(json::Dump(request) + "\n")) {
    base::LogWarning("{}: the process of its chat template has ended and is started anew", source_.where);
    Jinja fresh(source_);
    child_ = std::move(fresh.child_);
    child_->Write(json::Dump(request) + "\n");
  }
  const auto line = child_->ReadLine(base::Deadline::In(kRenderBy));
  if (line && !child_->truncated()) return json::Parse(*line, "jinja2 for " + source_.where);
  child_.reset();
  return std::nullopt;
}

std::vector<base::Outcome<Jinja::Rendered>> Jinja::Render(const std::vector<Json>& chats) const {
  const std::lock_guard lock(mutex_);
  const auto reply = Ask({{"now", Now()}, {"chats", chats}});
  std::vector<base::Outcome<Rendered>> results;
  if (!reply || !reply->is_array() || reply->size() != chats.size()) {
    const base::Failure failure{
        base::ErrorKind::kBadInput,
        base::Format("{}: the chat template gave nothing within {} s, {} bytes of memory and {} bytes of output",
                     source_.where, kRenderBy.count() / 1000, kMemory, kOutput)};
    results.assign(chats.size(), failure);
    return results;
  }
  for (const Json& item : *reply) {
    if (item.contains("text")) {
      results.emplace_back(Rendered{item["text"].get<std::string>(), StringsOf(item.at("unread"))});
    } else {
      results.emplace_back(base::Failure{
          base::ErrorKind::kBadInput,
          source_.where + ": the chat template refuses the chat: " + json::GetString(item, "error", source_.where)});
    }
  }
  return results;
}

}  // namespace autodidact::text
