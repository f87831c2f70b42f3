// What every kernel is given: the thread pool and scratch memory. Kernels allocate nothing else. One Exec serves one
// caller at a time; it is not used from inside a tile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

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

// Scratch memory taken and given back like a stack. It keeps what it once needed, so that the steady state allocates
// nothing.
class Workspace {
 public:
  size_t peak_bytes() const { return peak_; }

 private:
  friend class Scratch;
  void* take(size_t bytes);
  void release(size_t used);

  std::vector<AlignedBuffer> blocks_;  // the last one is being filled; earlier ones are full
  size_t block_used_ = 0;              // in the last block
  size_t used_ = 0, peak_ = 0;
};

// A scope of scratch memory: what it took is given back when it ends.
class Scratch {
 public:
  explicit Scratch(Workspace& workspace) : workspace_(workspace), used_before_(workspace.used_) {}
  ~Scratch() { workspace_.release(used_before_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // `count` elements, 64-byte aligned, undefined.
  template <class T>
  T* take(int64_t count) {
    return static_cast<T*>(workspace_.take(static_cast<size_t>(count) * sizeof(T)));
  }

 private:
  Workspace& workspace_;
  size_t used_before_;
};

struct Exec {
  Parallel& parallel;
  Workspace& workspace;
};

}  // namespace llmkit::kernels
