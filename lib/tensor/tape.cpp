#include "tensor/tape.h"

#include <algorithm>
#include <new>
#include <utility>

#include "kernels/elementwise.h"

namespace llmkit {

Tape::Tape(Parallel& parallel, const TapeOptions& options)
    : parallel_(parallel),
      options_(options),
      values_(size_t{16} << 20, options.planning),
      nodes_(size_t{256} << 10),
      gradients_(options.planning) {}

void Tape::begin(uint64_t step) {
  drop_records_from(0);
  values_.release({});
  nodes_.release({});
  step_ = step;
  ran_ = 0;
  if (backward_observer_) backward_observer_->begins();
}

TapeMemory Tape::peak() const {
  return {values_.peak(), gradients_.held(), nodes_.peak(), planning() ? planned_workspace_ : workspace_.peak_bytes()};
}

Tensor Tape::output(const Shape& shape, DType dtype, std::initializer_list<Tensor> inputs) {
  bool needs =
      recording() && std::any_of(inputs.begin(), inputs.end(), [](const Tensor& t) { return t && t.needs_grad(); });
  return output(shape, dtype, needs);
}

Tensor Tape::output(const Shape& shape, DType dtype, bool needs_grad) {
  void* data = values_.allocate(static_cast<size_t>(shape.size() * element_bytes(dtype)));
  return node(shape, dtype, needs_grad, data);
}

Tensor Tape::transient_output(const Shape& shape, DType dtype, std::initializer_list<Tensor> inputs) {
  bool needs =
      recording() && std::any_of(inputs.begin(), inputs.end(), [](const Tensor& t) { return t && t.needs_grad(); });
  if (!needs) return output(shape, dtype, false);
  BufferPool::Buffer buffer = gradients_.take(static_cast<size_t>(shape.size() * element_bytes(dtype)));
  Tensor y = node(shape, dtype, true, buffer.data);
  y.node().data_capacity = buffer.capacity;
  return y;
}

void Tape::forget(const Tensor& x) {
  TensorNode& node = x.node();
  if (!node.remake || node.forgotten) return;
  drop_value(x);
  node.forgotten = true;
}

void Tape::compact(const Tensor& x) {
  if (!compacts(x.dtype())) return;
  kernels::Bf16* copy = x.node().data_capacity > 0 ? save<kernels::Bf16>(x.size()) : nullptr;
  if (!planning()) kernels::activate_rounded(exec_, kernels::Activation::none, x.data<float>(), copy, x.size());
  remake(x, [x, copy](Tape& t) {
    if (!t.planning()) kernels::convert(t.exec(), x.data<float>(), copy, x.size());
  });
}

void Tape::restore(const Tensor& x) {
  TensorNode& node = x.node();
  if (!node.forgotten) return;
  BufferPool::Buffer buffer = gradients_.take(static_cast<size_t>(x.bytes()));
  node.data = buffer.data;
  node.data_capacity = buffer.capacity;
  node.forgotten = false;
  node.run_remake(node.remake, *this);
}

void Tape::drop_value(const Tensor& output) {
  TensorNode& node = output.node();
  if (node.data_capacity == 0) return;
  gradients_.give_back({node.data, node.data_capacity});
  node.data = nullptr;
  node.data_capacity = 0;
}

Tensor Tape::leaf(const Shape& shape, DType dtype) {
  Tensor t = output(shape, dtype, recording());
  t.node().fixed_grad = true;
  t.node().grad = values_.allocate(static_cast<size_t>(t.bytes()));
  return t;
}

Tensor Tape::alias(const Tensor& of, std::initializer_list<Tensor> inputs) {
  bool needs =
      recording() && std::any_of(inputs.begin(), inputs.end(), [](const Tensor& t) { return t && t.needs_grad(); });
  Tensor y = node(of.shape(), of.dtype(), needs, of.node().data);
  y.node().data_capacity = std::exchange(of.node().data_capacity, 0);  // the buffer is the later one's to give back
  return y;
}

Tensor Tape::view(const Tensor& of, const Shape& shape) {
  if (shape.size() != of.size())
    throw Error({.what = "view of another size",
                 .where = {},
                 .expected = of.shape().text(),
                 .found = shape.text(),
                 .hint = {}});
  Tensor y = node(shape, of.dtype(), recording() && of.needs_grad(), of.node().data);
  record(y, [y, of](Tape& tape) { tape.pass_gradient(y, of); });
  return y;
}

Tensor Tape::node(const Shape& shape, DType dtype, bool needs_grad, void* data) {
  auto* node = new (nodes_.allocate(sizeof(TensorNode))) TensorNode;
  node->shape = shape;
  node->dtype = dtype;
  node->needs_grad = needs_grad;
  node->data = data;
  node->serial = next_serial_++;
  return Tensor(node);
}

void Tape::backward(const Tensor& loss, double seed_gradient) {
  if (loss.size() != 1) throw Error("backward() starts from a scalar, found " + loss.shape().text());
  if (!loss.needs_grad()) throw Error("backward() of a tensor that depends on no parameter");
  Pause pause(*this);  // what runs backwards is not recorded again
  prepare_gradient(loss);
  loss.node().grad_written = true;
  if (!planning())
    dispatch(loss.dtype(), [&]<class T>() { *static_cast<T*>(loss.node().grad) = static_cast<T>(seed_gradient); });
  run_back_to(0);
}

void Tape::run_back_to(size_t first_record) {
  while (records_.size() > first_record) {
    Record record = records_.back();
    records_.pop_back();
    if (record.output.node().grad_written) record.run(record.closure, *this);
    drop_gradient(record.output);
    drop_value(record.output);
    if (backward_observer_) backward_observer_->ran(ran_);
    ++ran_;
  }
}

bool Tape::prepare_gradient(const Tensor& input) {
  TensorNode& node = input.node();
  if (!node.needs_grad) return false;
  if (node.fixed_grad || node.grad_capacity > 0) return true;
  BufferPool::Buffer buffer = gradients_.take(static_cast<size_t>(input.bytes()));
  node.grad = buffer.data;
  node.grad_capacity = buffer.capacity;
  return true;
}

void Tape::drop_gradient(const Tensor& output) {
  TensorNode& node = output.node();
  if (node.fixed_grad || node.grad_capacity == 0) return;
  gradients_.give_back({node.grad, node.grad_capacity});
  node.grad = nullptr;
  node.grad_capacity = 0;
  node.grad_written = false;
}

void Tape::pass_gradient(const Tensor& output, const Tensor& input) {
  if (!input || !input.needs_grad()) return;
  TensorNode &from = output.node(), &to = input.node();
  if (!to.fixed_grad && to.grad_capacity == 0) {
    to.grad = std::exchange(from.grad, nullptr);
    to.grad_capacity = std::exchange(from.grad_capacity, 0);
    to.grad_written = true;
    return;
  }
  dispatch(input.dtype(), [&]<class T>() {
    const T* dy = upstream<T>(output);
    GradSlot<T> slot = gradient<T>(input);
    if (!slot) return;
    if (slot.accumulate)
      kernels::add_to<T>(exec_, slot.data, dy, input.size());
    else
      kernels::copy<T>(exec_, slot.data, dy, input.size());
  });
}

void Tape::clear(void* data, DType dtype, int64_t size) {
  dispatch(dtype, [&]<class T>() { kernels::fill<T>(exec_, static_cast<T*>(data), T(0), size); });
}

void Tape::drop_records_from(size_t first_record) {
  for (; records_.size() > first_record; records_.pop_back()) {
    drop_gradient(records_.back().output);
    drop_value(records_.back().output);
  }
}

void Tape::release(const Arena::Mark& values, const Arena::Mark& nodes, size_t first_record) {
  drop_records_from(first_record);
  values_.release(values);
  nodes_.release(nodes);
}

}  // namespace llmkit
