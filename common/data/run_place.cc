#include "data/run_place.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/fault.h"
#include "base/format.h"
#include "base/log.h"
#include "data/checkpoint_files.h"
#include "data/durable.h"
#include "data/run_folder.h"
#include "json/json.h"

namespace autodidact::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCheckpoints = "checkpoints";
constexpr const char* kMetrics = "metrics.jsonl";
constexpr const char* kRollouts = "rollouts";
constexpr std::string_view kEarlier = "earlier-";
constexpr const char* kTrash = ".removing";
constexpr const char* kRecords[] = {"config.yaml", kMetrics, kRollouts, kCheckpoints, "logs"};
constexpr std::size_t kMaxName = 255;  // bytes, of file systems

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

// What `eval --json` measured on this run's weights.
bool IsEvaluation(const fs::path& file) {
  if (file.extension() != ".json" || !fs::is_regular_file(fs::symlink_status(file))) return false;
  try {
    const json::Json evaluation = json::ParseFile(file);
    return evaluation.is_object() && evaluation.contains("single");
  } catch (const base::Error&) {
    return false;
  }
}

bool StartsAsTemporary(const std::string& name, const char* record) {
  return name.starts_with(std::string(record) + ".") && name.ends_with(".tmp");
}

// What a run, or a command on a run, writes into its folder, but for the marker.
bool IsWrittenByARun(const fs::path& path) {
  const std::string name = path.filename().string();
  if (std::find(std::begin(kRecords), std::end(kRecords), name) != std::end(kRecords)) return true;
  if (name == "report.html" || name == "outcome.json" || name == kTrash || name.starts_with("events.out.tfevents."))
    return true;
  if (name.starts_with(kEarlier) && fs::is_directory(fs::symlink_status(path))) return true;
  if (StartsAsTemporary(name, "config.yaml") || StartsAsTemporary(name, kMetrics)) return true;
  return IsEvaluation(path);
}

std::vector<fs::path> WrittenByARun(const fs::path& folder) {
  std::vector<fs::path> written;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (IsWrittenByARun(entry.path())) written.push_back(entry.path());
  }
  std::sort(written.begin(), written.end());
  return written;
}

// Whether a run would write over something here, or later take it for its own: all that a run writes but evaluations,
// which may have been made of the model that it begins from.
bool HoldsRecords(const fs::path& folder) {
  const auto written = WrittenByARun(folder);
  return std::any_of(written.begin(), written.end(),
                     [](const fs::path& path) { return HoldsAnything(path) && !IsEvaluation(path); });
}

fs::path Canonical(const fs::path& path) {
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(fs::absolute(path), error);
  return error ? fs::absolute(path).lexically_normal() : canonical;
}

bool IsWithin(const fs::path& inner, const fs::path& outer) {
  const auto [end, ignored] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end == outer.end();
}

// Files that a path leads to: itself, and the entries of a folder, which may be links to elsewhere.
std::vector<fs::path> ReadThrough(const fs::path& path) {
  std::vector<fs::path> files = {Canonical(path)};
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(path, none)) files.push_back(Canonical(entry.path()));
  return files;
}

// The number of "12", or nothing.
std::optional<std::int64_t> WholeNumber(const std::string& text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || error != std::errc() || rest != end || number < 0) return std::nullopt;
  return number;
}

std::string StepsOf(const std::vector<CheckpointFolder>& checkpoints) {
  std::string steps;
  for (const CheckpointFolder& checkpoint : checkpoints) {
    steps += (steps.empty() ? "" : ", ") + std::to_string(checkpoint.step);
  }
  return steps.empty() ? "there is none" : "there are those of the steps " + steps;
}

// Moves what is there into `folder`, which is made when it is needed.
void MoveInto(const fs::path& folder, const fs::path& path) {
  if (!Exists(path)) return;
  fs::create_directories(folder);
  base::FaultPoint("data.move");
  fs::rename(path, folder / path.filename());
}

template <class Action>
auto WithNamedErrors(const fs::path& folder, Action action) {
  try {
    return action();
  } catch (const fs::filesystem_error& error) {
    base::ThrowBadInput(base::Format("{}: the run folder cannot be prepared: {}: {}", folder.string(),
                                     error.path1().string(), error.code().message()));
  }
}

}  // namespace

RunPlace::RunPlace(RunRequest request) : request_(std::move(request)) {
  CheckRunName(request_.name);
  if (request_.folder.empty())
    base::ThrowBadInput("folder: got nothing, expected the folder of runs (\".\": this one)");
  path_ = request_.folder / request_.name;
  WithNamedErrors(path_, [&] { Decide(); });
}

void RunPlace::Decide() {
  if (Exists(path_) && !fs::is_directory(path_)) {
    base::ThrowBadInput(path_.string() + ": is no folder, but the run's folder would have this name; choose another");
  }
  if (IsRun(request_.folder)) {
    base::ThrowBadInput(request_.folder.string() + ": is the folder of a run itself; name another under folder");
  }
  if (IsRun(path_)) lock_ = std::make_unique<RunLock>(path_);
  FindOwnOrGivenCheckpoint();
  const bool own = checkpoint_ && Canonical(*checkpoint_).parent_path() == Canonical(path_ / kCheckpoints);
  plan_ = own ? Plan::kGoOn : PlanToBegin();
  if (plan_ != Plan::kGoOn && fs::is_symlink(path_)) {
    base::ThrowBadInput(base::Format(
        "{}: is a link to {}: a run begins, and overwrites, in a folder of its own alone; choose another name",
        path_.string(), fs::read_symlink(path_).string()));
  }
  if (plan_ == Plan::kOverwrite) RequireDeletable();
  if (plan_ == Plan::kBeginAgain) RequireUnread(WrittenByARun(path_));
}

// What is to be done where no checkpoint of this folder is gone on from.
RunPlace::Plan RunPlace::PlanToBegin() const {
  if (!HoldsAnything(path_)) return Plan::kBegin;
  if (request_.overwrite) return Plan::kOverwrite;
  if (!IsRun(path_)) {
    if (!HoldsRecords(path_)) return Plan::kBegin;
    base::ThrowBadInput(path_.string() +
                        ": already holds a run, or files of the names that a run writes; choose another name, continue "
                        "a run that has a checkpoint with --resume, or delete one with --overwrite");
  }
  const auto checkpoints = ListCheckpoints(path_ / kCheckpoints);
  if (checkpoints.empty()) return Plan::kBeginAgain;
  if (request_.resume) {
    base::ThrowBadInput(
        base::Format("{}: none of its {} checkpoints is whole ({}: {}): there is nothing to go on "
                     "from; --overwrite deletes them and begins anew",
                     path_.string(), checkpoints.size(), checkpoints.back().path.filename().string(),
                     FindDamage(checkpoints.back().path)));
  }
  base::ThrowBadInput(base::Format(
      "{}: already holds a run, up to step {}; choose another name, continue it with --resume, or start it anew with "
      "--overwrite, which deletes it",
      path_.string(), checkpoints.back().step));
}

void RunPlace::FindOwnOrGivenCheckpoint() {
  const fs::path root = path_ / kCheckpoints;
  if (request_.resume) checkpoint_ = FindCheckpoint(root);
  if (checkpoint_ || request_.resume_from.empty()) return;
  const std::string& from = request_.resume_from;
  const auto step = WholeNumber(from);
  const fs::path given = step ? root / CheckpointName(*step) : fs::path(from);
  if (!Exists(given / "manifest.json")) {
    base::ThrowBadInput(
        base::Format("--resume-from {}: {} is no checkpoint; expected the number of a step of {} ({}), or the folder "
                     "of a checkpoint",
                     from, given.string(), path_.string(), StepsOf(ListCheckpoints(root))));
  }
  const std::string damage = FindDamage(given);
  if (!damage.empty()) base::ThrowBadInput(base::Format("--resume-from {}: it is not whole: {}", from, damage));
  checkpoint_ = Canonical(given);
}

void RunPlace::RequireDeletable() const {
  const fs::path canonical = Canonical(path_);
  if (!IsRun(path_)) {
    // Versions without a marker wrote all three of these.
    const bool old = HoldsAnything(path_ / "config.yaml") && HoldsAnything(path_ / kMetrics) &&
                     fs::is_directory(fs::symlink_status(path_ / kRollouts));
    if (!old) {
      base::ThrowBadInput(
          base::Format("{}: --overwrite deletes runs of this program alone, and this is none: there is "
                       "no {} in it. Choose another name, or move it away yourself",
                       path_.string(), kRunMarker));
    }
  }
  if (IsWithin(Canonical(fs::current_path()), canonical)) {
    base::ThrowBadInput(path_.string() + ": --overwrite would delete the folder that the program runs in");
  }
  for (const auto& entry : fs::recursive_directory_iterator(path_)) {
    if (entry.path().filename() != kRunMarker || entry.path().parent_path() == path_) continue;
    base::ThrowBadInput(base::Format("{}: --overwrite would delete another run, which is inside of it: {}",
                                     path_.string(), entry.path().parent_path().string()));
  }
  RequireUnread({path_});
}

void RunPlace::RequireUnread(const std::vector<fs::path>& going) const {
  auto reads = request_.reads;
  if (checkpoint_) reads.emplace_back("--resume-from", *checkpoint_);
  for (const auto& [key, path] : reads) {
    // The run's own config may be the one that it is started by: it has been read, and is written anew.
    if (Canonical(path) == Canonical(path_) / "config.yaml") continue;
    for (const fs::path& file : ReadThrough(path)) {
      for (const fs::path& gone : going) {
        if (!IsWithin(file, Canonical(gone))) continue;
        base::ThrowBadInput(
            base::Format("{}: this run reads from it ({}: {}), so what it holds cannot make way for the "
                         "run; choose another name",
                         path_.string(), key, path.string()));
      }
    }
  }
}

std::uint64_t RunPlace::BytesToFree() const {
  if (plan_ != Plan::kOverwrite) return 0;
  std::uint64_t bytes = 0;
  for (const fs::path& path : WrittenByARun(path_)) bytes += SizeOf(path);
  return bytes;
}

void RunPlace::Open() {
  WithNamedErrors(path_, [&] {
    fs::create_directories(path_);
    if (!lock_) lock_ = std::make_unique<RunLock>(path_);
    lock_->Announce();
    fs::remove_all(path_ / kTrash);
    RemoveCheckpointLeftovers(path_ / kCheckpoints);
    if (plan_ == Plan::kOverwrite) Clear();
    if (plan_ == Plan::kBeginAgain) MoveEarlierRecords();
    if (plan_ == Plan::kGoOn) MoveWhatIsLater();
    SyncFolder(path_);
  });
}

fs::path RunPlace::EarlierFolder() const {
  for (int number = 1;; ++number) {
    fs::path folder = path_ / base::Format("{}{}", kEarlier, number);
    if (!Exists(folder)) return folder;
  }
}

void RunPlace::MoveEarlierRecords() {
  const fs::path earlier = EarlierFolder();
  const bool trained = HoldsAnything(path_ / kMetrics) || HoldsAnything(path_ / kRollouts);
  for (const fs::path& path : WrittenByARun(path_)) {
    const std::string name = path.filename().string();
    if (name.starts_with(kEarlier) || name == kCheckpoints) continue;
    if (trained) {
      MoveInto(earlier, path);
    } else if (name != "logs" && name != "config.yaml") {
      fs::remove_all(path);
    }
  }
  base::LogInfo("{}: its run ended before its first checkpoint; it begins again{}", path_.string(),
                trained ? ", and what it had recorded is in " + earlier.filename().string() + "/" : "");
}

void RunPlace::MoveWhatIsLater() {
  const std::int64_t step = ReadCheckpointState(*checkpoint_).step;
  const fs::path earlier = EarlierFolder();
  const auto checkpoints = ListCheckpoints(path_ / kCheckpoints);
  for (auto checkpoint = checkpoints.rbegin(); checkpoint != checkpoints.rend(); ++checkpoint) {
    if (checkpoint->step <= step) break;
    if (!Exists(earlier)) {
      fs::create_directories(earlier);
      if (Exists(path_ / kMetrics)) fs::copy_file(path_ / kMetrics, earlier / kMetrics);
    }
    MoveInto(earlier / kCheckpoints, checkpoint->path);
  }
  if (!Exists(earlier)) return;
  for (const fs::path& file : RolloutsAfter(path_, step)) MoveInto(earlier / kRollouts, file);
  PointLatestTo(path_ / kCheckpoints, checkpoint_->filename().string());
  base::LogWarning("{}: goes on from step {}; the later checkpoints, and the records beside them, are in {}/",
                   path_.string(), step, earlier.filename().string());
}

// Renamed away first: what is being deleted never looks like a run.
void RunPlace::Clear() {
  const fs::path trash = path_ / kTrash;
  fs::create_directories(trash);
  for (const fs::path& path : WrittenByARun(path_)) {
    if (path != trash) MoveInto(trash, path);
  }
  fs::remove_all(trash);
  std::string left;
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    if (name != kRunMarker) left += (left.empty() ? "" : ", ") + name;
  }
  base::LogInfo("{}: the run that it held is deleted{}", path_.string(),
                left.empty() ? "" : "; left as they are, since no run wrote them: " + left);
}

void CheckRunName(const std::string& name) {
  const auto fail = [&](const char* why) {
    std::string shown;
    for (const char c : name) shown += static_cast<unsigned char>(c) < ' ' || c == 0x7F ? '?' : c;
    base::ThrowBadInput(
        base::Format("got \"{}\", {}; expected the name of a folder: letters, digits, and signs such as "
                     "- _ . + = within, at most {} bytes",
                     shown, why, kMaxName));
  };
  if (name.empty()) fail("which is empty");
  if (name.size() > kMaxName) fail("which is too long");
  if (name.find_first_of("/\\") != std::string::npos) fail("which leads into another folder");
  if (name.front() == '.' || name.front() == '-' || name.front() == '~') fail("which begins with one of . - ~");
  if (name.front() == ' ' || name.back() == ' ') fail("which begins or ends with a space");
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    // U+0080 to U+009F are control characters, too.
    const bool wide = byte == 0xC2 && i + 1 < name.size() && static_cast<unsigned char>(name[i + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7F || wide) fail("which has a control character");
  }
  if (name.find_first_of("*?\"'`<>|$&;!") != std::string::npos) fail("which has a sign that shells read");
}

}  // namespace autodidact::data
