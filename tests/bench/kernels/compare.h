#pragma once

#include <string>
#include <vector>

#include "kernels/exec.h"
#include "kernels/peak.h"

namespace llmkit::bench {

// The shapes of a GPT-2 124M: its linear layers and the vocabulary, at each count of rows.
void compare_products(const kernels::Exec& ex, const kernels::Peak& peak, const std::vector<int64_t>& rows,
                      const std::string& filter, double seconds);

}  // namespace llmkit::bench
