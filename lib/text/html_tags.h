// Element names as small numbers, and sets of them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace llmkit::text {

enum class Tag : uint8_t {
  unknown,
#define LLMKIT_TAG(id, name) id,
#include "text/html_tags.def"
#undef LLMKIT_TAG
  count
};

// `name` in lower case; Tag::unknown where it is none of ours.
Tag find_tag(std::string_view name);
std::string_view tag_name(Tag tag);

class TagSet {
 public:
  constexpr TagSet(std::initializer_list<Tag> tags) {
    for (Tag t : tags) bits_[static_cast<size_t>(t) / 64] |= uint64_t{1} << (static_cast<size_t>(t) % 64);
  }
  constexpr bool has(Tag t) const { return bits_[static_cast<size_t>(t) / 64] >> (static_cast<size_t>(t) % 64) & 1; }

 private:
  uint64_t bits_[4] = {};
};

}  // namespace llmkit::text
