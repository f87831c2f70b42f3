#include "rl/environment.h"

namespace llmkit::rl {

#define LLMKIT_ENVIRONMENT(name) Entry<Environment> name##_environment();
#include "rl/environments.def"
#undef LLMKIT_ENVIRONMENT

const Registry<Environment>& environments() {
  static const Registry<Environment> registry("environment", {
#define LLMKIT_ENVIRONMENT(name) name##_environment(),
#include "rl/environments.def"
#undef LLMKIT_ENVIRONMENT
                                                             });
  return registry;
}

int32_t Environment::draw_start(Rng& rng) const {
  double left = rng.uniform();
  int32_t last = 0;
  for (size_t s = 0; s < start.size(); ++s) {
    if (start[s] <= 0) continue;
    last = static_cast<int32_t>(s);
    left -= start[s];
    if (left < 0) break;
  }
  return last;
}

}  // namespace llmkit::rl
