// The ranks of MPI (Debian: libopenmpi-dev), where llmkit was built with it.
#pragma once

#include <memory>

#include "base/communicator.h"

namespace llmkit {

bool built_with_mpi();
std::unique_ptr<Communicator> join_mpi();  // null in a build without MPI

}  // namespace llmkit
