#include "launch/config/run_config.h"
#include "launch/config/sft_config.h"

#include "base/log.h"
#include "launch/config/checks.h"
#include "launch/config/describe_run.h"
#include "launch/config/describe_sft.h"
#include "launch/config/lister.h"
#include "model/config.h"

namespace autodidact::launch {
namespace {

// A config with its tree, on the way to what the file means.
template <class Config>
class Reading {
 public:
  // Files that cannot be read are errors at once; all else is kept for ThrowIfAny.
  template <class OtherConfig>
  static Reading Of(const std::filesystem::path& file, const std::vector<std::string>& overrides, OtherConfig,
                    const char* others) {
    Reading reading(file);
    reading.root_ = LoadConfigTree(file, overrides, reading.problems_);
    const KeyGuide guide(ListKeys<Config>(), ListKeys<OtherConfig>(), others);
    ConfigReader reader(&reading.root_, guide, reading.problems_);
    Describe(reader, reading.config);
    reader.Finish();
    return reading;
  }

  ConfigChecker checker() { return ConfigChecker(root_, problems_); }
  Config Checked() {
    problems_.ThrowIfAny();
    for (const std::string& warning : problems_.warnings()) base::LogWarning("{}", warning);
    return std::move(config);
  }

  Config config;

 private:
  explicit Reading(const std::filesystem::path& file) : problems_(file.string()) {}

  ConfigProblems problems_;
  ConfigNode root_;
};

Reading<RunConfig> ReadRunKeys(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  return Reading<RunConfig>::Of(file, overrides, SftConfig(), "`autodidact sft`");
}

// Tokens of the model's context; 0 where its folder does not say.
std::int64_t ContextOf(const ConfigChecker& check, const RunConfig& config) {
  check.ModelFolder("model", config.model);
  std::int64_t context = 0;
  if (std::filesystem::exists(std::filesystem::path(config.model) / "config.json")) {
    try {
      context = model::ReadModelConfig(config.model).max_position_embeddings;
    } catch (const base::Error& error) {
      check.Fail("model", "got " + Quoted(config.model) + ", expected a model that can be read (" + error.message() +
                              "): mend its config.json, or name another folder");
    }
  }
  return context;
}

template <class Config>
std::string Written(const Config& config) {
  Config copy = config;
  ConfigWriter writer;
  Describe(writer, copy);
  return writer.text();
}

}  // namespace

RunConfig ReadRunConfig(const std::filesystem::path& file, const std::vector<std::string>& overrides, Files files) {
  auto reading = ReadRunKeys(file, overrides);
  const ConfigChecker check = reading.checker();
  const std::int64_t context = ContextOf(check, reading.config);
  FillIn(reading.config, check, context);
  CheckRun(reading.config, check, files, context);
  return reading.Checked();
}

std::vector<KeyInfo> RunKeys() {
  return ListKeys<RunConfig>();
}

std::vector<KeyInfo> SftKeys() {
  return ListKeys<SftConfig>();
}

std::vector<std::string> KeysMeantBy(const std::string& name) {
  return KeyGuide(ListKeys<RunConfig>(), {}, "").Meant(name);
}

RunConfig ReadJudgeConfig(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  auto reading = ReadRunKeys(file, overrides);
  const ConfigChecker check = reading.checker();
  CheckJudgeItself(check, reading.config);
  if (reading.config.judge.by_program()) {
    check.Fail("judge.kind", "got program, expected rubric or model_as_judge: name a judge that reads texts");
  }
  return reading.Checked();
}

std::string ToYaml(const RunConfig& config) {
  return Written(config);
}

SftConfig ReadSftConfig(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  auto reading = Reading<SftConfig>::Of(file, overrides, RunConfig(), "`autodidact train`");
  CheckSft(reading.config, reading.checker());
  return reading.Checked();
}

std::string ToYaml(const SftConfig& config) {
  return Written(config);
}

}  // namespace autodidact::launch
