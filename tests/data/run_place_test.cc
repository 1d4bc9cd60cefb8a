#include "data/run_place.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/checkpoint_files.h"
#include "data/run_folder.h"
#include "json/json.h"

namespace autodidact::data {
namespace {

namespace fs = std::filesystem;

class RunPlaceTest : public testing::Test {
 protected:
  void SetUp() override {
    runs_ = fs::path(testing::TempDir()) /
            (std::string("run_place_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(runs_);
    fs::create_directories(runs_);
  }
  void TearDown() override { fs::remove_all(runs_); }

  void Write(const fs::path& file, const std::string& text = "x") {
    fs::create_directories((runs_ / file).parent_path());
    std::ofstream(runs_ / file) << text;
  }
  void WriteCheckpoint(const std::string& run, std::int64_t step) {
    const fs::path folder = runs_ / run / "checkpoints" / CheckpointName(step);
    fs::create_directories(folder / "model");
    std::ofstream(folder / "model/model.safetensors") << "weights of step " << step;
    WriteCheckpointState(folder, {.step = step, .run = {}, .notes = {}});
    WriteManifest(folder);
    PointLatestTo(runs_ / run / "checkpoints", CheckpointName(step));
  }
  // A run with a line of metrics and rollouts per step, and these checkpoints.
  void WriteRun(const std::string& name, std::int64_t steps, const std::vector<std::int64_t>& checkpoints) {
    RunPlace place(Request(name));
    place.Open();
    RunFolder records(place.path(), false, 0);
    Write(name + "/config.yaml", "seed: 0\n");
    for (std::int64_t step = 1; step <= steps; ++step) {
      records.WriteMetrics(step, {{"reward", 1.0}});
      records.WriteRollouts(step, {});
    }
    for (const std::int64_t step : checkpoints) WriteCheckpoint(name, step);
  }
  RunRequest Request(const std::string& name) const { return {.folder = runs_, .name = name}; }

  // Every file below the folder with its bytes, and where links lead.
  std::map<std::string, std::string> Everything() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(runs_)) {
      const std::string name = fs::relative(entry.path(), runs_).string();
      if (entry.is_symlink()) {
        files[name] = "-> " + fs::read_symlink(entry.path()).string();
      } else {
        files[name] = entry.is_regular_file() ? json::ReadFile(entry.path()) : "folder";
      }
    }
    return files;
  }

  // What refuses the request; nothing may have changed.
  std::string Refusal(const RunRequest& request) {
    const auto before = Everything();
    std::string message;
    try {
      RunPlace place(request);
      message = "not refused";
    } catch (const base::Error& error) {
      message = error.message();
    }
    EXPECT_EQ(Everything(), before) << message;
    return message;
  }

  fs::path runs_;
};

TEST_F(RunPlaceTest, NamesAreThoseOfOneFolder) {
  for (const char* name : {"run", "a", "demo-majority", "2026-11-27_seed.3", "β = 0,1 (größer)", "学習", "a b", "x..y",
                           "lr=1e-4", "a+b@c", "[1]", "50%"}) {
    EXPECT_NO_THROW(CheckRunName(name)) << name;
  }
  EXPECT_NO_THROW(CheckRunName(std::string(255, 'n')));
  const std::string with_null("a\0b", 3);
  for (const std::string& name : {std::string(),
                                  std::string("."),
                                  std::string(".."),
                                  std::string("../x"),
                                  std::string("a/.."),
                                  std::string("/"),
                                  std::string("/tmp/x"),
                                  std::string("a/b"),
                                  std::string("a/"),
                                  std::string("..\\x"),
                                  std::string(".hidden"),
                                  std::string("-rf"),
                                  std::string("--overwrite"),
                                  std::string("~"),
                                  std::string(" a"),
                                  std::string("a "),
                                  std::string("a\nb"),
                                  std::string("a\x7f"),
                                  std::string("a\xC2\x85z"),
                                  with_null,
                                  std::string("*"),
                                  std::string("a;b"),
                                  std::string("$HOME"),
                                  std::string("`x`"),
                                  std::string(256, 'n')}) {
    try {
      CheckRunName(name);
      ADD_FAILURE() << "taken: " << name;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
      EXPECT_NE(error.message().find("expected the name of a folder"), std::string::npos) << error.message();
      EXPECT_EQ(error.message().find('\n'), std::string::npos);
    }
  }
}

TEST_F(RunPlaceTest, ANameThatLeavesItsFolderIsRefusedWhateverIsAsked) {
  Write("precious.txt");
  for (const char* name : {"..", ".", "", "../run_place", "/"}) {
    RunRequest request = Request(name);
    EXPECT_NE(Refusal(request), "not refused") << name;
    request.overwrite = true;
    EXPECT_NE(Refusal(request), "not refused") << name;
    request.overwrite = false;
    request.resume = true;
    EXPECT_NE(Refusal(request), "not refused") << name;
  }
}

TEST_F(RunPlaceTest, ARunBeginsInAFolderThatItMarks) {
  RunPlace place(Request("a"));
  EXPECT_FALSE(fs::exists(runs_ / "a"));
  EXPECT_FALSE(place.checkpoint());
  place.Open();
  EXPECT_TRUE(IsRun(runs_ / "a"));
  const json::Json record = json::ParseFile(runs_ / "a" / kRunMarker);
  EXPECT_EQ(record.at("process"), ::getpid());
}

TEST_F(RunPlaceTest, OverwritingDeletesARunAndNothingElseOfItsFolder) {
  WriteRun("a", 3, {2});
  Write("a/notes.md", "mine");
  Write("a/eval.json", "{\"single\": 0.5}");
  Write("a/plan.json", "{\"mine\": 1}");
  Write("b/x");
  fs::create_symlink(runs_ / "b", runs_ / "a/rollouts/link");
  RunRequest request = Request("a");
  request.overwrite = true;
  {
    RunPlace place(request);
    EXPECT_GT(place.BytesToFree(), 0u);
    EXPECT_TRUE(fs::exists(runs_ / "a/checkpoints/step_000002")) << "before it is opened";
    place.Open();
  }
  std::set<std::string> left;
  for (const auto& entry : fs::directory_iterator(runs_ / "a")) left.insert(entry.path().filename().string());
  EXPECT_EQ(left, (std::set<std::string>{kRunMarker, "notes.md", "plan.json"}));
  EXPECT_TRUE(fs::exists(runs_ / "b/x"));
}

TEST_F(RunPlaceTest, OverwritingRefusesWhatIsNoRun) {
  Write("docs/letter.txt");
  Write("model/config.json");
  Write("half/config.yaml");
  Write("half/metrics.jsonl");
  for (const char* name : {"docs", "model", "half"}) {
    RunRequest request = Request(name);
    request.overwrite = true;
    EXPECT_NE(Refusal(request).find("this is none"), std::string::npos) << name;
  }
  Write("file");
  RunRequest request = Request("file");
  request.overwrite = true;
  EXPECT_NE(Refusal(request).find("is no folder"), std::string::npos);
}

TEST_F(RunPlaceTest, OverwritingTakesARunOfAVersionWithoutMarker) {
  WriteRun("a", 2, {});
  fs::remove(runs_ / "a" / kRunMarker);
  RunRequest request = Request("a");
  request.overwrite = true;
  RunPlace(request).Open();
  EXPECT_FALSE(fs::exists(runs_ / "a/metrics.jsonl"));
  EXPECT_TRUE(IsRun(runs_ / "a"));
}

TEST_F(RunPlaceTest, OverwritingRefusesALinkToElsewhere) {
  WriteRun("a", 2, {2});
  fs::create_directory_symlink(runs_ / "a", runs_ / "link");
  RunRequest request = Request("link");
  request.overwrite = true;
  EXPECT_NE(Refusal(request).find("is a link"), std::string::npos);
}

TEST_F(RunPlaceTest, OverwritingRefusesWhatTheConfigReads) {
  WriteRun("a", 4, {4});
  Write("a/data.jsonl");
  fs::create_directories(runs_ / "elsewhere");
  fs::create_symlink(runs_ / "a/checkpoints/step_000004/model/model.safetensors",
                     runs_ / "elsewhere/model.safetensors");
  fs::create_directory_symlink(runs_ / "a", runs_ / "through");
  const std::vector<std::pair<std::string, fs::path>> reads = {
      {"model", runs_ / "a/checkpoints/latest/model"},
      {"model", runs_ / "elsewhere"},
      {"model", runs_ / "through/checkpoints/step_000004/model"},
      {"data.train", runs_ / "a/data.jsonl"},
      {"data.references", runs_ / "b/../a/rollouts/step_000001.jsonl"},
      {"judge.model.folder", runs_ / "a"},
      {"the config", runs_ / "a/mine.yaml"}};
  for (const auto& [key, path] : reads) {
    RunRequest request = Request("a");
    request.overwrite = true;
    request.reads = {{key, path}};
    EXPECT_NE(Refusal(request).find(key + ": "), std::string::npos) << key << " " << path;
  }
  RunRequest request = Request("a");
  request.overwrite = true;
  request.reads = {{"the config", runs_ / "a/config.yaml"}, {"model", runs_ / "elsewhere2"}};
  EXPECT_NO_THROW(RunPlace{request}) << "its own config, which is written anew";
}

TEST_F(RunPlaceTest, OverwritingRefusesTheWorkingFolderAndRunsInside) {
  WriteRun("a", 2, {2});
  RunRequest request = Request("a");
  request.overwrite = true;
  const fs::path here = fs::current_path();
  fs::current_path(runs_ / "a/rollouts");
  const std::string message = Refusal(request);
  fs::current_path(here);
  EXPECT_NE(message.find("that the program runs in"), std::string::npos) << message;
  Write("a/logs/inner/" + std::string(kRunMarker), "{}");
  EXPECT_NE(Refusal(request).find("another run"), std::string::npos);
  RunRequest inner = {.folder = runs_ / "a", .name = "checkpoints"};
  EXPECT_NE(Refusal(inner).find("a run itself"), std::string::npos);
}

TEST_F(RunPlaceTest, ARunWithACheckpointIsNotBegunAgainUnasked) {
  WriteRun("a", 4, {2, 4});
  const std::string message = Refusal(Request("a"));
  EXPECT_NE(message.find("up to step 4"), std::string::npos) << message;
  EXPECT_NE(message.find("--resume"), std::string::npos);
  EXPECT_NE(message.find("--overwrite"), std::string::npos);
}

TEST_F(RunPlaceTest, AFolderWithFilesOfARunsNamesIsNotWrittenTo) {
  for (const char* name :
       {"config.yaml", "metrics.jsonl", "rollouts/mine", "logs/mine", "checkpoints/mine", "outcome.json", "report.html",
        "events.out.tfevents.0000000000.mine", "earlier-1/mine", ".removing/mine"}) {
    Write(fs::path("a") / name);
    EXPECT_NE(Refusal(Request("a")).find("already holds"), std::string::npos) << name;
    fs::remove_all(runs_ / "a");
  }
  Write("a/train.log");
  Write("a/eval.json", "{\"single\": 0.5}");  // of the model that the run begins from
  EXPECT_NO_THROW(RunPlace(Request("a")).Open());
  EXPECT_TRUE(fs::exists(runs_ / "a/train.log"));
}

TEST_F(RunPlaceTest, ARunThatEndedBeforeItsFirstCheckpointBeginsAgainAndKeepsItsRecords) {
  WriteRun("a", 3, {});
  Write("a/logs/actor-0.log");
  Write("a/notes.md");
  Write("a/checkpoints/.writing-step_000004/model/x");
  for (const bool resume : {false, true}) {
    RunRequest request = Request("a");
    request.resume = resume;
    RunPlace place(request);
    EXPECT_FALSE(place.checkpoint());
    EXPECT_FALSE(place.goes_on());
    place.Open();
    const fs::path earlier = runs_ / "a" / (resume ? "earlier-2" : "earlier-1");
    EXPECT_FALSE(fs::exists(runs_ / "a/metrics.jsonl"));
    EXPECT_TRUE(fs::exists(runs_ / "a/notes.md"));
    EXPECT_EQ(fs::exists(earlier / "logs/actor-0.log"), !resume);
    EXPECT_TRUE(fs::exists(earlier / "metrics.jsonl"));
    EXPECT_TRUE(fs::exists(earlier / "rollouts/step_000003.jsonl") || resume);
    EXPECT_FALSE(fs::exists(runs_ / "a/checkpoints/.writing-step_000004"));
    RunFolder(place.path(), false, 0).WriteMetrics(1, {});
  }
}

TEST_F(RunPlaceTest, ARunThatEndedBeforeItsFirstStepLeavesNothingBehind) {
  WriteRun("a", 0, {});
  RunPlace(Request("a")).Open();
  EXPECT_FALSE(fs::exists(runs_ / "a/earlier-1"));
  EXPECT_FALSE(fs::exists(runs_ / "a/metrics.jsonl"));
}

TEST_F(RunPlaceTest, RecordsThatTheConfigReadsAreNotMoved) {
  WriteRun("a", 3, {});
  RunRequest request = Request("a");
  request.reads = {{"data.references", runs_ / "a/rollouts/step_000001.jsonl"}};
  EXPECT_NE(Refusal(request).find("data.references"), std::string::npos);
}

TEST_F(RunPlaceTest, ResumingGoesOnFromTheNewestWholeCheckpointOrBegins) {
  RunRequest request = Request("a");
  request.resume = true;
  { EXPECT_FALSE(RunPlace(request).checkpoint()) << "there is nothing yet"; }
  EXPECT_FALSE(fs::exists(runs_ / "a"));
  WriteRun("a", 5, {2, 4});
  {
    RunPlace place(request);
    EXPECT_TRUE(place.goes_on());
    EXPECT_EQ(place.checkpoint()->filename(), "step_000004");
    place.Open();
  }
  EXPECT_FALSE(fs::exists(runs_ / "a/earlier-1"));
}

TEST_F(RunPlaceTest, ADamagedCheckpointIsKeptAsideAndADamagedRunIsNotBegunAgain) {
  WriteRun("a", 5, {2, 4});
  Write("a/checkpoints/step_000004/model/model.safetensors", "damage");
  RunRequest request = Request("a");
  request.resume = true;
  {
    RunPlace place(request);
    EXPECT_EQ(place.checkpoint()->filename(), "step_000002");
    place.Open();
  }
  EXPECT_TRUE(fs::exists(runs_ / "a/earlier-1/checkpoints/step_000004/model/model.safetensors"));
  EXPECT_TRUE(fs::exists(runs_ / "a/earlier-1/rollouts/step_000003.jsonl"));
  EXPECT_EQ(fs::read_symlink(runs_ / "a/checkpoints/latest"), "step_000002");
  Write("a/checkpoints/step_000002/state.json", "damage");
  EXPECT_NE(Refusal(request).find("is whole"), std::string::npos);
  EXPECT_NE(Refusal(Request("a")).find("already holds"), std::string::npos);
}

TEST_F(RunPlaceTest, GoesOnFromANamedCheckpointAndKeepsTheLaterOnesAside) {
  WriteRun("a", 7, {2, 4, 6});
  for (const std::string& from : {std::string("4"), (runs_ / "a/checkpoints/step_000004").string()}) {
    RunRequest request = Request("a");
    request.resume_from = from;
    RunPlace place(request);
    EXPECT_TRUE(place.goes_on());
    EXPECT_EQ(place.checkpoint()->filename(), "step_000004");
  }
  RunRequest request = Request("a");
  request.resume_from = "4";
  RunPlace place(request);
  place.Open();
  RunFolder records(place.path(), true, 4);
  EXPECT_EQ(ListCheckpoints(runs_ / "a/checkpoints").back().step, 4);
  EXPECT_EQ(fs::read_symlink(runs_ / "a/checkpoints/latest"), "step_000004");
  EXPECT_TRUE(fs::exists(runs_ / "a/earlier-1/checkpoints/step_000006/manifest.json"));
  EXPECT_TRUE(fs::exists(runs_ / "a/earlier-1/rollouts/step_000007.jsonl"));
  const std::string kept = json::ReadFile(runs_ / "a/earlier-1/metrics.jsonl");
  EXPECT_EQ(std::count(kept.begin(), kept.end(), '\n'), 7);
  const std::string now = json::ReadFile(runs_ / "a/metrics.jsonl");
  EXPECT_EQ(std::count(now.begin(), now.end(), '\n'), 4);
}

TEST_F(RunPlaceTest, ACheckpointOfAnotherRunBeginsANewOne) {
  WriteRun("a", 4, {2, 4});
  RunRequest request = Request("b");
  request.resume_from = (runs_ / "a/checkpoints/latest").string();
  {
    RunPlace place(request);
    EXPECT_FALSE(place.goes_on());
    EXPECT_EQ(place.checkpoint()->filename(), "step_000004");
    place.Open();
  }
  EXPECT_EQ(ListCheckpoints(runs_ / "a/checkpoints").size(), 2u);
  WriteCheckpoint("b", 6);
  EXPECT_NE(Refusal(request).find("already holds a run"), std::string::npos);
  request.resume = true;
  EXPECT_EQ(RunPlace(request).checkpoint()->filename(), "step_000006") << "its own counts more";
}

TEST_F(RunPlaceTest, ACheckpointThatIsNoneIsRefusedAndTheOthersAreNamed) {
  WriteRun("a", 4, {2, 4});
  for (const std::string& from : {std::string("3"), (runs_ / "a").string(), (runs_ / "a/checkpoints").string(),
                                  (runs_ / "a/checkpoints/step_000004/model").string(), std::string("nowhere"),
                                  std::string("-1"), std::string("4 ")}) {
    RunRequest request = Request("a");
    request.resume_from = from;
    const std::string message = Refusal(request);
    EXPECT_NE(message.find("2, 4"), std::string::npos) << message;
  }
  Write("a/checkpoints/step_000002/state.json", "damage");
  RunRequest request = Request("a");
  request.resume_from = "2";
  EXPECT_NE(Refusal(request).find("not whole"), std::string::npos);
}

// Runs `action` in another process, which says whether it was refused, and by what.
std::string InAnotherProcess(const std::function<void()>& action) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    std::string message = "not refused";
    try {
      action();
    } catch (const base::Error& error) {
      message = std::string(base::Name(error.kind())) + ": " + error.message();
    }
    const bool written = ::write(ends[1], message.data(), message.size()) == static_cast<ssize_t>(message.size());
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  std::string message(4096, '\0');
  message.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(ends[0], message.data(), message.size()))));
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return message;
}

TEST_F(RunPlaceTest, OneProcessHoldsARunAndAnotherIsToldWho) {
  RunPlace place(Request("a"));
  place.Open();
  for (const int way : {0, 1, 2}) {
    RunRequest request = Request("a");
    request.resume = way == 1;
    request.overwrite = way == 2;
    const std::string message = InAnotherProcess([&] { RunPlace again(request); });
    EXPECT_TRUE(message.starts_with(base::Name(base::ErrorKind::kRetryLater))) << message;
    EXPECT_NE(message.find("process " + std::to_string(::getpid()) + " on "), std::string::npos) << message;
  }
  EXPECT_EQ(InAnotherProcess([&] { RunPlace other(Request("b")); }), "not refused");
}

TEST_F(RunPlaceTest, ARunIsFreeAgainWhenItsProcessIsGoneInWhateverWay) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    RunPlace place(Request("a"));
    place.Open();
    RunFolder(place.path(), false, 0).WriteMetrics(1, {});
    const bool told = ::write(ends[1], "x", 1) == 1;
    ::pause();
    ::_exit(told ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ends[0], &byte, 1), 1);
  EXPECT_NE(Refusal(Request("a")).find("process " + std::to_string(child)), std::string::npos);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_NO_THROW(RunPlace(Request("a")).Open());
}

TEST_F(RunPlaceTest, WhoHasNotAnnouncedItselfYetIsNotCalledByTheNameOfTheOneBefore) {
  const pid_t child = ::fork();
  if (child == 0) {
    RunPlace(Request("a")).Open();
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  const RunPlace place(Request("a"));
  const std::string message = InAnotherProcess([&] { RunPlace again(Request("a")); });
  EXPECT_NE(message.find("just begun"), std::string::npos) << message;
}

TEST_F(RunPlaceTest, WhatIsRefusedAfterwardsHasChangedNothing) {
  WriteRun("a", 5, {2, 4});
  const auto before = Everything();
  for (const int way : {0, 1, 2}) {
    RunRequest request = Request("a");
    request.resume = way == 0;
    request.resume_from = way == 1 ? "2" : "";
    request.overwrite = way == 2;
    { const RunPlace place(request); }
    EXPECT_EQ(Everything(), before) << way;
  }
}

}  // namespace
}  // namespace autodidact::data
