#include "tokenizer/merge_limits.h"

#include "tokenizer/unicode_class.h"
#include "tokenizer/unicode_script.h"

namespace llmkit::tokenizer {

bool allowed_by(const MergeLimits& limits, std::string_view token) {
  static const int common = script_named("Common"), inherited = script_named("Inherited");
  int script = 0;
  bool digit = false, other = false;
  const char *p = token.data(), *end = p + token.size();
  while (p < end) {
    Utf8Char c = decode_utf8(p, end);
    p += c.length;
    if (c.code_point == 0xFFFFFFFF || c.code_point == ' ' || c.code_point == 0x2581 || c.code_point == '#') continue;
    bool is_digit = is_number(class_of(c.code_point));
    digit |= is_digit;
    other |= !is_digit;
    int s = script_of(c.code_point);
    if (s == 0 || s == common || s == inherited) continue;
    if (limits.scripts && script != 0 && s != script) return false;
    script = s;
  }
  return !(limits.digits && digit && other);
}

}  // namespace llmkit::tokenizer
