// Keys and values of one layer and one sequence, contiguous, [tokens, width] each.
#pragma once

#include "nn/batch.h"
#include "tensor/arena.h"

namespace llmkit::nn {

class KvCache : public LayerState {
 public:
  KvCache(int64_t width, DType dtype) : width_(width), dtype_(dtype) {}

  int64_t length() const override { return length_; }
  void truncate(int64_t length) override;
  std::unique_ptr<LayerState> fork() const override;
  void reserve(int64_t tokens) override;
  size_t bytes() const override { return keys_.size() + values_.size(); }

  // Appends `rows` rows that stand `stride` elements apart.
  template <class T>
  void append(const T* keys, const T* values, int64_t rows, int64_t stride);
  template <class T>
  const T* keys() const {
    return reinterpret_cast<const T*>(keys_.data());
  }
  template <class T>
  const T* values() const {
    return reinterpret_cast<const T*>(values_.data());
  }

 private:
  int64_t width_, length_ = 0, capacity_ = 0;
  DType dtype_;
  MemoryBlock keys_, values_;
};

}  // namespace llmkit::nn
