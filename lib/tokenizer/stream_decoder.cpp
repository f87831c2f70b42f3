#include "tokenizer/stream_decoder.h"

#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

// Bytes that the character whose first bytes are at `p` would have, and how many of them fit so far: the "maximal
// subpart" of Unicode 3.9, which one U+FFFD stands for.
struct Subpart {
  size_t wanted, fitting;
};

Subpart subpart(const char* p, const char* end) {
  auto byte = [p](size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(p[i])); };
  unsigned c = byte(0);
  size_t wanted = c >= 0xC2 && c <= 0xDF ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 1;
  unsigned low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80, high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
  size_t fitting = 1, left = static_cast<size_t>(end - p);
  for (; fitting < wanted && fitting < left; ++fitting, low = 0x80, high = 0xBF)
    if (byte(fitting) < low || byte(fitting) > high) break;
  return {wanted, fitting};
}

}  // namespace

std::string StreamDecoder::push(int32_t id) {
  tokenizer_.decode(id, pending_, skip_special_);
  return take(false);
}

std::string StreamDecoder::finish() {
  return take(true);
}

std::string StreamDecoder::take(bool all) {
  std::string out;
  const char *p = pending_.data(), *end = p + pending_.size();
  while (p < end) {
    Utf8Char c = decode_utf8(p, end);
    if (c.code_point != 0xFFFFFFFF) {
      out.append(p, c.length);
      p += c.length;
      continue;
    }
    Subpart part = subpart(p, end);
    if (!all && part.fitting < part.wanted && p + part.fitting == end) break;
    out += "\xEF\xBF\xBD";
    p += part.fitting;
  }
  pending_.erase(0, static_cast<size_t>(p - pending_.data()));
  return out;
}

}  // namespace llmkit::tokenizer
