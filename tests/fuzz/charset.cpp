// The first byte chooses a charset, the rest is decoded from it.
#include "text/charset.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "text/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit;
  constexpr std::string_view kNames[] = {
      "utf-8",  "windows-1252", "gbk",      "gb18030", "big5",      "euc-jp",         "shift_jis",    "iso-2022-jp",
      "euc-kr", "utf-16le",     "utf-16be", "koi8-u",  "macintosh", "x-user-defined", "iso-8859-8-i", "windows-874"};
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (!text::is_valid_utf8(text::to_utf8(bytes, kNames[data[0] % std::size(kNames)]))) std::abort();
  (void)text::prescan_meta(bytes);
  (void)text::content_type_charset(bytes);
  return 0;
}
