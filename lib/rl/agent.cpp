#include "rl/agent.h"

namespace llmkit::rl {

#define LLMKIT_AGENT(name) Entry<Agent> name##_agent();
#include "rl/agents.def"
#undef LLMKIT_AGENT

const Registry<Agent>& agents() {
  static const Registry<Agent> registry("agent", {
#define LLMKIT_AGENT(name) name##_agent(),
#include "rl/agents.def"
#undef LLMKIT_AGENT
                                                 });
  return registry;
}

}  // namespace llmkit::rl
