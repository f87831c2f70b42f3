// "Prescan a byte stream to determine its encoding" (HTML standard, 13.2.3.2).
#include <algorithm>
#include <string>

#include "text/charset.h"

namespace llmkit::text {
namespace {

constexpr size_t kPrescanBytes = 1024;

bool space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}
bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

struct Cursor {
  std::string_view bytes;
  size_t at = 0;

  bool end() const { return at >= bytes.size(); }
  bool starts_with(std::string_view lower_case) const {
    if (bytes.size() - at < lower_case.size()) return false;
    for (size_t i = 0; i < lower_case.size(); ++i)
      if (lower(bytes[at + i]) != lower_case[i]) return false;
    return true;
  }
  void skip_to(std::string_view mark) { at = std::min(bytes.find(mark, at), bytes.size()); }

  // "Get an attribute"; false at the end of the tag.
  bool attribute(std::string& name, std::string& value) {
    name.clear();
    value.clear();
    while (!end() && (space(bytes[at]) || bytes[at] == '/')) ++at;
    if (end() || bytes[at] == '>') return false;
    for (; !end(); ++at) {
      char c = bytes[at];
      if (c == '=' && !name.empty()) break;
      if (c == '/' || c == '>') return true;
      if (space(c)) {
        while (!end() && space(bytes[at])) ++at;
        if (end() || bytes[at] != '=') return true;
        break;
      }
      name += lower(c);
    }
    if (end()) return true;
    ++at;
    while (!end() && space(bytes[at])) ++at;
    if (end()) return true;
    char quote = bytes[at];
    if (quote == '"' || quote == '\'') {
      for (++at; !end() && bytes[at] != quote; ++at) value += lower(bytes[at]);
      if (end()) return false;  // an attribute that never ends counts for nothing
      ++at;
      return true;
    }
    for (; !end() && !space(bytes[at]) && bytes[at] != '>'; ++at) value += lower(bytes[at]);
    return true;
  }
};

std::string_view meta_charset(Cursor& cursor) {
  std::string name, value, charset_text;
  bool has_charset = false, pragma = false, need_pragma = false;
  std::string seen;
  while (cursor.attribute(name, value)) {
    if (seen.find(' ' + name + ' ') != std::string::npos) continue;
    seen += ' ' + name + ' ';
    if (name == "http-equiv") {
      pragma = value == "content-type";
    } else if (name == "content" && !has_charset) {
      std::string_view found = content_type_charset(value);
      if (!find_charset(found).empty()) {
        charset_text = found;
        has_charset = need_pragma = true;
      }
    } else if (name == "charset") {
      charset_text = value;
      has_charset = true;
      need_pragma = false;
    }
  }
  if (cursor.end() || !has_charset || (need_pragma && !pragma)) return {};  // a tag that never ends counts for nothing
  std::string_view charset = find_charset(charset_text);
  if (charset.starts_with("UTF-16")) return "UTF-8";  // it could be read as ASCII, so it is not UTF-16
  return charset == "x-user-defined" ? "windows-1252" : charset;
}

}  // namespace

std::string_view prescan_meta(std::string_view bytes) {
  Cursor cursor{bytes.substr(0, kPrescanBytes)};
  std::string name, value;
  for (; !cursor.end(); ++cursor.at) {
    cursor.skip_to("<");
    if (cursor.end()) break;
    if (cursor.starts_with("<!--")) {
      cursor.at += 2;
      cursor.skip_to("-->");
      cursor.at += 2;
    } else if (cursor.starts_with("<meta") && cursor.at + 5 < cursor.bytes.size() &&
               (space(cursor.bytes[cursor.at + 5]) || cursor.bytes[cursor.at + 5] == '/')) {
      cursor.at += 6;
      if (auto charset = meta_charset(cursor); !charset.empty()) return charset;
    } else {
      size_t letter_at = cursor.at + (cursor.starts_with("</") ? 2 : 1);
      if (letter_at < cursor.bytes.size() && letter(cursor.bytes[letter_at])) {
        while (!cursor.end() && !space(cursor.bytes[cursor.at]) && cursor.bytes[cursor.at] != '>') ++cursor.at;
        while (cursor.attribute(name, value)) {
        }
      } else if (cursor.starts_with("<!") || cursor.starts_with("</") || cursor.starts_with("<?")) {
        cursor.skip_to(">");
      }
    }
  }
  return {};
}

}  // namespace llmkit::text
