// Durable checkpoints: RUN/checkpoints/step-000500/{files…, manifest.json}.
//
// A checkpoint appears whole or not at all: its files are written to a folder with a temporary name, each is read
// back for its size and XXH3, the manifest is written last, everything is fsynced, and one rename makes it visible.
// A reader trusts nothing but the manifest, and walks back to the newest checkpoint that verifies, so a torn write,
// a full disk or a flipped bit costs at most one interval.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "io/system.h"

namespace llmkit::engine {

struct Checkpoint {
  int64_t step = 0;
  std::string path;
};

// Which checkpoints stay when a new one is there: the newest `keep` of the schedule, the milestones, and the new one,
// which a signal may have caused off the schedule. Without `every` all are of the schedule.
struct Retention {
  int64_t keep = 2;
  int64_t every = 0;
  int64_t milestone_every = 0;  // 0 = none
  bool scheduled(int64_t step) const { return every <= 0 || step % every == 0; }
  bool milestone(int64_t step) const { return milestone_every > 0 && step > 0 && step % milestone_every == 0; }
};

// `write` creates the files in the folder it is given. Afterwards what `retention` lets go is removed, and what an
// interrupted save left behind. A failure leaves the earlier checkpoints as they were.
Checkpoint save_checkpoint(const std::string& folder, int64_t step,
                           const std::function<void(const std::string& folder)>& write, const Retention& retention,
                           io::System* system = nullptr);

// All checkpoints of `folder` by step, oldest first; nothing is verified.
std::vector<Checkpoint> list_checkpoints(const std::string& folder);

// Empty when sizes and hashes agree with the manifest, else what is wrong.
std::string verify_checkpoint(const Checkpoint& checkpoint);

// The newest that verifies; the ones passed over are described in `notes`.
std::optional<Checkpoint> newest_valid_checkpoint(const std::string& folder, std::vector<std::string>& notes);

// The same among those of the schedule up to `step`.
std::optional<Checkpoint> newest_scheduled_checkpoint(const std::string& folder, const Retention& retention,
                                                      int64_t step, std::vector<std::string>& notes);

}  // namespace llmkit::engine
