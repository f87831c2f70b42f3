// Tensor: a light handle to a node (shape, data, gradient) that lives in a tape's arena, or, for a parameter, in its
// ParameterStore. Copying a Tensor copies the handle. A handle is valid until the arena is released past its node;
// debug builds check that on every use.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "kernels/activation.h"
#include "tensor/shape.h"

namespace llmkit {

class Tape;
class WeightCache;  // packed copies of a parameter for the GEMMs (tensor/weight_cache.h)

struct TensorNode {
  Shape shape;
  DType dtype = DType::f32;
  bool needs_grad = false;
  bool fixed_grad = false;  // the gradient has a place of its own (a parameter, a leaf), not a buffer of the pool
  int64_t grad_used =
      -1;  // number of the record of the backward that last asked for its gradient (0 also: the forward)
  bool grad_written = false;  // false: what `grad` points at is stale, the first writer overwrites it
  bool forgotten = false;     // the value was let go and can be made again (Tape::forget)
  void* data = nullptr;       // null while planning
  size_t data_capacity = 0;   // of the pool's buffer, where the value lies in one
  void* remake = nullptr;     // closure that computes the value again
  void (*run_remake)(void*, Tape&) = nullptr;
  // Where not none: the value is this of what lies at `activated` as long as the step (null while planning).
  kernels::Activation activation = kernels::Activation::none;
  const void* activated = nullptr;
  void* grad = nullptr;      // null until the first writer asks for it
  size_t grad_capacity = 0;  // of the pool's buffer; > 0 once there is one, also while planning
  WeightCache* cache = nullptr;
  uint64_t serial = 0;  // 0 = released
};

class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(TensorNode* node) : node_(node) {
#ifndef NDEBUG
    serial_ = node->serial;
#endif
  }

  explicit operator bool() const {
    return node_ != nullptr;
  }
  const Shape& shape() const {
    return node().shape;
  }
  DType dtype() const {
    return node().dtype;
  }
  bool needs_grad() const {
    return node().needs_grad;
  }
  int64_t dim(int i) const {
    return node().shape[i];
  }
  int64_t size() const {
    return node().shape.size();
  }
  int64_t rows() const {
    return node().shape.rows();
  }
  int64_t bytes() const {
    return size() * element_bytes(dtype());
  }

  template <class T>
  T* data() const {
    check<T>();
    return static_cast<T*>(node().data);
  }
  // The gradient as it stands (after Tape::backward), null where none was written.
  template <class T>
  T* grad() const {
    check<T>();
    return node().grad_written ? static_cast<T*>(node().grad) : nullptr;
  }

  TensorNode& node() const {
#ifndef NDEBUG
    if (!node_ || node_->serial != serial_) throw Error("use of a tensor whose arena was released");
#endif
    return *node_;
  }
  friend bool operator==(const Tensor& a, const Tensor& b) {
    return a.node_ == b.node_;
  }

 private:
  template <class T>
  void check() const {
    if (dtype_of<T>() != node().dtype) throw Error("tensor element type differs from the one asked for");
  }

  TensorNode* node_ = nullptr;
#ifndef NDEBUG
  uint64_t serial_ = 0;
#endif
};

// Throws Error{op: shape of `name`: expected, found} unless the shapes are equal.
void expect_shape(const char* op, const char* name, const Tensor& tensor, const Shape& expected);

}  // namespace llmkit
