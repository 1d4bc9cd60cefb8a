#include "launch/wiring/preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include "base/error.h"
#include "launch/wiring/preflight_checks.h"
#include "launch/wiring/wiring.h"
#include "model/config.h"
#include "process/child.h"
#include "process/sandbox.h"
#include "tests/paths.h"

namespace autodidact::launch {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

data::Row RowOf(const std::string& id, const std::string& text, std::vector<std::string> answers = {}) {
  data::Row row;
  row.prompt.id = id;
  row.prompt.text = text;
  row.answers = std::move(answers);
  return row;
}

// As many tokens as the text has characters; "?" is not in the vocabulary.
std::vector<schema::TokenId> RenderByCharacter(const schema::Prompt& prompt) {
  if (prompt.text.find('?') != std::string::npos) base::ThrowBadInput("no token for '?'");
  return std::vector<schema::TokenId>(prompt.text.size(), 1);
}

TEST(CheckPromptsTest, PromptsThatFitAreSilentAndTheLongestIsTold) {
  Preflight found;
  const Room room{.context = 10, .cache = 100, .max_completion = 3};
  EXPECT_EQ(CheckPrompts({RowOf("1", "ab"), RowOf("2", "abcdefg")}, "f", room, RenderByCharacter, found), 7);
  EXPECT_THAT(found.errors, IsEmpty());
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST(CheckPromptsTest, NoneThatFitsIsAnErrorAndSomeAreAWarningWithTheirNumber) {
  const Room room{.context = 4, .cache = 100, .max_completion = 1};
  Preflight none;
  CheckPrompts({RowOf("1", "abcd"), RowOf("2", "abcde")}, "rows.jsonl", room, RenderByCharacter, none);
  EXPECT_THAT(none.errors, ElementsAre(AllOf(HasSubstr("rows.jsonl: row 1, 2: 2 of 2 prompts do not fit"),
                                             HasSubstr("context of 4"), HasSubstr("the longest has 5"))));
  Preflight some;
  CheckPrompts({RowOf("1", "abcd"), RowOf("2", "a")}, "rows.jsonl", room, RenderByCharacter, some);
  EXPECT_THAT(some.errors, IsEmpty());
  EXPECT_THAT(some.warnings, ElementsAre(HasSubstr("row 1: 1 of 2 prompts do not fit")));
}

TEST(CheckPromptsTest, TheCacheBoundsThemToo) {
  Preflight found;
  CheckPrompts({RowOf("1", "abcd")}, "f", {.context = 100, .cache = 4, .max_completion = 1}, RenderByCharacter, found);
  EXPECT_THAT(found.errors, ElementsAre(HasSubstr("engine.cache_tokens of 4")));
}

TEST(CheckPromptsTest, AnswersThatTheContextCutsAreAWarning) {
  Preflight found;
  CheckPrompts({RowOf("1", "abcd")}, "f", {.context = 10, .cache = 100, .max_completion = 7}, RenderByCharacter, found);
  EXPECT_THAT(found.warnings, ElementsAre(HasSubstr("rollout.max_completion_length (7)")));
}

TEST(CheckPromptsTest, PromptsOutsideTheVocabularyAreOneErrorThatCountsThem) {
  Preflight found;
  CheckPrompts({RowOf("a", "x?"), RowOf("b", "x"), RowOf("c", "?")}, "f", {.context = 10, .cache = 10},
               RenderByCharacter, found);
  EXPECT_THAT(found.errors, ElementsAre(AllOf(HasSubstr("f: row a, c: 2 of 3"), HasSubstr("no token for '?'"))));
}

TEST(CheckRepeatsTest, FewerRowsThanGroupsAreAWarningWithBothNumbers) {
  RunConfig config;
  config.data.train = "few.jsonl";
  config.train.groups_per_step = 48;
  Preflight found;
  CheckRepeats(config, 5, found);
  ASSERT_EQ(found.warnings.size(), 1u);
  for (const char* part : {"train.groups_per_step: got 48", "5 rows", "few.jsonl", "up to 10 times", "lower it to 5"}) {
    EXPECT_THAT(found.warnings[0], HasSubstr(part));
  }
  Preflight enough;
  CheckRepeats(config, 48, enough);
  CheckRepeats(config, 0, enough);  // the file is of another machine
  EXPECT_TRUE(enough.warnings.empty());
}

TEST(CheckLabelsTest, WhatIsMissingAndWhatTheExtractorDoesNotFindAreErrorsWhereLabelsAreNeeded) {
  const std::vector<data::Row> rows = {RowOf("1", "p", {"7"}), RowOf("2", "p"), RowOf("3", "p", {"seven"})};
  Preflight needed;
  CheckLabels(rows, "rows.jsonl", answers::Extractor::kLastNumber, true, needed);
  EXPECT_THAT(needed.errors,
              ElementsAre(HasSubstr("rows.jsonl: row 2: 1 of 3 rows have no label"),
                          AllOf(HasSubstr("row 3: 1 of 3 labels"), HasSubstr("last_number"), HasSubstr("\"seven\""))));
  Preflight measured;
  CheckLabels(rows, "rows.jsonl", answers::Extractor::kLastNumber, false, measured);
  EXPECT_THAT(measured.errors, IsEmpty());
  EXPECT_EQ(measured.warnings.size(), 1u);
}

TEST(CheckLabelsTest, EmptyLabelsAndThoseThatAreMoreThanTheFormAreNamedByTheirLines) {
  std::vector<data::Row> rows = {RowOf("a", "p", {"7"}), RowOf("b", "p", {"\\sqrt{2}"}), RowOf("c", "p", {"8"})};
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].where = "rows.jsonl:" + std::to_string(i + 1);
  rows[2].empty_label = "the key 'answers' holds an empty text";
  Preflight found;
  CheckLabels(rows, "rows.jsonl", answers::Extractor::kLastNumber, true, found);
  EXPECT_THAT(found.errors,
              ElementsAre(HasSubstr("rows.jsonl:3 (the key 'answers' holds an empty text): 1 of 3 rows"),
                          AllOf(HasSubstr("rows.jsonl:2: 1 of 3 labels"), HasSubstr("is more than a number"))));
}

TEST(CheckLabelsTest, LabelsNoneOfWhichCanBeReadAreAnErrorWhereTheyOnlyMeasureToo) {
  Preflight found;
  CheckLabels({RowOf("a", "p", {"x"}), RowOf("b", "p")}, "rows.jsonl", answers::Extractor::kLastNumber, false, found);
  EXPECT_EQ(found.errors.size(), 1u);
}

TEST(CheckReferencesTest, ReferencesInAnotherFormAreAnErrorWhenTheyAllAre) {
  std::vector<data::Row> rows = {RowOf("1", "p"), RowOf("2", "p")};
  rows[0].reference = "it is 4";
  rows[1].reference = "it is 5";
  Preflight all;
  CheckReferences(rows, "r.jsonl", answers::Extractor::kBoxed, all);
  EXPECT_THAT(all.errors, ElementsAre(AllOf(HasSubstr("r.jsonl: row 1, 2: 2 of 2"), HasSubstr("answer.extractor"))));
  rows[1].reference = "\\boxed{5}";
  Preflight some;
  CheckReferences(rows, "r.jsonl", answers::Extractor::kBoxed, some);
  EXPECT_THAT(some.errors, IsEmpty());
  EXPECT_EQ(some.warnings.size(), 1u);
}

// The demo's base: its symbols are letters, names, "=", "|" and "=>"; a token each.
class AnchorRoomTest : public testing::Test {
 protected:
  AnchorRoomTest() : tokenizer_(tests::SourceFolder() / "configs/demo/base") {
    config_.anchor.prompt.instruction = "{candidates} =>";
    config_.anchor.prompt.candidate = "| {text}";
    config_.anchor.prompt.separator = " ";
    config_.anchor.sampling.max_new_tokens = 10;
    config_.rollout.max_new_tokens = 10;
    config_.train.num_generations = 8;
    config_.answer.extractor = answers::Extractor::kWholeText;
  }

  Preflight Check(std::int64_t context) {
    Preflight found;
    CheckAnchorRoom(config_, SynthesisOf(config_, text::ChatFormat::kPlain), tokenizer_, context, found);
    return found;
  }

  RunConfig config_;
  text::Tokenizer tokenizer_;
};

TEST_F(AnchorRoomTest, AWholeGroupThatFitsIsSilent) {
  // <bos>, eight times "|" and ten tokens, "=>", and the answer of ten.
  const Preflight found = Check(1 + 8 * 11 + 1 + 10);
  EXPECT_THAT(found.errors, IsEmpty());
  EXPECT_THAT(found.warnings, IsEmpty());
  EXPECT_THAT(found.notes, IsEmpty());
  EXPECT_THAT(Check(0).notes, IsEmpty());
}

TEST_F(AnchorRoomTest, AGroupThatNeedsStagesIsNoted) {
  const Preflight found = Check(1 + 8 * 11 + 1 + 10 - 1);
  EXPECT_THAT(found.warnings, IsEmpty());
  EXPECT_THAT(found.notes, ElementsAre(AllOf(HasSubstr("8 candidates of up to 10 tokens"), HasSubstr("7 at a time"))));
  EXPECT_THAT(Check(1 + 2 * 11 + 1 + 10).notes, ElementsAre(HasSubstr("2 at a time")));
}

TEST_F(AnchorRoomTest, TwoLongCandidatesThatDoNotFitAreAWarningAndTwoOfOneTokenAnError) {
  const Preflight warned = Check(1 + 2 * 11 + 1 + 10 - 1);
  EXPECT_THAT(warned.errors, IsEmpty());
  EXPECT_THAT(warned.warnings, ElementsAre(AllOf(HasSubstr("anchor.context"), HasSubstr("more than about 9"))));
  EXPECT_THAT(Check(1 + 2 * 2 + 1 + 10).errors, IsEmpty());
  EXPECT_THAT(Check(1 + 2 * 2 + 1 + 10 - 1).errors, ElementsAre(HasSubstr("anchor.context: got 15 tokens")));
  EXPECT_THAT(Check(5).errors, ElementsAre(HasSubstr("anchor.sampling.max_completion_length takes 10")));
}

TEST_F(AnchorRoomTest, AnInstructionOutsideTheVocabularyIsAnError) {
  config_.anchor.prompt.instruction = "Reconcile these: {candidates}";
  EXPECT_THAT(Check(400).errors, ElementsAre(AllOf(HasSubstr("anchor.instruction"), HasSubstr("Reconcile"))));
}

TEST_F(AnchorRoomTest, ARubricHasItsOwnRoom) {
  config_.judge.judging.kind = judge_service::JudgeKind::kRubric;
  config_.rubric.instruction = "| {reference} =>";
  config_.rubric.sampling.max_new_tokens = 100;
  EXPECT_THAT(Check(400).warnings, IsEmpty());
  EXPECT_THAT(Check(103 + 9).warnings, testing::Contains(HasSubstr("rubric.sampling.max_completion_length")));
  EXPECT_THAT(Check(103).errors, testing::Contains(HasSubstr("rubric.sampling.max_completion_length")));
}

// A program in Python that answers each line by `body`, in which `row` is the line.
programs::VerifierConfig VerifierOf(const std::string& body) {
  programs::VerifierConfig config;
  const std::string program = "import json, sys\nfor line in sys.stdin:\n  row = json.loads(line)\n  " + body + "\n";
  config.command = {"python3", "-u", "-c", program};
  return config;
}

std::string Prints(const std::string& equal) {
  return "print(json.dumps({'equal': " + equal + "}))";
}

Preflight CheckedVerifier(const programs::VerifierConfig& config, const std::vector<std::string>& labels = {}) {
  Preflight found;
  CheckVerifier(config, labels, found);
  return found;
}

TEST(CheckVerifierTest, OneThatKnowsEqualFromUnequalIsSilent) {
  const Preflight found = CheckedVerifier(VerifierOf(Prints("row['gold'] == row['answer']")), {"7"});
  EXPECT_THAT(found.errors, IsEmpty());
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST(CheckVerifierTest, OneThatCannotStartDiesOrTalksNonsenseIsAnError) {
  programs::VerifierConfig config;
  for (const char* program : {"/nonexistent/grader", "/bin/false", "/bin/true", "/dev/null"}) {
    config.command = {program};
    EXPECT_THAT(CheckedVerifier(config).errors, ElementsAre(AllOf(HasSubstr("answer.verifier"), HasSubstr("expected"))))
        << program;
  }
  for (const char* body : {"print('yes')", "print(json.dumps({'equal': 'true'}))", "print(json.dumps([1]))",
                           "sys.exit(3)", "raise ValueError"}) {
    EXPECT_EQ(CheckedVerifier(VerifierOf(body)).errors.size(), 1u) << body;
  }
}

TEST(CheckVerifierTest, OneThatIsLateIsAnError) {
  programs::VerifierConfig config;
  config.command = {"sleep", "60"};
  config.timeout = base::Milliseconds(200);
  EXPECT_THAT(CheckedVerifier(config).errors, ElementsAre(HasSubstr("no answer within 200 ms")));
}

TEST(CheckVerifierTest, OneThatSaysYesToEverythingIsAnError) {
  EXPECT_THAT(CheckedVerifier(VerifierOf(Prints("True"))).errors, ElementsAre(HasSubstr("yes to everything")));
}

TEST(CheckVerifierTest, OneThatSaysNoToEverythingIsAnErrorWhereARealLabelWasAmongIt) {
  EXPECT_THAT(CheckedVerifier(VerifierOf(Prints("False")), {"b e a"}).errors,
              ElementsAre(HasSubstr("\"b e a\" is not equal to itself")));
  const Preflight blind = CheckedVerifier(VerifierOf(Prints("False")));
  EXPECT_THAT(blind.errors, IsEmpty());
  EXPECT_EQ(blind.warnings.size(), 1u);
}

TEST(CheckVerifierTest, OneThatKnowsOnlyTheFormOfItsLabelsIsTaken) {
  const Preflight found =
      CheckedVerifier(VerifierOf(Prints("row['gold'].startswith('mol') and row['gold'] == row['answer']")), {"mol:C"});
  EXPECT_THAT(found.errors, IsEmpty());
  EXPECT_THAT(found.warnings, IsEmpty());
}

RunConfig EndpointConfig(const std::string& url) {
  RunConfig config;
  config.judge.judging.kind = judge_service::JudgeKind::kRubric;
  config.judge.backend = JudgeBackend::kEndpoint;
  config.judge.endpoint.base_url = url;
  config.judge.endpoint.talk.model = "a-judge";
  config.judge.endpoint.retries = 1;
  config.judge.endpoint.backoff = base::Milliseconds(10);
  config.judge.endpoint.max_backoff = base::Milliseconds(10);
  return config;
}

Preflight CheckedEndpoint(const RunConfig& config, bool ask = true) {
  Preflight found;
  CheckEndpoint(config, ask, found);
  return found;
}

TEST(CheckEndpointTest, OneThatNobodyServesIsAnErrorUnlessItIsNotToBeAsked) {
  const RunConfig config = EndpointConfig("http://127.0.0.1:9/v1");
  EXPECT_THAT(CheckedEndpoint(config).errors,
              ElementsAre(AllOf(HasSubstr("judge.endpoint.base_url: http://127.0.0.1:9/v1"), HasSubstr("connect"))));
  EXPECT_THAT(CheckedEndpoint(config, false).errors, IsEmpty());
}

TEST(CheckEndpointTest, AKeyThatIsNotSetIsAnErrorThoughTheEndpointIsNotAsked) {
  RunConfig config = EndpointConfig("http://127.0.0.1:9/v1");
  config.judge.api_key_env = "AUTODIDACT_TEST_NO_SUCH_KEY";
  EXPECT_THAT(CheckedEndpoint(config, false).errors, ElementsAre(HasSubstr("AUTODIDACT_TEST_NO_SUCH_KEY is not set")));
}

// A server whose chat completions have `content`, a Python expression over `data`, what the judge is to see.
class ServedJudge {
 public:
  explicit ServedJudge(const std::string& content) {
    const std::string program =
        "import json, sys, threading\n"
        "from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer\n"
        "class H(BaseHTTPRequestHandler):\n"
        "  def do_POST(self):\n"
        "    body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))\n"
        "    data = json.loads(body['messages'][1]['content'])\n"
        "    content = " +
        content +
        "\n"
        "    reply = json.dumps({'choices': [{'message': {'content': content}, 'finish_reason': 'stop'}]}).encode()\n"
        "    self.send_response(200); self.send_header('Content-Length', str(len(reply))); self.end_headers()\n"
        "    self.wfile.write(reply)\n"
        "  def log_message(self, *a): pass\n"
        "s = ThreadingHTTPServer(('127.0.0.1', 0), H)\n"
        "threading.Thread(target=s.serve_forever, daemon=True).start()\n"
        "print(s.server_address[1], flush=True)\n"
        "sys.stdin.read()\n";
    process::ChildOptions options;
    options.what = "a judge";
    options.argv = {"python3", "-c", program};
    options.environment = process::EnvironmentWithoutMpi();
    options.output = process::ChildOptions::Output::kCapture;
    options.feed = true;
    server_ = std::make_unique<process::Child>(std::move(options));
    const auto port = server_->ReadLine(base::Deadline::In(std::chrono::seconds(60)));
    url_ = "http://127.0.0.1:" + port.value_or("9") + "/v1";
  }
  const std::string& url() const { return url_; }

 private:
  std::unique_ptr<process::Child> server_;
  std::string url_;
};

std::string VerdictsOf(const std::string& met) {
  return "json.dumps({'verdicts': [{'criterion': c['criterion'], 'met': " + met +
         ", 'reason': ''} for c in data['criteria']]})";
}

TEST(CheckEndpointTest, OneThatJudgesIsSilent) {
  const ServedJudge judge(VerdictsOf("'make four' in c['text']"));
  const Preflight found = CheckedEndpoint(EndpointConfig(judge.url()));
  EXPECT_THAT(found.errors, IsEmpty());
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST(CheckEndpointTest, OneThatTalksNonsenseIsAnErrorThatQuotesWhatIsWrong) {
  const ServedJudge judge("'I think so!'");
  EXPECT_THAT(CheckedEndpoint(EndpointConfig(judge.url())).errors,
              ElementsAre(AllOf(HasSubstr("judge.endpoint.base_url"), HasSubstr("gave no verdict on a probe"))));
}

TEST(CheckEndpointTest, OneThatSaysTheSameToEverythingIsAWarning) {
  const ServedJudge judge(VerdictsOf("True"));
  const Preflight found = CheckedEndpoint(EndpointConfig(judge.url()));
  EXPECT_THAT(found.errors, IsEmpty());
  EXPECT_THAT(found.warnings, ElementsAre(AllOf(HasSubstr("a-judge"), HasSubstr("says yes"))));
}

TEST(CheckJudgeModelTest, ItsFolderItsChoicesAndItsInstructionAreLookedAt) {
  JudgeConfig config;
  config.judging.kind = judge_service::JudgeKind::kRubric;
  config.model.folder = (tests::SourceFolder() / "configs/demo/base").string();
  config.instruction = "| {response} | {criterion} =>";
  config.chat.format = "plain";
  config.model.yes = "|";
  config.model.no = "=";
  const auto check = [&] {
    Preflight found;
    CheckJudgeModel(config, /*python=*/"", found);
    return found.errors;
  };
  EXPECT_THAT(check(), IsEmpty());
  config.model.no = "|";
  EXPECT_THAT(check(), ElementsAre(HasSubstr("are the same tokens")));
  config.model.no = "no";
  EXPECT_THAT(check(), ElementsAre(HasSubstr("judge.model.no")));
  config.model.no = "=";
  config.instruction = "Judge {response} by {criterion}";
  EXPECT_THAT(check(), ElementsAre(HasSubstr("judge.instruction")));
  config.model.folder = "/nonexistent";
  EXPECT_THAT(check(), ElementsAre(HasSubstr("judge.model.folder")));
}

TEST(CheckSandboxTest, AProgramOfOneLineRunsAndAnInterpreterThatIsNotThereIsAnError) {
  if (const std::string why = process::WhyNoSandbox(); !why.empty()) GTEST_SKIP() << why;
  CodeConfig config;
  Preflight found;
  CheckSandbox(config, found);
  EXPECT_THAT(found.errors, IsEmpty());
  config.judge.run.python = "no-such-python";
  CheckSandbox(config, found);
  EXPECT_THAT(found.errors, ElementsAre(AllOf(HasSubstr("answer.code.python"), HasSubstr("no-such-python"))));
}

TEST(CheckCombinationsTest, WhatCannotTeachIsAnError) {
  const auto errors = [](const std::function<void(RunConfig&)>& change) {
    RunConfig config;
    change(config);
    Preflight found;
    CheckCombinations(config, found);
    return found.errors;
  };
  EXPECT_THAT(errors([](RunConfig&) {}), IsEmpty());
  EXPECT_THAT(errors([](RunConfig& c) { c.train.trainer.optimizer.learning_rate = 0; }),
              ElementsAre(HasSubstr("train.learning_rate")));
  EXPECT_THAT(errors([](RunConfig& c) { c.rollout.top_k = 1; }), ElementsAre(HasSubstr("rollout.top_k: got 1")));
  EXPECT_THAT(errors([](RunConfig& c) { c.rollout.top_p = 0; }), ElementsAre(HasSubstr("rollout.top_p: got 0")));
  EXPECT_THAT(errors([](RunConfig& c) { c.rollout.min_p = 1; }), ElementsAre(HasSubstr("rollout.min_p: got 1")));
  EXPECT_THAT(errors([](RunConfig& c) {
                c.answer.comparator = Comparison::kCode;
                c.estimator = estimators::EstimatorKind::kMinPerplexity;
              }),
              ElementsAre(HasSubstr("estimator: got min_perplexity")));
}

class BeforeRunTest : public testing::Test {
 protected:
  BeforeRunTest()
      : folder_(fs::path(testing::TempDir()) /
                (std::string("preflight_") + testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    Write("train.jsonl", "{\"prompt\": \"b e a\"}\n{\"prompt\": \"d a\"}\n");
    config_.model = (tests::SourceFolder() / "configs/demo/base").string();
    config_.data.train = (folder_ / "train.jsonl").string();
    config_.prompt.chat.format = "plain";
    config_.prompt.text = "{prompt} =";
    config_.rollout.max_new_tokens = 10;
    config_.anchor.prompt.instruction = "{candidates} =>";
    config_.anchor.prompt.candidate = "| {text}";
    config_.anchor.prompt.separator = " ";
    config_.anchor.sampling.max_new_tokens = 10;
    config_.answer.extractor = answers::Extractor::kWholeText;
  }
  ~BeforeRunTest() override { fs::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }

  std::string Error() {
    try {
      CheckBeforeRun(config_);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::kBadInput);
      return error.message();
    }
    return "";
  }

  fs::path folder_;
  RunConfig config_;
};

TEST_F(BeforeRunTest, GivesWhatTheRunReads) {
  config_.eval.data = (folder_ / "eval.jsonl").string();
  config_.eval.steps = 1;
  Write("eval.jsonl", "{\"prompt\": \"b e\", \"answer\": \"bea\"}\n");
  const RunData data = CheckBeforeRun(config_);
  EXPECT_EQ(data.rows.size(), 2u);
  EXPECT_EQ(data.eval_rows.size(), 1u);
  EXPECT_EQ(data.longest_prompt, 5);  // <bos> b e a =
}

TEST_F(BeforeRunTest, AllProblemsAreToldAtOnce) {
  config_.train.trainer.optimizer.learning_rate = 0;
  config_.answer.verifier.command = {"/nonexistent/grader"};
  config_.anchor.context = 4;
  config_.eval.data = (folder_ / "eval.jsonl").string();
  config_.eval.steps = 1;
  Write("eval.jsonl", "{\"id\": \"bare\", \"prompt\": \"b e\"}\n");
  Write("train.jsonl", "{\"prompt\": \"b e a\"}\n{\"prompt\": 7}\n");
  const std::string error = Error();
  for (const char* part : {"5 problems", "train.learning_rate", "train.jsonl:2",
                           "eval.jsonl:1: 1 of 1 rows have no label", "anchor.context", "answer.verifier"}) {
    EXPECT_THAT(error, HasSubstr(part));
  }
}

TEST_F(BeforeRunTest, LabelsAreNeededWhereTheyAreTheReference) {
  config_.answer.extractor = answers::Extractor::kLastNumber;
  config_.estimator = estimators::EstimatorKind::kGroundTruth;
  Write("train.jsonl", "{\"prompt\": \"b e\", \"answer\": \"none\"}\n{\"prompt\": \"d a\", \"answer\": \"7\"}\n");
  EXPECT_THAT(Error(), HasSubstr("train.jsonl:1: 1 of 2 labels"));
  config_.estimator = estimators::EstimatorKind::kMajority;
  EXPECT_EQ(Error(), "");
}

TEST_F(BeforeRunTest, APlanThatTheMachineCannotHoldIsAnErrorWithTheKeys) {
  config_.train.groups_per_step = 1'000'000;
  config_.train.num_generations = 1024;
  config_.rollout.max_new_tokens = 300;
  config_.engine.cache_tokens = std::int64_t{1} << 40;
  config_.max_groups = 1'000'000;
  EXPECT_THAT(Error(), HasSubstr("memory: one process needs"));
  EXPECT_THAT(Error(), HasSubstr("what makes it smaller is"));
}

TEST_F(BeforeRunTest, AnEmptyFileOfRowsIsAnError) {
  Write("train.jsonl", "\n");
  EXPECT_THAT(Error(), HasSubstr("train.jsonl"));
}

TEST_F(BeforeRunTest, ADryRunNeedsTheFilesWhereTheModelIsWholeOnly) {
  config_.data.train = (folder_ / "absent.jsonl").string();
  EXPECT_THROW(CheckForDryRun(config_, false), base::Error);
  fs::create_directories(folder_ / "plan");
  fs::copy(fs::path(config_.model) / "config.json", folder_ / "plan");
  config_.model = (folder_ / "plan").string();
  EXPECT_NO_THROW(CheckForDryRun(config_, false));
}

TEST_F(BeforeRunTest, ADryRunAsksTheEndpointWhenToldTo) {
  config_.judge = EndpointConfig("http://127.0.0.1:9/v1").judge;
  config_.rubric.instruction = "| {reference} =>";
  config_.rubric.sampling.max_new_tokens = 10;
  EXPECT_NO_THROW(CheckForDryRun(config_, false));
  EXPECT_THROW(CheckForDryRun(config_, true), base::Error);
}

}  // namespace
}  // namespace autodidact::launch
