#include "text/utf8.h"

#include <doctest/doctest.h>

using namespace llmkit::text;

TEST_CASE("each maximal ill-formed part becomes one replacement character, as in table 3-8 of the Unicode standard") {
  // The standard's own example: 61 F1 80 80 E1 80 C2 62 80 63 80 BF 64
  CHECK(repair_utf8("a\xF1\x80\x80\xE1\x80\xC2"
                    "b\x80"
                    "c\x80\xBF"
                    "d") ==
        "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
        "b\xEF\xBF\xBD"
        "c\xEF\xBF\xBD\xEF\xBF\xBD"
        "d");
  CHECK(repair_utf8("\xC0\xAF") == "\xEF\xBF\xBD\xEF\xBF\xBD");                                  // overlong
  CHECK(repair_utf8("\xED\xA0\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");                  // surrogate
  CHECK(repair_utf8("\xF4\x90\x80\x80") == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // past U+10FFFF
  CHECK(repair_utf8("caf\xC3") == "caf\xEF\xBF\xBD");
}

TEST_CASE("every code point is written and read back") {
  for (char32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 97) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    char bytes[4];
    std::string_view written(bytes, encode_utf8(c, bytes));
    size_t at = 0;
    REQUIRE(decode_utf8(written, at) == c);
    REQUIRE(at == written.size());
    REQUIRE(is_valid_utf8(written));
  }
}

TEST_CASE("a prefix never cuts a code point") {
  CHECK(utf8_prefix("a\xE4\xB8\xAD", 3) == "a");
  CHECK(utf8_prefix("a\xE4\xB8\xAD", 4) == "a\xE4\xB8\xAD");
  CHECK(count_code_points("a\xE4\xB8\xAD\xF0\x9F\x98\x80") == 3);
}
