// Every code point in context is cut as Hugging Face tokenizers' regular expressions cut it; the hashes of the pieces
// were written by tests/parity/tokenizer/make_pretokenizer_golden.py.
#include <doctest/doctest.h>

#include "tokenizer/pretokenizer.h"
#include "tokenizer/unicode_class.h"
#include "unit/tokenizer/golden.h"

using namespace llmkit::tokenizer;

namespace {

constexpr std::string_view kContext =
    "a{}b {}A{}{}1{}1 !{}!{}\n{} '{}s\n{}  {}Aa{}Bb  {}/x.{}'s\t{}\u4e2d{}\u3042 \u4e2d\u0301{}{}z \u2581{}\r\n ";

// Begin and end of each piece that has tokens, then 255.
std::string spans_of(const PreTokenizer& pre, uint32_t first) {
  std::string spans;
  size_t ends[128];
  golden::for_each_text(first, kContext, [&](std::string_view text) {
    size_t count = pre.split(text, 0, ends), begin = 0;
    for (size_t i = 0; i < count; begin = ends[i++]) {
      if (pre.drops_spaces() && is_space(scan_char(text.data() + begin, text.data() + text.size()).cls)) continue;
      spans += static_cast<char>(begin);
      spans += static_cast<char>(ends[i]);
    }
    spans += '\xFF';
  });
  return spans;
}

}  // namespace

TEST_CASE("every code point in context is cut as by the regular expression") {
  size_t names = golden::for_each_chunk(LLMKIT_SOURCE_DIR "/tests/parity/tokenizer/pretokenizer_golden.txt",
                                        [](const std::string& name, uint32_t first, const std::string& hash) {
                                          CAPTURE(name);
                                          CAPTURE(first);
                                          auto pre = pretokenizers().make(name);
                                          CHECK(golden::hex_hash(spans_of(*pre, first)) == hash);
                                        });
  CHECK(names == pretokenizers().entries().size() - 1);  // all but "none"
}

TEST_CASE("what the golden file leaves out is of one class") {
  int assigned = 0;
  for (uint32_t c = 0x34000; c < 0xE0000; ++c) assigned += class_of(c) != CharClass::other;
  for (uint32_t c = 0xF0000; c < 0x10C000; ++c)
    assigned += class_of(c) != ((c & 0xFFFE) == 0xFFFE ? CharClass::other : CharClass::private_use);
  CHECK(assigned == 0);
}
