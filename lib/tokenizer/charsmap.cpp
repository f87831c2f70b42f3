#include "tokenizer/charsmap.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"

namespace llmkit::tokenizer {
namespace {

// A unit of darts-clone.
bool has_leaf(uint32_t unit) {
  return unit >> 8 & 1;
}
uint32_t value(uint32_t unit) {
  return unit & 0x7FFFFFFF;
}
uint32_t label(uint32_t unit) {
  return unit & 0x800000FF;
}
uint32_t offset(uint32_t unit) {
  return unit >> 10 << ((unit & 0x200) >> 6);
}

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

Charsmap::Charsmap(std::string_view blob) {
  if (blob.empty()) return;
  uint32_t size = 0;
  if (blob.size() >= 4) std::memcpy(&size, blob.data(), 4);
  if (blob.size() < 4 || size > blob.size() - 4 || size % 4 != 0 || size == 0) {
    throw Error(ErrorParts{"the normalisation rules are damaged",
                           {},
                           "a trie within " + std::to_string(blob.size()) + " bytes",
                           std::to_string(size) + " bytes",
                           {}});
  }
  units_.resize(size / 4);
  std::memcpy(units_.data(), blob.data() + 4, size);
  replacements_ = blob.substr(4 + size);
  pairs_.resize(1024);
  wide_.resize(CharacterCuts::kCodes);
  for (uint32_t c = 0; c < 256; ++c) {
    int64_t first = step(offset(units_[0]), c);
    if (first < 0) continue;
    auto node = static_cast<uint32_t>(first);
    alone_[c] = has_leaf(units_[node]);
    if (alone_[c] && (c & 0xF0) == 0xE0) std::fill_n(wide_.begin() + (c & 0x0F) * 4096, 4096, kWalk);
    for (uint32_t d = 0; d < 256; ++d) {
      int64_t second = step(node ^ offset(units_[node]), d);
      if (second < 0) continue;
      pairs_[(c << 8 | d) / 64] |= uint64_t{1} << (d % 64);
      if ((c & 0xF0) == 0xE0 && (d & 0xC0) == 0x80 && !alone_[c]) find_wide_rules(c, d, static_cast<uint32_t>(second));
    }
  }
}

// `node`: of the first two bytes.
void Charsmap::find_wide_rules(uint32_t first, uint32_t second, uint32_t node) {
  const uint32_t children = node ^ offset(units_[node]);
  for (uint32_t last = 0x80; last < 0xC0; ++last) {
    uint16_t& rule = wide_[(first & 0x0F) << 12 | (second & 0x3F) << 6 | (last & 0x3F)];
    int64_t found = step(children, last);
    if (found < 0) {
      if (has_leaf(units_[node])) rule = kWalk;
      continue;
    }
    rule = kWalk;
    auto third = static_cast<uint32_t>(found);
    bool goes_on = false;
    for (uint32_t c = 1; c < 256; ++c) goes_on |= step(third ^ offset(units_[third]), c) >= 0;
    if (goes_on || !has_leaf(units_[third]) || wide_rules_.size() + 2 >= kWalk) continue;
    const char bytes[] = {static_cast<char>(first), static_cast<char>(second), static_cast<char>(last)};
    if (auto only = walk(bytes, bytes + 3); only && only->length == 3) {
      auto at = static_cast<size_t>(only->replacement.data() - replacements_.data());
      wide_rules_.push_back({at, only->replacement.size()});
      rule = static_cast<uint16_t>(wide_rules_.size());
    }
  }
}

int64_t Charsmap::step(uint32_t children, uint32_t byte) const {
  uint32_t node = children ^ byte;
  return node < units_.size() && label(units_[node]) == byte ? int64_t{node} : -1;
}

std::optional<Charsmap::Rule> Charsmap::walk(const char* p, const char* end) const {
  if (units_.empty()) return {};
  std::optional<Rule> found;
  uint32_t node = offset(units_[0]);
  for (const char* q = p; q < end;) {
    auto c = static_cast<unsigned char>(*q++);
    node ^= c;
    if (node >= units_.size() || label(units_[node]) != c) break;
    uint32_t unit = units_[node];
    node ^= offset(unit);
    if (node >= units_.size()) break;
    if (!has_leaf(unit)) continue;
    uint32_t at = value(units_[node]);
    if (at >= replacements_.size()) continue;
    size_t stop = std::min(replacements_.find('\0', at), replacements_.size());
    found = {static_cast<size_t>(q - p), std::string_view(replacements_).substr(at, stop - at)};
  }
  return found;
}

std::string encode_base64(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    size_t have = std::min<size_t>(3, bytes.size() - i);
    for (size_t k = 0; k < 3; ++k) word = word << 8 | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out += k <= have ? kBase64[word >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::optional<std::string> decode_base64(std::string_view text) {
  static const std::array<int8_t, 256> table = [] {
    std::array<int8_t, 256> t;
    t.fill(-1);
    for (size_t i = 0; i < kBase64.size(); ++i) t[static_cast<unsigned char>(kBase64[i])] = static_cast<int8_t>(i);
    return t;
  }();
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return {};
  std::string out;
  uint32_t word = 0;
  int bits = 0;
  for (char c : text) {
    int v = table[static_cast<unsigned char>(c)];
    if (v < 0) return {};
    word = word << 6 | static_cast<uint32_t>(v);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(word >> bits & 0xFF);
    }
  }
  return out;
}

}  // namespace llmkit::tokenizer
