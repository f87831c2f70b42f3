// The character encoding of a page: what it says, what it is, and the conversion to UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace llmkit::text {

enum class CharsetSource { bom, http, meta, valid_utf8, statistics, fallback };

struct Charset {
  std::string_view name;  // a name of the Encoding standard: "UTF-8", "windows-1252", "GBK"
  CharsetSource source = CharsetSource::fallback;
};

std::string_view charset_source_name(CharsetSource source);

// The standard's name for a label such as "latin1" (case and surrounding space ignored); "" where unknown.
std::string_view find_charset(std::string_view label);

// The charset parameter of a Content-Type value, "" where there is none.
std::string_view content_type_charset(std::string_view content_type);

// The HTML standard's prescan of the first 1024 bytes for <meta charset> and <meta http-equiv>; "" where it finds none.
std::string_view prescan_meta(std::string_view bytes);

// In order: byte order mark, HTTP header, <meta>, valid UTF-8, letter statistics (ICU), windows-1252. A declaration
// that the bytes contradict (UTF-8 that is not, a one-byte charset on what is clearly UTF-8) is overruled.
Charset detect_charset(std::string_view bytes, std::string_view content_type = {});

// Bytes to UTF-8 without byte order mark; what is ill-formed becomes U+FFFD. Any input gives valid UTF-8.
std::string to_utf8(std::string_view bytes, std::string_view charset);

}  // namespace llmkit::text
