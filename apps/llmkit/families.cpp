#include "families.h"

#include "clean/filter.h"
#include "decode/sampler.h"
#include "eval/task.h"
#include "models/architecture.h"
#include "nn/activation.h"
#include "nn/attention.h"
#include "nn/norm.h"
#include "nn/position.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "rl/agent.h"
#include "rl/environment.h"
#include "tokenizer/chat_template.h"
#include "tokenizer/normalizer.h"
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
