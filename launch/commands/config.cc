#include "base/error.h"
#include "launch/commands/commands.h"
#include "launch/config/reference.h"
#include "launch/config/run_config.h"
#include "process/output.h"

namespace autodidact::launch {

void RunConfigCommand(const ConfigCommand& command) {
  std::string text;
  if (command.page) text += ConfigPage();
  if (command.schema) text += ConfigSchema(command.sft);
  if (command.defaults) text += command.sft ? ToYaml(SftConfig()) : ToYaml(RunConfig());
  for (const std::string& key : command.keys) text += KeyHelp(key, command.sft);
  process::Output().Write(text);
}

}  // namespace autodidact::launch
