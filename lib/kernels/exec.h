// What every kernel is given: the thread pool and scratch memory. Kernels allocate nothing else. One Exec serves one
// caller at a time; it is not used from inside a tile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/parallel.h"

namespace llmkit::kernels {

inline constexpr size_t kAlignment = 64;

// 64-byte aligned memory in 2 MiB pages where the system grants them; contents are undefined.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t bytes);
  void* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(void* p) const;
  };
  std::unique_ptr<void, Free> data_;
  size_t size_ = 0;
};

// Scratch memory that grows to the largest request and is then reused: no allocation in the steady state.
class Workspace {
 public:
  // Valid until the next reserve().
  template <class T>
  T* reserve(int64_t count) {
    return static_cast<T*>(reserve_bytes(static_cast<size_t>(count) * sizeof(T)));
  }
  void* reserve_bytes(size_t bytes);
  size_t peak_bytes() const { return buffer_.size(); }

 private:
  AlignedBuffer buffer_;
};

struct Exec {
  Parallel& parallel;
  Workspace& workspace;
};

}  // namespace llmkit::kernels
