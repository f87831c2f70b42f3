// What the block classifier looks at: figures of a block, of the elements around it, of its neighbours and of the page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "clean/blocks.h"

namespace llmkit::clean {

// One row of kFeatures numbers a block, in page order.
struct FeatureTable {
  size_t columns = 0;
  std::vector<float> values;
  const float* row(size_t block) const { return values.data() + block * columns; }
};

FeatureTable block_features(const PageBlocks& page, std::string_view url);
const std::vector<std::string>& feature_names();

}  // namespace llmkit::clean
