#include "nn/parameters.h"

#include <cstring>

#include "base/rng.h"

namespace llmkit::nn {
namespace {

constexpr int64_t kAlignElements = 16;  // 64 bytes of floats
constexpr int64_t kInitTile = 1 << 14;

uint64_t name_hash(std::string_view name) {  // FNV-1a: only names a random stream
  uint64_t h = 0xcbf29ce484222325;
  for (unsigned char c : name) h = (h ^ c) * 0x100000001b3;
  return h;
}

}  // namespace

ParameterId ParameterStore::add(ParameterSpec spec) {
  if (nodes_) throw Error("a parameter cannot be added after allocate()");
  if (find(spec.name) != kNoParameter) throw Error("two parameters named " + spec.name);
  Parameter p;
  static_cast<ParameterSpec&>(p) = std::move(spec);
  p.offset = flat_size_;
  flat_size_ += (p.size() + kAlignElements - 1) / kAlignElements * kAlignElements;
  auto id = static_cast<ParameterId>(parameters_.size());
  by_name_.emplace(p.name, id);
  parameters_.push_back(std::move(p));
  return id;
}

void ParameterStore::allocate(bool training, bool planning) {
  auto bytes = static_cast<size_t>(flat_size_ * element_bytes(dtype_));
  if (!planning) {
    values_ = MemoryBlock(bytes);
    std::memset(values_.data(), 0, bytes);
    if (training) {
      gradients_ = MemoryBlock(bytes);
      std::memset(gradients_.data(), 0, bytes);
    }
  }
  nodes_ = std::make_unique<TensorNode[]>(parameters_.size());
  caches_ = std::make_unique<WeightCache[]>(parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& p = parameters_[i];
    TensorNode& node = nodes_[i];
    auto offset = p.offset * element_bytes(dtype_);
    node.shape = p.shape;
    node.dtype = dtype_;
    node.needs_grad = training;
    node.fixed_grad = true;
    node.serial = 1;
    if (!planning) node.data = values_.data() + offset;
    if (!planning && training) node.grad = gradients_.data() + offset;
    if (p.shape.rank() == 2 && dtype_ == DType::f32) node.cache = &caches_[i];
  }
}

void ParameterStore::initialise(uint64_t seed, Parallel& parallel) {
  for (const Parameter& p : parameters_) {
    uint64_t key = stream_key({seed, name_hash(p.name)});
    dispatch(dtype_, [&]<class T>() {
      T* out = values<T>(p).data();
      parallel.for_ranges(p.size(), kInitTile, [&](int64_t begin, int64_t end) {
        if (p.init != Init::normal) {
          std::fill(out + begin, out + end, p.init == Init::ones ? T(1) : T(0));
          return;
        }
        Rng rng(key, static_cast<uint64_t>(begin) * 4);  // a normal takes four words
        for (int64_t i = begin; i < end; ++i) out[i] = static_cast<T>(p.deviation * rng.normal());
      });
    });
  }
  values_changed();
}

ParameterId ParameterStore::find(std::string_view name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? kNoParameter : found->second;
}

const Parameter& ParameterStore::at(std::string_view name) const {
  ParameterId id = find(name);
  if (id == kNoParameter) throw Error("no parameter named " + std::string(name));
  return parameters_[static_cast<size_t>(id)];
}

int64_t ParameterStore::count() const {
  int64_t n = 0;
  for (const Parameter& p : parameters_) n += p.size();
  return n;
}

void ParameterStore::clear_gradients() {
  for (size_t i = 0; i < parameters_.size(); ++i) nodes_[i].grad_written = false;
}

void ParameterStore::settle_gradients() {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    TensorNode& node = nodes_[i];
    if (node.grad_written || !node.grad) continue;
    std::memset(node.grad, 0, static_cast<size_t>(parameters_[i].size() * element_bytes(dtype_)));
    node.grad_written = true;
  }
}

MemoryBlock ParameterStore::new_gradient_block() const {
  MemoryBlock block(static_cast<size_t>(flat_size_ * element_bytes(dtype_)));
  std::memset(block.data(), 0, block.size());
  return block;
}

void ParameterStore::swap_gradients(MemoryBlock& other) {
  settle_gradients();
  std::swap(gradients_, other);
  for (size_t i = 0; i < parameters_.size(); ++i)
    nodes_[i].grad = gradients_.data() + parameters_[i].offset * element_bytes(dtype_);
}

void ParameterStore::values_changed() {
  ++version_;
  for (size_t i = 0; i < parameters_.size(); ++i) caches_[i].stale();
}

size_t ParameterStore::packed_bytes() const {
  size_t bytes = 0;
  for (size_t i = 0; i < parameters_.size(); ++i) bytes += caches_[i].bytes();
  return bytes;
}

}  // namespace llmkit::nn
