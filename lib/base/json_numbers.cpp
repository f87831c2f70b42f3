#include "base/json_numbers.h"

#include <algorithm>
#include <charconv>

namespace llmkit {

void append_json_numbers(std::string& out, std::span<const int32_t> numbers) {
  constexpr size_t kAtATime = 256, kMostEach = 13;  // "-2147483648, "
  char buffer[kAtATime * kMostEach];
  out += '[';
  while (!numbers.empty()) {
    char* p = buffer;
    size_t count = std::min(numbers.size(), kAtATime);
    for (int32_t number : numbers.first(count)) {
      p = std::to_chars(p, p + kMostEach, number).ptr;
      *p++ = ',';
      *p++ = ' ';
    }
    numbers = numbers.subspan(count);
    if (numbers.empty()) p -= 2;
    out.append(buffer, p);
  }
  out += ']';
}

}  // namespace llmkit
