#include "base/error.h"

#include "base/utf8.h"

namespace llmkit {
namespace {

constexpr char kHex[] = "0123456789abcdef";

std::string compose(const ErrorParts& p) {
  std::string out;
  auto colon = [&] { return out.empty() ? "" : ": "; };
  out += p.where;
  if (!p.what.empty()) out += colon() + p.what;
  if (!p.expected.empty()) out += colon() + ("expected " + p.expected);
  if (!p.found.empty()) out += (p.expected.empty() ? colon() : ", ") + ("found " + p.found);
  if (!p.hint.empty()) out += " (" + p.hint + ")";
  return printable(out, 2000);
}

}  // namespace

std::string printable(std::string_view text, size_t max_chars) {
  std::string out;
  size_t chars = 0;
  for (size_t i = 0; i < text.size(); ++chars) {
    if (chars == max_chars) return out + "…";
    size_t n = utf8_sequence_length(text.substr(i));
    unsigned char c = static_cast<unsigned char>(text[i]);
    // U+0080..U+009F are terminal controls too.
    bool control = n == 0 || (n == 1 && (c < 0x20 || c == 0x7F)) ||
                   (n == 2 && c == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0);
    if (control) {
      size_t bytes = n == 0 ? 1 : n;
      for (size_t k = 0; k < bytes; ++k) {
        unsigned char b = static_cast<unsigned char>(text[i + k]);
        if (b == '\n')
          out += "\\n";
        else if (b == '\t')
          out += "\\t";
        else
          out += {'\\', 'x', kHex[b >> 4], kHex[b & 15]};
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
