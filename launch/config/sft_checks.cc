#include <unistd.h>

#include "launch/config/checks.h"

namespace autodidact::launch {
namespace {

// A model from nothing.
void CheckShape(const ConfigChecker& check, const SftConfig& c) {
  if (c.shape.num_heads < c.shape.num_kv_heads || c.shape.num_heads % c.shape.num_kv_heads != 0) {
    check.Fail("num_kv_heads",
               base::Format("got {}, expected a divisor of num_heads ({}): write {} or 1", c.shape.num_kv_heads,
                            c.shape.num_heads, c.shape.num_heads),
               "num_heads");
  }
  if (c.shape.hidden_size % c.shape.num_heads != 0 || (c.shape.hidden_size / c.shape.num_heads) % 2 != 0) {
    check.Fail("num_heads",
               base::Format("got {}, expected a number that hidden_size ({}) is an even multiple of: write {}",
                            c.shape.num_heads, c.shape.hidden_size,
                            c.shape.hidden_size % 64 == 0 ? c.shape.hidden_size / 64 : 1),
               "hidden_size");
  }
  const double width = static_cast<double>(c.shape.hidden_size);
  const double weights = static_cast<double>(c.shape.num_layers) * width *
                         (2 * width + 3 * static_cast<double>(c.shape.intermediate_size));
  // In training each has its gradient and two moments beside it.
  const double bytes = 16 * weights;
  const double memory = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  if (bytes <= memory) return;
  check.Fail("hidden_size",
             base::Format("got a shape of {:.1f} billion weights, expected one whose training fits into this machine's "
                          "{:.0f} GiB: lower hidden_size, intermediate_size or num_layers",
                          weights / 1e9, memory / (1 << 30)));
}

void CheckReconcile(const ConfigChecker& check, const ReconcileConfig& c) {
  if (!c.prompts.empty()) {
    check.JsonLines("reconcile.prompts", c.prompts);
    if (c.crossfit.apart)
      check.Fail("reconcile.apart",
                 "got true, expected false with reconcile.prompts, which takes the place of folds: leave it out");
  }
  if (c.rules.group_sizes.empty())
    check.Fail("reconcile.group_sizes", "got an empty list, expected one size at least: write [8], or leave it out");
  for (std::size_t i = 0; i < c.rules.group_sizes.size(); ++i) {
    if (c.rules.group_sizes[i] <= c.crossfit.num_candidates || !c.enabled || !check.Given("reconcile.group_sizes"))
      continue;
    check.Fail(base::Format("reconcile.group_sizes[{}]", i),
               base::Format("got {}, expected at most reconcile.num_candidates ({}), of which groups are drawn: lower "
                            "it, or raise the other",
                            c.rules.group_sizes[i], c.crossfit.num_candidates));
  }
}

}  // namespace

void CheckSft(const SftConfig& config, const ConfigChecker& check) {
  if (config.output.empty())
    check.Fail("output", "got nothing, expected the folder to write: name it by output: FOLDER");
  if (!config.model.empty()) check.ModelFolder("model", config.model);
  if (config.data.empty())
    check.Fail("data", "got nothing, expected a list of files: write data: [{file: pairs.jsonl}]");
  double weight = 0;
  for (std::size_t i = 0; i < config.data.size(); ++i) {
    check.JsonLines(base::Format("data[{}].file", i), config.data[i].file);
    weight += config.data[i].weight;
  }
  if (!config.data.empty() && weight <= 0) {
    check.Fail("data[0].weight",
               "got 0 for every file, expected more for one at least: leave the weights out for equal ones");
  }
  if (!config.eval_data.empty()) check.JsonLines("eval_data", config.eval_data);
  if (config.model.empty()) CheckShape(check, config);
  CheckWarmup(check, "warmup_steps", config.optimizer.warmup_steps, config.max_steps);
  if (config.optimizer.learning_rate == 0)
    check.Warn("learning_rate", "is 0: nothing will be learned; 1e-5 to 1e-3 is usual");
  if (config.optimizer.learning_rate > 0.1) {
    check.Warn("learning_rate", base::Format("of {} is far above what a model bears; 1e-5 to 1e-2 is usual",
                                             config.optimizer.learning_rate));
  }
  CheckReconcile(check, config.reconcile);
  CheckPrompt(check, config.prompt);
  check.Sampling("rollout", config.rollout);
  CheckAnchor(check, config.anchor);
}

}  // namespace autodidact::launch
