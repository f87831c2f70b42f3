// SIGINT, SIGTERM, SIGHUP: the first sets the stop flag and says so, the second exits. SIGPIPE is ignored: a reader
// that has gone shows as EPIPE.
#pragma once

#include <string_view>

#include "base/context.h"
#include "base/error.h"

namespace llmkit::cli {

StopFlag& stop_flag();
void install_signal_handlers();

// Before anything is written: what goes through stdio (help, tables) fits into its buffer, so that close_stdout() sees
// a failure with its reason.
void open_stdout();

// Flushes and closes stdout. What could not be written makes a good exit code ExitCode::failed, unless the reader has
// simply gone (EPIPE), which is no error.
ExitCode close_stdout(ExitCode code, std::string_view who);

}  // namespace llmkit::cli
