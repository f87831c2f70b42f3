#include "tokenizer/sentence_words.h"

namespace llmkit::tokenizer {

size_t SentenceWords::split(std::string_view text, size_t from, std::span<size_t> ends) const {
  size_t count = 0;
  auto skip_spaces = [&](size_t at) {
    while (at < text.size() && text[at] == ' ') ++at;
    return at;
  };
  for (; from < text.size() && count < ends.size(); ++count) {
    size_t end = skip_spaces(from);
    while (end < text.size() && text[end] != ' ' && text[end] != '\n') ++end;
    size_t after = skip_spaces(end);
    if (after == text.size())
      end = after;
    else if (text[after] == '\n')
      end = after + 1;
    ends[count] = from = end;
  }
  return count;
}

}  // namespace llmkit::tokenizer
