#include "engine/rewind.h"

#include <algorithm>

namespace llmkit::engine {

Rewind plan_rewind(const RewindOptions& options, int64_t from_step, int64_t to_step, int64_t bad_data,
                   std::string reason) {
  return {from_step, to_step, std::max<int64_t>(0, bad_data - options.around), bad_data + options.around,
          std::move(reason)};
}

int64_t next_data_step(int64_t data_step, std::span<const Rewind> rewinds) {
  for (bool moved = true; moved;) {
    moved = false;
    for (auto& rewind : rewinds) {
      if (data_step < rewind.first_data || data_step > rewind.last_data) continue;
      data_step = rewind.last_data + 1;
      moved = true;
    }
  }
  return data_step;
}

int64_t rewinds_to(int64_t step, std::span<const Rewind> rewinds) {
  return std::count_if(rewinds.begin(), rewinds.end(), [&](auto& rewind) { return rewind.to_step == step; });
}

}  // namespace llmkit::engine
