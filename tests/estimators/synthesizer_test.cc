#include "estimators/synthesizer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "tests/tiny_model.h"

namespace autodidact::estimators {
namespace {

// A random model over whole symbols that writes a rubric after each synthesis. The separator is not in its vocabulary,
// so whatever it writes is one criterion.
class SynthesizerTest : public testing::Test {
 protected:
  SynthesizerTest() {
    const auto file = std::filesystem::path(testing::TempDir()) / ("synthesizer_" + std::to_string(getpid()) + ".json");
    tests::TinyModel tiny = tests::MakeTinyModel({"a", "b", "c", "|", "=>", "rubric"}, file);
    tokenizer_ = std::move(tiny.tokenizer);
    weights_ = std::move(tiny.weights);
    std::filesystem::remove(file);
    config_.prompt.instruction = "{candidates} =>";
    config_.prompt.separator = " | ";
    config_.sampling = {.temperature = 0, .max_new_tokens = 12};
    config_.rule.extractor = answers::Extractor::kWholeText;
    config_.rubric = RubricConfig{.instruction = "{reference} rubric",
                                  .format = RubricFormat::kSeparated,
                                  .separator = "#",
                                  .min_criteria = 1,
                                  .sampling = {.temperature = 0, .max_new_tokens = 6}};
  }

  base::Outcome<schema::Reference> Synthesize(std::int64_t context = 64) {
    engine::Engine engine({}, weights_, *tokenizer_);
    Synthesizer synthesizer(engine, *tokenizer_, config_, context, 1);
    synthesizer.Add(4, {"a b", "b c"});
    std::vector<Synthesizer::Finished> finished;
    while (finished.empty()) finished = synthesizer.Step();
    EXPECT_TRUE(synthesizer.idle());
    EXPECT_EQ(finished.size(), 1u);
    decoded_ = engine.stats().decoded_tokens;
    return finished.front().reference;
  }

  std::unique_ptr<text::Tokenizer> tokenizer_;
  model::SharedWeights weights_;
  SynthesisConfig config_;
  std::int64_t decoded_ = 0;
};

TEST_F(SynthesizerTest, TheRubricIsWhatTheAnchorWritesAboutTheReferenceAlone) {
  const auto reference = Synthesize();
  ASSERT_TRUE(reference.ok()) << reference.failure().reason;
  engine::Engine engine({}, weights_, *tokenizer_);
  std::vector<engine::GroupRequest> requests(1);
  requests[0].prompt_ids = tokenizer_->Encode(reference->text + " rubric");
  requests[0].sampling = config_.rubric->sampling;
  const auto written = engine::GenerateAll(engine, std::move(requests));
  ASSERT_EQ(reference->rubric.size(), 1u);
  EXPECT_EQ(reference->rubric.front().text, written.front().group->rollouts.front().text);
}

TEST_F(SynthesizerTest, WithoutARubricConfigThereIsNone) {
  config_.rubric.reset();
  EXPECT_TRUE(Synthesize()->rubric.empty());
}

TEST_F(SynthesizerTest, ARubricThatIsNotInItsFormatIsTriedOnceMoreThenFailsTheGroup) {
  ASSERT_TRUE(Synthesize().ok());
  const std::int64_t with_one = decoded_;
  config_.rubric->format = RubricFormat::kJson;
  const auto reference = Synthesize();
  ASSERT_FALSE(reference.ok());
  EXPECT_TRUE(reference.failure().reason.starts_with(schema::kNoRubric)) << reference.failure().reason;
  EXPECT_GT(decoded_, with_one) << "a second try was made";
}

TEST_F(SynthesizerTest, ARubricThatDoesNotFitIntoTheContextFails) {
  config_.rubric->sampling.max_new_tokens = 60;
  const auto reference = Synthesize();
  ASSERT_FALSE(reference.ok());
  EXPECT_TRUE(reference.failure().reason.starts_with(schema::kNoRubric)) << reference.failure().reason;
}

}  // namespace
}  // namespace autodidact::estimators
