// Where this program lies, for whoever is to start it again.
#pragma once

#include <string>

namespace autodidact::process {

// The file that was started under this name (argv[0]), as an absolute path: in an archive that is the program's own,
// while the system's word for what runs (/proc/self/exe) is the loader. A name without a slash is looked for in PATH.
// Error(kBadInput) when it is not found there.
std::string ProgramFile(const std::string& called);

}  // namespace autodidact::process
