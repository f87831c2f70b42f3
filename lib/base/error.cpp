#include "base/error.h"

namespace llmkit {
namespace {

constexpr char kHex[] = "0123456789abcdef";

std::string compose(const ErrorParts& p) {
  std::string out;
  if (!p.where.empty()) out += p.where + ": ";
  out += p.what;
  if (!p.expected.empty()) out += ": expected " + p.expected;
  if (!p.found.empty()) out += (p.expected.empty() ? ": found " : ", found ") + p.found;
  if (!p.hint.empty()) out += " (" + p.hint + ")";
  return printable(out, 2000);
}

// Length of the well-formed UTF-8 sequence at `s`, or 0 where there is none (RFC 3629, table 3-7 of Unicode).
size_t sequence_length(std::string_view s) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(s[i]); };
  auto tail = [&](size_t i, unsigned lo = 0x80, unsigned hi = 0xBF) { return i < s.size() && byte(i) >= lo && byte(i) <= hi; };
  unsigned c = byte(0);
  if (c < 0x80) return 1;
  if (c >= 0xC2 && c <= 0xDF) return tail(1) ? 2 : 0;
  if (c >= 0xE0 && c <= 0xEF) {
    return tail(1, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF) && tail(2) ? 3 : 0;
  }
  if (c >= 0xF0 && c <= 0xF4) {
    return tail(1, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string printable(std::string_view text, size_t max_chars) {
  std::string out;
  size_t chars = 0;
  for (size_t i = 0; i < text.size(); ++chars) {
    if (chars == max_chars) return out + "…";
    size_t n = sequence_length(text.substr(i));
    unsigned char c = static_cast<unsigned char>(text[i]);
    // U+0080..U+009F are terminal controls too.
    bool control = n == 0 || (n == 1 && (c < 0x20 || c == 0x7F)) || (n == 2 && c == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0);
    if (control) {
      size_t bytes = n == 0 ? 1 : n;
      for (size_t k = 0; k < bytes; ++k) {
        unsigned char b = static_cast<unsigned char>(text[i + k]);
        if (b == '\n') out += "\\n";
        else if (b == '\t') out += "\\t";
        else out += {'\\', 'x', kHex[b >> 4], kHex[b & 15]};
      }
      i += bytes;
    } else {
      out.append(text, i, n);
      i += n;
    }
  }
  return out;
}

Error::Error(ErrorParts parts, ExitCode code) : parts_(std::move(parts)), message_(compose(parts_)), code_(code) {}

}  // namespace llmkit
