// Every op of ops.def; an op without cases does not link.
#include <doctest/doctest.h>

#include "check.h"

namespace llmkit::test {

#define LLMKIT_OP(name) std::vector<GradCase> cases_##name();
#include "tensor/ops.def"
#undef LLMKIT_OP

TEST_CASE("gradients of every op agree with central differences") {
#define LLMKIT_OP(name) \
  for (const GradCase& c : cases_##name()) check_case(c);
#include "tensor/ops.def"
#undef LLMKIT_OP
}

}  // namespace llmkit::test
