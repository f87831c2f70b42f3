// A curve as text for a terminal, drawn with braille characters: every cell holds 2 x 4 dots.
#pragma once

#include <string>
#include <vector>

#include "base/chart.h"

namespace llmkit {

// At most `rows` lines of at most `columns` columns, with the values of the highest and lowest row on the left. Each
// column of dots shows the mean of the values in its stretch of x. Empty where there is nothing to draw or no room.
std::vector<std::string> terminal_chart(const Series& series, int columns, int rows);

}  // namespace llmkit
