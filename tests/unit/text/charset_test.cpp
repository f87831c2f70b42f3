#include "text/charset.h"

#include <doctest/doctest.h>

#include "text/utf8.h"

using namespace llmkit::text;

TEST_CASE("labels are those of the Encoding standard") {
  CHECK(find_charset(" ISO-8859-1 ") == "windows-1252");
  CHECK(find_charset("gb2312") == "GBK");
  CHECK(find_charset("utf8") == "UTF-8");
  CHECK(find_charset("no-such-charset").empty());
}

TEST_CASE("the prescan reads meta tags and nothing else") {
  CHECK(prescan_meta("<meta charset=windows-1251>") == "windows-1251");
  CHECK(prescan_meta("<META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset=\"koi8-r\"'>") == "KOI8-R");
  CHECK(prescan_meta("<meta content='text/html; charset=koi8-r'>").empty());  // no http-equiv
  CHECK(prescan_meta("<!-- <meta charset=big5> --><meta charset=gbk>") == "GBK");
  CHECK(prescan_meta("<p title='<meta charset=big5>'><meta charset=gbk>") == "GBK");
  CHECK(prescan_meta("<meta charset=utf-16>") == "UTF-8");
  CHECK(prescan_meta(std::string(1024, ' ') + "<meta charset=gbk>").empty());
}

TEST_CASE("the order is mark, header, meta, valid UTF-8, statistics") {
  CHECK(detect_charset("\xFF\xFEx", "text/html; charset=gbk").name == "UTF-16LE");
  CHECK(detect_charset("<meta charset=big5>", "text/html; charset=gbk").name == "GBK");
  CHECK(detect_charset("<meta charset=big5>", "text/html").name == "Big5");
  CHECK(detect_charset("gr\xC3\xBC\xC3\x9F").source == CharsetSource::valid_utf8);
}

TEST_CASE("a declaration that the bytes contradict is overruled") {
  CHECK(detect_charset("<meta charset=iso-8859-1>gr\xC3\xBC\xC3\x9F, \xC3\xA4\xC3\xB6\xC3\xBC").name == "UTF-8");
  std::string latin = "<meta charset=utf-8>";
  for (int i = 0; i < 12; ++i) latin += "Les \xE9l\xE8ves ont \xE9t\xE9 re\xE7us. ";
  CHECK(detect_charset(latin).name == "windows-1252");
}

TEST_CASE("Chinese in its legacy charsets is found by statistics and decoded") {
  std::string gbk = "\xD5\xE2\xCA\xC7\xD2\xBB\xB8\xF6\xD6\xD0\xCE\xC4\xCD\xF8\xD2\xB3";  // 这是一个中文网页
  std::string page;
  for (int i = 0; i < 10; ++i) page += gbk + "\xA1\xA3";
  Charset found = detect_charset(page);
  CHECK(found.name == "gb18030");
  CHECK(to_utf8(gbk, "gb2312") == "这是一个中文网页");
}

TEST_CASE("conversion of any bytes from any charset gives valid UTF-8") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  for (const char* name :
       {"utf-8",          "windows-1252", "windows-1255", "gbk",         "gb18030",        "big5",       "euc-jp",
        "shift_jis",      "iso-2022-jp",  "euc-kr",       "utf-16le",    "utf-16be",       "koi8-u",     "macintosh",
        "x-user-defined", "iso-8859-8-i", "ibm866",       "windows-874", "x-mac-cyrillic", "iso-8859-16"}) {
    CAPTURE(name);
    CHECK(is_valid_utf8(to_utf8(all + "\xFF" + all, name)));
  }
  CHECK(to_utf8("\x80", "windows-1252") == "\xE2\x82\xAC");
  CHECK(to_utf8("\xEF\xBB\xBFx", "utf-8") == "x");
}
