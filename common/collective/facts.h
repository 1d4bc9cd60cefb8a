// What the libraries beneath the collective operations are, and which ranks share a machine.
#pragma once

#include <string>

#include "collective/collective.h"

namespace autodidact::collective {

// As the library that is loaded says: "Open MPI 4.1.4".
std::string MpiVersion();
// Of the PMIx client that this process has loaded (Open MPI does, in InitMpi), else of the one that is installed;
// empty: none, or one inside of Open MPI.
std::string PmixVersion();
// "2.27.3"; empty in a build without CUDA.
std::string NcclVersion();

// The lowest of `ranks` on this rank's machine, by the launcher's word: hosts may share a name. All of them call it.
int MpiFirstRankHere(Communicator& ranks);

}  // namespace autodidact::collective
