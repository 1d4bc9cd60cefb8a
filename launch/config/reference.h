// What there is to say about the keys of a config, for people and for editors: all of it from the one description.
#pragma once

#include <string>

namespace autodidact::launch {

// docs/config.md: a table a section, for both kinds of config. A test compares the file with it.
std::string ConfigPage();

// A JSON Schema (draft 7) of a run's config, or of `sft`'s: completion, help and checks in an editor.
std::string ConfigSchema(bool sft);

// The keys that `name` means, with what each may be, its default and its sentence: a key in full, a section, a key
// without its section, or what other programs call it; all of them for an empty name. Error(kBadInput) where it means
// none, with the nearest.
std::string KeyHelp(const std::string& name, bool sft);

}  // namespace autodidact::launch
