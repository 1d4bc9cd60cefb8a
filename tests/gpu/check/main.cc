// gpu_check: what gpu_check.sh runs beside the program itself. Figures go to standard output as one JSON line; a
// comparison that fails says why on standard error and ends with 1.
#include <ATen/Context.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <utility>

#include "base/error.h"
#include "launch/wiring/wiring.h"
#include "tests/gpu/check/check.h"

namespace {

using namespace autodidact;             // NOLINT(google-build-using-namespace): the program's own file
using namespace autodidact::gpu_check;  // NOLINT(google-build-using-namespace)

constexpr int kNoDevice = 3;

struct Arguments {
  std::string shape, folder, card;
  std::vector<std::string> files;
  double tolerance = 0;
  Workload work;
};

void Print(const std::vector<json::Json>& lines) {
  for (const json::Json& line : lines) std::cout << json::Dump(line) << "\n";
}

int Report(const Finding& finding) {
  Print({finding.figures});
  if (finding.fault.empty()) return EXIT_SUCCESS;
  std::cerr << finding.fault << "\n";
  return EXIT_FAILURE;
}

void AddWorkload(CLI::App* command, Workload& work) {
  command->add_option("model", work.model)->required();
  command->add_option("--device", work.device);
  command->add_option("--dtype", work.dtype);
  command->add_option("--groups", work.groups);
  command->add_option("--rollouts", work.rollouts);
  command->add_option("--prompt", work.prompt_tokens, "tokens");
  command->add_option("--new", work.new_tokens, "tokens");
  command->add_option("--repetitions", work.repetitions);
}

using Parts = std::map<std::string, std::function<int()>>;

void AddInputs(CLI::App& app, Arguments& a, Parts& parts) {
  app.add_subcommand("device", "ends with 3 where libtorch sees no GPU");
  parts["device"] = [] {
    Print({{{"gpus", at::getNumGPUs()}}});
    return at::hasCUDA() && at::getNumGPUs() > 0 ? EXIT_SUCCESS : kNoDevice;
  };
  auto* model = app.add_subcommand("model", "writes a random model");
  model->add_option("shape", a.shape)->required();
  model->add_option("folder", a.folder)->required();
  parts["model"] = [&a] { return WriteModel(a.shape, a.folder), EXIT_SUCCESS; };
  for (const char* name : {"score-rows", "prompt-rows"}) {
    app.add_subcommand(name, "input lines for a model")->add_option("folder", a.folder)->required();
  }
  parts["score-rows"] = [&a] { return Print(ScoreRows(model::ReadModelConfig(a.folder))), EXIT_SUCCESS; };
  parts["prompt-rows"] = [&a] { return Print(PromptRows(model::ReadModelConfig(a.folder))), EXIT_SUCCESS; };
  app.add_subcommand("generated-rows", "prompts and what `generate` gave them, as lines for `score`")
      ->add_option("files", a.files)
      ->expected(2);
  parts["generated-rows"] = [&a] {
    Print(GeneratedRows(ReadLines(a.files[0]), ReadLines(a.files[1])));
    return EXIT_SUCCESS;
  };
}

void AddComparisons(CLI::App& app, Arguments& a, Parts& parts) {
  const auto add = [&](const char* name, const char* files, int count) {
    auto* command = app.add_subcommand(name, "compares");
    command->add_option("files", a.files, files)->expected(count);
    command->add_option("--tolerance", a.tolerance)->required();
  };
  add("compare-scores", "CPU in fp32, CPU, device", 3);
  parts["compare-scores"] = [&a] {
    return Report(CompareScores(ReadLines(a.files[0]), ReadLines(a.files[1]), ReadLines(a.files[2]), a.tolerance));
  };
  add("compare-greedy", "CPU's lines, their scores, device's lines, their scores", 4);
  parts["compare-greedy"] = [&a] {
    return Report(CompareGreedy({ReadLines(a.files[0]), ReadLines(a.files[1])},
                                {ReadLines(a.files[2]), ReadLines(a.files[3])}, a.tolerance));
  };
  add("compare-steps", "CPU's step, device's", 2);
  parts["compare-steps"] = [&a] {
    return Report(CompareSteps(json::ParseFile(a.files[0]), json::ParseFile(a.files[1]), a.tolerance));
  };
}

void AddMeasures(CLI::App& app, Arguments& a, Parts& parts) {
  AddWorkload(app.add_subcommand("grpo", "loss and gradient of one step"), a.work);
  parts["grpo"] = [&a] { return Print({GrpoStep(a.work)}), EXIT_SUCCESS; };
  AddWorkload(app.add_subcommand("decode", "decoding speed"), a.work);
  parts["decode"] = [&a] { return Print({DecodeSpeed(a.work)}), EXIT_SUCCESS; };
  AddWorkload(app.add_subcommand("step", "seconds and memory of a GRPO step"), a.work);
  parts["step"] = [&a] { return Print({StepSpeed(a.work)}), EXIT_SUCCESS; };
  auto* summary = app.add_subcommand("summary", "joins the parts of a folder into gpu_check.json; prints the table");
  summary->add_option("folder", a.folder)->required();
  summary->add_option("--card", a.card);
  parts["summary"] = [&a] {
    const json::Json joined = Summary(a.folder, a.card);
    json::WriteFile(std::filesystem::path(a.folder) / "gpu_check.json", joined.dump(2) + "\n");
    std::cout << Table(joined);
    return joined.at("failed").get<std::int64_t>() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
  };
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  Parts parts;
  CLI::App app("The parts of gpu_check.sh");
  app.require_subcommand(1);
  AddInputs(app, arguments, parts);
  AddComparisons(app, arguments, parts);
  AddMeasures(app, arguments, parts);
  CLI11_PARSE(app, argc, argv);
  try {
    launch::UseThreads(0);
    const int code = parts.at(app.get_subcommands().front()->get_name())();
    std::cout.flush();
    return std::cout ? code : EXIT_FAILURE;
  } catch (const base::Error& error) {
    std::cerr << error.message() << "\n";
  } catch (const std::exception& error) {
    std::cerr << "unexpected: " << error.what() << "\n";
  }
  return EXIT_FAILURE;
}
