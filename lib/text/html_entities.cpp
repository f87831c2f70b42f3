#include "text/html_entities.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include "text/utf8.h"

namespace llmkit::text {
namespace {

struct Entity {
  std::string_view name, value;
};

constexpr Entity kEntities[] = {
#define LLMKIT_ENTITY(name, value) {name, value},
#include "text/html_entities.def"
#undef LLMKIT_ENTITY
};
constexpr size_t kLongestName = 32;

// What the code points 0x80-0x9F of a numeric reference mean (windows-1252).
constexpr std::array<uint16_t, 32> kC1 = {0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                          0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                          0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                          0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

bool alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int digit(char c, int base) {
  if (c >= '0' && c <= '9') return c - '0';
  if (base == 16 && c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (base == 16 && c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

size_t decode_number(std::string_view after, char* out, size_t& written) {
  size_t i = 1;
  int base = 10;
  if (i < after.size() && (after[i] == 'x' || after[i] == 'X')) {
    base = 16;
    ++i;
  }
  size_t first = i;
  char32_t code = 0;
  for (; i < after.size(); ++i) {
    int d = digit(after[i], base);
    if (d < 0) break;
    code = std::min<char32_t>(code * base + d, 0x110000);  // saturates: a million digits are no overflow
  }
  if (i == first) return 0;
  if (i < after.size() && after[i] == ';') ++i;
  if (code >= 0x80 && code <= 0x9F) code = kC1[code - 0x80];
  if (code == 0) code = kReplacement;
  written = encode_utf8(code, out);
  return i;
}

const Entity* find_entity(std::string_view name) {
  auto* it = std::lower_bound(std::begin(kEntities), std::end(kEntities), name,
                              [](const Entity& e, std::string_view n) { return e.name < n; });
  return it != std::end(kEntities) && it->name == name ? it : nullptr;
}

}  // namespace

size_t decode_entity(std::string_view after, bool in_attribute, char* out, size_t& written) {
  if (after.empty()) return 0;
  if (after[0] == '#') return decode_number(after, out, written);
  size_t length = 0;
  while (length < after.size() && length < kLongestName && alphanumeric(after[length])) ++length;
  if (length == 0) return 0;
  if (length < after.size() && after[length] == ';') ++length;
  for (; length >= 2; --length) {  // the longest name that matches
    const Entity* entity = find_entity(after.substr(0, length));
    if (entity == nullptr) continue;
    if (in_attribute && after[length - 1] != ';' && length < after.size() &&
        (after[length] == '=' || alphanumeric(after[length])))
      return 0;  // "?a=1&copy=2" in a link stays as it is
    std::memcpy(out, entity->value.data(), entity->value.size());
    written = entity->value.size();
    return length;
  }
  return 0;
}

std::string_view decode_entities(std::string_view text, bool in_attribute, Arena& arena) {
  if (text.empty()) return text;
  const char* first = static_cast<const char*>(std::memchr(text.data(), '&', text.size()));
  if (first == nullptr) return text;
  // A value is at most 6/5 as long as its name ("&nGt;" is 5 bytes for 6); decode_entity writes at most 8 at once.
  char* start = arena.chars(text.size() + text.size() / 4 + 8);
  char* to = start;
  const char* from = text.data();
  const char* end = from + text.size();
  for (const char* amp = first; amp != nullptr;) {
    to = std::copy(from, amp, to);
    size_t written = 0;
    size_t used = decode_entity({amp + 1, static_cast<size_t>(end - amp - 1)}, in_attribute, to, written);
    if (used == 0) *to = '&';
    to += used == 0 ? 1 : written;
    from = amp + 1 + used;
    amp = from < end ? static_cast<const char*>(std::memchr(from, '&', end - from)) : nullptr;
  }
  to = std::copy(from, end, to);
  return {start, static_cast<size_t>(to - start)};
}

std::string decode_entities(std::string_view text) {
  Arena arena;
  return std::string(decode_entities(text, false, arena));
}

}  // namespace llmkit::text
