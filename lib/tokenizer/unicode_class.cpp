#include "tokenizer/unicode_class.h"

#include "tokenizer/unicode_script.h"

namespace llmkit::tokenizer {

ScannedChar char_before(std::string_view text, size_t at) {
  for (size_t back = at < 4 ? at : 4; back > 1; --back) {
    Utf8Char c = decode_utf8(text.data() + at - back, text.data() + at);
    if (c.length == back) return {class_of(c.code_point), c.length};
  }
  return scan_char(text.data() + at - 1, text.data() + at);
}

uint8_t script_named(std::string_view name) {
  for (int i = 0; i < script_count(); ++i)
    if (script_name(i) == name) return static_cast<uint8_t>(i);
  return 0;
}

}  // namespace llmkit::tokenizer
