// Every code point in context is cut as Hugging Face tokenizers' regular expressions cut it; the hashes of the pieces
// were written by tests/parity/tokenizer/make_pretokenizer_golden.py.
#include <doctest/doctest.h>

#include <charconv>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/hash.h"
#include "tokenizer/pretokenizer.h"
#include "tokenizer/unicode_class.h"

using namespace llmkit;
using namespace llmkit::tokenizer;

namespace {

constexpr uint32_t kChunk = 0x4000;
// {} is the code point.
constexpr std::string_view kContext =
    "a{}b {}A{}{}1{}1 !{}!{}\n{} '{}s\n{}  {}Aa{}Bb  {}/x.{}'s\t{}\u4e2d{}\u3042 \u4e2d\u0301{}{}z \u2581{}\r\n ";

std::string utf8(uint32_t c) {
  auto tail = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

std::string hash_of(const PreTokenizer& pre, uint32_t first) {
  std::string spans, text;
  size_t ends[128];
  for (uint32_t code = first; code < first + kChunk; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    text.clear();
    std::string c = utf8(code);
    for (size_t i = 0; i < kContext.size(); ++i) {
      if (kContext[i] == '{') {
        text += c;
        ++i;
      } else {
        text += kContext[i];
      }
    }
    size_t count = pre.split(text, 0, ends), begin = 0;
    for (size_t i = 0; i < count; begin = ends[i++]) {
      if (pre.drops_spaces() && is_space(scan_char(text.data() + begin, text.data() + text.size()).cls)) continue;
      spans += static_cast<char>(begin);
      spans += static_cast<char>(ends[i]);
    }
    spans += '\xFF';
  }
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(xxh3_64(spans)));
  return hex;
}

}  // namespace

TEST_CASE("every code point in context is cut as by the regular expression") {
  std::ifstream file(LLMKIT_SOURCE_DIR "/tests/parity/tokenizer/pretokenizer_golden.txt");
  size_t names = 0;
  for (std::string line, name, chunk; std::getline(file, line); ++names) {
    std::istringstream words(line);
    words >> name;
    auto pre = pretokenizers().make(name);
    CAPTURE(name);
    while (words >> chunk) {
      CAPTURE(chunk);
      uint32_t first = 0;
      auto parsed = std::from_chars(chunk.data(), chunk.data() + chunk.size(), first, 16);
      CHECK(hash_of(*pre, first) == std::string(parsed.ptr + 1));
    }
  }
  CHECK(names == pretokenizers().entries().size() - 1);  // all but "none"
}

TEST_CASE("what the golden file leaves out is of one class") {
  int assigned = 0;
  for (uint32_t c = 0x34000; c < 0xE0000; ++c) assigned += class_of(c) != CharClass::other;
  for (uint32_t c = 0xF0000; c < 0x10C000; ++c) {
    assigned += class_of(c) != ((c & 0xFFFE) == 0xFFFE ? CharClass::other : CharClass::private_use);
  }
  CHECK(assigned == 0);
}
