#include "families.h"

#include "clean/filter.h"
#include "decode/sampler.h"
#include "rl/agent.h"
#include "rl/environment.h"
#include "tokenizer/pretokenizer.h"

namespace llmkit::cli {

std::vector<Family> families() {
  std::vector<Family> out;
#define LLMKIT_FAMILY(name, summary, registry) out.push_back({name, summary, registry.descriptors()});
#include "families.def"
#undef LLMKIT_FAMILY
  return out;
}

}  // namespace llmkit::cli
