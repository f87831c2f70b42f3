// Sentence ends and line ends.
#pragma once

#include <cstddef>
#include <string_view>

namespace llmkit::clean {

// Sentences of one line: ends at . ! ? (before a space or the end, not after a one-letter or common abbreviation), or
// at 。！？ anywhere. A line without an end is one sentence.
size_t count_sentences(std::string_view line);

// Whether the line ends in terminal punctuation of any script, closing quotes and brackets included (FineWeb's set).
bool ends_in_terminal_punctuation(std::string_view line);

}  // namespace llmkit::clean
