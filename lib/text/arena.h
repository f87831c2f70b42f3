// Bump allocation for the nodes and strings of one document: nothing is freed alone, everything goes with the arena.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace llmkit::text {

class Arena {
 public:
  void* allocate(size_t bytes, size_t alignment = alignof(std::max_align_t)) {
    size_t start = (used_ + alignment - 1) & ~(alignment - 1);
    if (start + bytes > capacity_) {
      grow(bytes);
      start = 0;
    }
    used_ = start + bytes;
    return current_ + start;
  }

  template <class T, class... Args>
  T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>, "an arena runs no destructors");
    return new (allocate(sizeof(T), alignof(T))) T{std::forward<Args>(args)...};
  }

  char* chars(size_t count) { return static_cast<char*>(allocate(count, 1)); }
  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* to = chars(text.size());
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }

 private:
  void grow(size_t bytes) {
    size_t block = std::max(bytes, blocks_.empty() ? size_t{32} << 10 : std::min(capacity_ * 2, size_t{1} << 20));
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
    current_ = blocks_.back().get();
    capacity_ = block;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* current_ = nullptr;
  size_t used_ = 0;
  size_t capacity_ = 0;
};

}  // namespace llmkit::text
