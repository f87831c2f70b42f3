#include "nn/kv_cache.h"

#include <algorithm>
#include <cstring>

namespace llmkit::nn {

void KvCache::truncate(int64_t length) {
  if (length < 0 || length > length_)
    throw Error("a cache of " + std::to_string(length_) + " tokens cannot be cut to " + std::to_string(length));
  length_ = length;
}

void KvCache::reserve(int64_t tokens) {
  if (tokens <= capacity_) return;
  size_t row = static_cast<size_t>(width_ * element_bytes(dtype_));
  MemoryBlock keys(row * static_cast<size_t>(tokens)), values(row * static_cast<size_t>(tokens));
  if (length_ > 0) {
    std::memcpy(keys.data(), keys_.data(), row * static_cast<size_t>(length_));
    std::memcpy(values.data(), values_.data(), row * static_cast<size_t>(length_));
  }
  keys_ = std::move(keys);
  values_ = std::move(values);
  capacity_ = tokens;
}

std::unique_ptr<LayerState> KvCache::fork() const {
  auto copy = std::make_unique<KvCache>(width_, dtype_);
  copy->reserve(capacity_);
  size_t used = static_cast<size_t>(length_ * width_ * element_bytes(dtype_));
  if (used > 0) {
    std::memcpy(copy->keys_.data(), keys_.data(), used);
    std::memcpy(copy->values_.data(), values_.data(), used);
  }
  copy->length_ = length_;
  return copy;
}

template <class T>
void KvCache::append(const T* keys, const T* values, int64_t rows, int64_t stride) {
  constexpr int64_t kFirstCapacity = 64;
  if (length_ + rows > capacity_) reserve(std::max({kFirstCapacity, 2 * capacity_, length_ + rows}));
  T* k = reinterpret_cast<T*>(keys_.data()) + length_ * width_;
  T* v = reinterpret_cast<T*>(values_.data()) + length_ * width_;
  for (int64_t r = 0; r < rows; ++r) {
    std::copy_n(keys + r * stride, width_, k + r * width_);
    std::copy_n(values + r * stride, width_, v + r * width_);
  }
  length_ += rows;
}

template void KvCache::append<float>(const float*, const float*, int64_t, int64_t);
template void KvCache::append<double>(const double*, const double*, int64_t, int64_t);

}  // namespace llmkit::nn
