// Kept blocks to text.
#pragma once

#include <string>
#include <vector>

#include "clean/blocks.h"
#include "clean/extract.h"

namespace llmkit::clean {

// Paragraphs are parted by an empty line; items of one list, rows of one table and parts of one item stand on lines of
// their own.
std::string render_blocks(const std::vector<Block>& blocks, const std::vector<bool>& keep, Markup markup);

}  // namespace llmkit::clean
