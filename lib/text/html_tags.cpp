#include "text/html_tags.h"

#include <array>

namespace llmkit::text {
namespace {

constexpr std::string_view kNames[] = {
    "",
#define LLMKIT_TAG(id, name) name,
#include "text/html_tags.def"
#undef LLMKIT_TAG
};
static_assert(std::size(kNames) == static_cast<size_t>(Tag::count) && std::size(kNames) < 256);

constexpr size_t kSlots = 1024;

constexpr size_t hash(std::string_view name) {
  uint32_t h = 2166136261u;
  for (char c : name) h = (h ^ static_cast<unsigned char>(c)) * 16777619u;
  return (h ^ h >> 15) % kSlots;
}

constexpr std::array<uint8_t, kSlots> make_table() {
  std::array<uint8_t, kSlots> table{};
  for (size_t i = 1; i < std::size(kNames); ++i) {
    size_t slot = hash(kNames[i]);
    while (table[slot] != 0) slot = (slot + 1) % kSlots;
    table[slot] = static_cast<uint8_t>(i);
  }
  return table;
}

constexpr std::array<uint8_t, kSlots> kTable = make_table();

}  // namespace

Tag find_tag(std::string_view name) {
  if (name.empty() || name.size() > 14) return Tag::unknown;
  for (size_t slot = hash(name); kTable[slot] != 0; slot = (slot + 1) % kSlots)
    if (kNames[kTable[slot]] == name) return static_cast<Tag>(kTable[slot]);
  return Tag::unknown;
}

std::string_view tag_name(Tag tag) {
  return kNames[static_cast<size_t>(tag)];
}

}  // namespace llmkit::text
