// Going back after a NaN or a loss spike: the run continues from a checkpoint before it, and the stretch of data around
// the bad step is never read again (Chowdhery et al., "PaLM", 2022, section 5.1: the same batches do no harm elsewhere,
// so it is the meeting of data and parameters that has to be avoided).
//
// Updates and data are counted apart: update number n reads data step n only as long as nothing was skipped. Which data
// step comes next is a function of the list of rewinds, and the list is part of every checkpoint. The target of a
// rewind is the newest checkpoint of the *schedule* (every N steps, and step 0), never one that a signal caused, so
// that a run which was interrupted goes back to the same place as one that was not.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace llmkit::engine {

struct RewindOptions {
  int64_t around = 2;      // data steps skipped before and after the bad one
  int64_t max_to_one = 5;  // so many rewinds to one checkpoint end the run
};

struct Rewind {
  int64_t from_step = 0, to_step = 0;     // the update that was refused; the checkpoint that counts again
  int64_t first_data = 0, last_data = 0;  // data steps that are skipped from now on, both included
  std::string reason;
};

Rewind plan_rewind(const RewindOptions& options, int64_t from_step, int64_t to_step, int64_t bad_data,
                   std::string reason);

// The first data step from `data_step` on that no rewind skips.
int64_t next_data_step(int64_t data_step, std::span<const Rewind> rewinds);

// How many of `rewinds` went to the checkpoint of `step`.
int64_t rewinds_to(int64_t step, std::span<const Rewind> rewinds);

}  // namespace llmkit::engine
