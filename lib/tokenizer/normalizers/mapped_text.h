// What a normalizer writes to: the text and, if wanted, where each byte of it came from.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/normalizer.h"

namespace llmkit::tokenizer {

class MappedText {
 public:
  MappedText(std::string_view source, std::string& out, std::vector<size_t>* origins)
      : source_(source), out_(out), origins_(origins) {}

  // Bytes [from, to) of the source as they are.
  void copy(size_t from, size_t to) {
    out_.append(source_, from, to - from);
    if (!origins_) return;
    for (size_t i = from; i < to; ++i) origins_->push_back(i);
  }
  // Something else in the place of what begins at `at`; places never go back.
  void put(std::string_view bytes, size_t at) {
    out_ += bytes;
    if (!origins_) return;
    if (!origins_->empty()) at = std::max(at, origins_->back());
    origins_->insert(origins_->end(), bytes.size(), at);
  }
  void put_code(uint32_t c, size_t at) {
    char bytes[4];
    size_t n = 0;
    if (c < 0x80) {
      bytes[n++] = static_cast<char>(c);
    } else {
      if (c >= 0x10000) bytes[n++] = static_cast<char>(0xF0 | c >> 18);
      if (c >= 0x800) bytes[n++] = static_cast<char>(c >= 0x10000 ? 0x80 | (c >> 12 & 0x3F) : 0xE0 | c >> 12);
      bytes[n++] = static_cast<char>(c >= 0x800 ? 0x80 | (c >> 6 & 0x3F) : 0xC0 | c >> 6);
      bytes[n++] = static_cast<char>(0x80 | (c & 0x3F));
    }
    put({bytes, n}, at);
  }

 private:
  std::string_view source_;
  std::string& out_;
  std::vector<size_t>* origins_;
};

// The first byte at or behind `at` that is not ASCII.
inline size_t skip_ascii(std::string_view text, size_t at) {
  for (; text.size() - at >= 8; at += 8) {
    uint64_t word;
    std::copy_n(text.data() + at, 8, reinterpret_cast<char*>(&word));
    if (word & 0x8080808080808080) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

}  // namespace llmkit::tokenizer
