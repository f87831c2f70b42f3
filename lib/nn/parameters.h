// The parameters of a model: values and gradients in two flat blocks, so that the optimiser is one pass over memory, a
// checkpoint is a few large writes and an all-reduce is one buffer. Each parameter starts at a multiple of 64 bytes;
// the padding between them is zero and stays zero.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "tensor/arena.h"
#include "tensor/tensor.h"
#include "tensor/weight_cache.h"

namespace llmkit::nn {

enum class Init : uint8_t { zeros, ones, normal };

struct ParameterSpec {
  std::string name;  // canonical: "layers.3.attention.qkv.weight"
  Shape shape;
  Init init = Init::zeros;
  double deviation = 0.02;  // of Init::normal
  bool decay = false;       // weight decay applies (matrices; not biases, norms)
  double rate_scale = 1;    // of the learning rate (µP)
  std::vector<int64_t>
      parts{};  // rows of the matrices that stand on one another in it (q, k, v; gate, up); empty = one
};

struct Parameter : ParameterSpec {
  int64_t offset = 0;  // elements from the start of the flat blocks
  int64_t size() const { return shape.size(); }
};

using ParameterId = int32_t;
inline constexpr ParameterId kNoParameter = -1;

class ParameterStore {
 public:
  explicit ParameterStore(DType dtype = DType::f32) : dtype_(dtype) {}
  ParameterStore(const ParameterStore&) = delete;
  ParameterStore& operator=(const ParameterStore&) = delete;

  // ---- building ----
  ParameterId add(ParameterSpec spec);  // only before allocate()
  // `training` false: values only. `planning`: no memory at all, for sizing a model that need not fit.
  void allocate(bool training = true, bool planning = false);
  // A parameter's stream is named by (seed, its name): the same numbers for any order or thread count.
  void initialise(uint64_t seed, Parallel& parallel);

  // ---- use ----
  DType dtype() const { return dtype_; }
  const std::vector<Parameter>& list() const { return parameters_; }
  const Parameter& at(std::string_view name) const;  // throws Error
  ParameterId find(std::string_view name) const;     // kNoParameter where there is none
  // How a parameter is drawn and trained (init, deviation, decay, rate_scale) may change; its name and shape may not.
  ParameterSpec& settings(ParameterId id) { return parameters_[static_cast<size_t>(id)]; }
  Tensor tensor(ParameterId id) const {
    return id == kNoParameter ? Tensor() : Tensor(&nodes_[static_cast<size_t>(id)]);
  }
  int64_t count() const;                            // numbers in all parameters, padding not counted
  int64_t flat_size() const { return flat_size_; }  // elements of a flat block, padding included

  template <class T>
  std::span<T> values() {
    return {static_cast<T*>(static_cast<void*>(values_.data())), static_cast<size_t>(flat_size_)};
  }
  // Gradients nobody wrote since clear_gradients() are set to zero first.
  template <class T>
  std::span<T> gradients() {
    settle_gradients();
    return {static_cast<T*>(static_cast<void*>(gradients_.data())), static_cast<size_t>(flat_size_)};
  }
  template <class T>
  std::span<T> values(const Parameter& p) {
    return values<T>().subspan(static_cast<size_t>(p.offset), static_cast<size_t>(p.size()));
  }
  template <class T>
  std::span<T> gradients(const Parameter& p) {
    return gradients<T>().subspan(static_cast<size_t>(p.offset), static_cast<size_t>(p.size()));
  }

  std::byte* gradient_block() { return gradients_.data(); }  // as it is: what nobody wrote is stale
  void clear_gradients();  // marks them stale; the next backward overwrites, so nothing is written here
  // Exchanges the gradients with `other`, a block from new_gradient_block(): a sum is set aside without copying it.
  void swap_gradients(MemoryBlock& other);
  MemoryBlock new_gradient_block() const;  // zeroed, laid out as the store's
  void values_changed();        // after an optimiser step or a load: packed copies are made again at their next use
  size_t packed_bytes() const;  // of the packed copies made so far
  uint64_t version() const { return version_; }

 private:
  void settle_gradients();

  DType dtype_;
  std::vector<Parameter> parameters_;
  std::map<std::string, ParameterId, std::less<>> by_name_;
  std::unique_ptr<TensorNode[]> nodes_;
  std::unique_ptr<WeightCache[]> caches_;
  MemoryBlock values_, gradients_;
  int64_t flat_size_ = 0;
  uint64_t version_ = 1;
};

}  // namespace llmkit::nn
