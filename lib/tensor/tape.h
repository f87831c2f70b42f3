// The tape: the context ops run in, and the record of what to do backwards.
//
// An op checks shapes, takes its output from the arena, calls its kernel and records one closure. backward() walks the
// closures in reverse. Gradients of activations come from a pool and return to it as soon as the op that produced the
// activation has run backwards. Every op works in three modes: recording (training), not recording (inference), and
// planning, in which nothing is computed and the peak memory of the step is counted.
//
// One Tape is kept for a whole run: begin() forgets the previous step and keeps the memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "kernels/exec.h"
#include "kernels/gemm.h"
#include "tensor/arena.h"
#include "tensor/tensor.h"

namespace llmkit {

using kernels::Precision;  // of the matrix products; everything else is at least f32

struct TapeOptions {
  bool recording = true;  // false: no closures, no gradients
  bool planning = false;  // shapes only
  Precision precision = Precision::f32;
  uint64_t seed = 0;  // of the dropout streams
  // Packed copies of the weights are kept from one use to the next: worth their memory when a weight is used several
  // times between two updates (gradient accumulation). Without recording they are always kept.
  bool keep_packed = false;
};

// Where a gradient is to be put: `accumulate` false means the memory is not initialised and must be written whole.
template <class T>
struct GradSlot {
  T* data = nullptr;
  bool accumulate = false;
  explicit operator bool() const { return data != nullptr; }
};

struct TapeMemory {
  size_t activations = 0;  // peak of values and saved statistics
  size_t gradients = 0;    // buffers of activation gradients and of values that are let go
  size_t nodes = 0;        // handles and closures
  size_t workspace = 0;    // scratch of the kernels
  size_t total() const { return activations + gradients + nodes + workspace; }
};

// Is told how far a step has come. A gradient is final once no later record asks for it (TensorNode::grad_used).
class BackwardObserver {
 public:
  virtual ~BackwardObserver() = default;
  virtual void begins() = 0;             // before the forward
  virtual void ran(int64_t record) = 0;  // after each record of the backward, numbered from 0
};

class Tape {
 public:
  explicit Tape(Parallel& parallel, const TapeOptions& options = {});
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // Forgets everything recorded; `step` (with the seed) names the dropout streams of what follows.
  void begin(uint64_t step = 0);
  // Room for a step of this size in one block, from a plan; without it the arena grows during the first step.
  void reserve(size_t activation_bytes) { values_.reserve(activation_bytes); }

  Parallel& parallel() const { return parallel_; }
  const kernels::Exec& exec() const { return exec_; }
  Precision precision() const { return options_.precision; }
  bool planning() const { return options_.planning; }
  bool recording() const { return options_.recording && paused_ == 0; }
  uint64_t seed() const { return options_.seed; }
  uint64_t step() const { return step_; }
  bool keeps_packed() const { return options_.keep_packed || !options_.recording; }
  TapeMemory peak() const;
  size_t memory_in_use() const { return values_.used(); }

  // ---- for the caller ----
  // A constant, copied into the arena.
  template <class T>
  Tensor constant(const Shape& shape, const T* values) {
    Tensor t = output(shape, dtype_of<T>(), false);
    if (!planning()) std::memcpy(t.data<T>(), values, static_cast<size_t>(t.bytes()));
    return t;
  }
  // An input that gets a gradient, readable after backward(); its values are the caller's to fill in.
  Tensor leaf(const Shape& shape, DType dtype);
  // Runs the record in reverse from a scalar whose gradient is `seed_gradient`.
  void backward(const Tensor& loss, double seed_gradient = 1.0);
  void observe_backward(BackwardObserver* observer) { backward_observer_ = observer; }  // null: nobody

  // Lets the value of `x` go after its last use in the forward, if its op can make it again; the backward does so when
  // it needs the value. Cheap elementwise outputs (norms, activations) are a third of a block's memory.
  void forget(const Tensor& x);
  // With bf16 products: rounds x to bf16 in place, as the products do with what they read, and keeps the rounded values
  // in half the memory to make it again from, should it be forgotten. For what only products, attention and gated units
  // read. In other precisions nothing happens.
  void compact(const Tensor& x);
  // Gives back the buffer of a value that nobody, the backward included, is going to read again.
  void let_go(const Tensor& x) { drop_value(x); }
  // y = forward(tape, x), of x's shape, none of whose intermediate values are kept: the backward runs `forward` again
  // (Chen et al., "Training deep nets with sublinear memory cost", 2016). `forward` is copied into the arena, and what
  // it points at must live as long as the step. The gradients are the same bits as without.
  template <class F>
  Tensor checkpoint(const Tensor& x, F forward) {
    if (!recording()) return forward(*this, x);
    Tensor y = output(x.shape(), x.dtype(), true);
    {
      Scope scope(*this);
      Pause pause(*this);
      Tensor inner = forward(*this, x);
      if (!planning()) std::memcpy(y.node().data, inner.node().data, static_cast<size_t>(y.bytes()));
    }
    record(y, [y, x, forward](Tape& tape) {
      Scope scope(tape);
      size_t first_record = tape.records_.size();
      int paused = std::exchange(tape.paused_, 0);
      Tensor again = forward(tape, x);
      tape.paused_ = paused;
      tape.pass_gradient(y, again);
      tape.run_back_to(first_record);
    });
    return y;
  }

  // Everything allocated while a Scope lives is released at its end; what was recorded inside is forgotten.
  class Scope {
   public:
    explicit Scope(Tape& tape)
        : tape_(tape), values_(tape.values_.mark()), nodes_(tape.nodes_.mark()), first_record_(tape.records_.size()) {}
    ~Scope() { tape_.release(values_, nodes_, first_record_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Tape& tape_;
    Arena::Mark values_, nodes_;
    size_t first_record_;
  };
  // No recording while it lives.
  class Pause {
   public:
    explicit Pause(Tape& tape) : tape_(tape) { ++tape_.paused_; }
    ~Pause() { --tape_.paused_; }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    Tape& tape_;
  };

  // ---- statistics ----
  // Who is shown the state behind each layer while a step runs (not a copy: it may be overwritten later); null =
  // nobody.
  using Observer = std::function<void(int64_t layer, const Tensor& state)>;
  void set_observer(Observer observer) { observer_ = std::move(observer); }
  void show(int64_t layer, const Tensor& state) const {
    if (observer_ && !planning()) observer_(layer, state);
  }

  // ---- for ops ----
  // A new tensor; it needs a gradient if it is being recorded and one of `inputs` does (empty handles are skipped).
  Tensor output(const Shape& shape, DType dtype, std::initializer_list<Tensor> inputs);
  Tensor output(const Shape& shape, DType dtype, bool needs_grad);
  // A tensor over the memory of `of`, for an op that works in place.
  Tensor alias(const Tensor& of, std::initializer_list<Tensor> inputs);
  // The same elements in another shape.
  Tensor view(const Tensor& of, const Shape& shape);
  // Memory that lives as long as the step (saved statistics, index copies). Null while planning.
  template <class T>
  T* save(int64_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return static_cast<T*>(values_.allocate(static_cast<size_t>(count) * sizeof(T)));
  }
  template <class T>
  const T* save_copy(const T* values, int64_t count) {
    T* copy = save<T>(count);
    if (copy && values) std::memcpy(copy, values, static_cast<size_t>(count) * sizeof(T));
    return copy;
  }
  // An output that the op can compute again: `remake(y, f)` says how. It lies in a buffer that forget() gives back.
  Tensor transient_output(const Shape& shape, DType dtype, std::initializer_list<Tensor> inputs);
  // An output that may be made compact or let go where that is going to save memory: with bf16 products.
  Tensor compact_output(const Shape& shape, DType dtype, std::initializer_list<Tensor> inputs) {
    return compacts(dtype) ? transient_output(shape, dtype, inputs) : output(shape, dtype, inputs);
  }
  bool compacts(DType dtype) const { return dtype == DType::f32 && options_.precision == Precision::bf16; }
  template <class F>
  void remake(const Tensor& y, F f) {
    static_assert(std::is_trivially_copyable_v<F> && std::is_trivially_destructible_v<F>);
    if (y.node().data_capacity == 0) return;
    y.node().remake = new (nodes_.allocate(sizeof(F))) F(f);
    y.node().run_remake = [](void* closure, Tape& tape) { (*static_cast<F*>(closure))(tape); };
  }
  // The value of an input, inside a backward: made again if it was let go. Null while planning.
  template <class T>
  const T* value(const Tensor& x) {
    restore(x);
    return planning() ? nullptr : x.data<T>();
  }
  // Scratch memory that a kernel is going to take, for the plan.
  void plan_workspace(size_t bytes) { planned_workspace_ = std::max(planned_workspace_, bytes); }
  // A small record that lives as long as the step, also while planning.
  template <class X>
  const X& keep(const X& x) {
    static_assert(std::is_trivially_copyable_v<X> && std::is_trivially_destructible_v<X>);
    return *new (nodes_.allocate(sizeof(X))) X(x);
  }
  // Records the backward of an op with these outputs. `f(Tape&)` is run if a gradient has reached the first output;
  // it is copied into the arena, so it may capture handles, pointers and numbers only.
  template <class F>
  void record(const Tensor& output, F f) {
    static_assert(std::is_trivially_copyable_v<F> && std::is_trivially_destructible_v<F>,
                  "a backward closure holds handles and numbers only");
    if (!recording() || !output.needs_grad()) return;
    void* place = nodes_.allocate(sizeof(F));
    records_.push_back(
        {new (place) F(f), [](void* closure, Tape& tape) { (*static_cast<F*>(closure))(tape); }, output});
  }
  // The gradient of an op's output, inside its backward.
  template <class T>
  const T* upstream(const Tensor& output) const {
    return planning() ? nullptr : output.grad<T>();
  }
  // The same, for an op that turns it into its input's gradient in place and then calls pass_gradient().
  template <class T>
  T* upstream_in_place(const Tensor& output) const {
    return planning() ? nullptr : output.grad<T>();
  }
  // Where to put the gradient of an input; empty if it needs none (and while planning, after counting it).
  template <class T>
  GradSlot<T> gradient(const Tensor& input) {
    if (!input || !prepare_gradient(input)) return {};
    GradSlot<T> slot{static_cast<T*>(input.node().grad), input.node().grad_written};
    input.node().grad_written = true;
    input.node().grad_used = ran_;
    return planning() ? GradSlot<T>{} : slot;
  }
  // The same for kernels that only accumulate: cleared at the first use.
  template <class T>
  T* gradient_sum(const Tensor& input) {
    GradSlot<T> slot = gradient<T>(input);
    if (slot && !slot.accumulate) clear(slot.data, input.dtype(), input.size());
    return slot.data;
  }
  // The gradient of `output` is also that of `input` (a residual branch): hands the buffer over where nothing was
  // written yet, else adds. To be called last in a backward: the output's gradient is gone afterwards.
  void pass_gradient(const Tensor& output, const Tensor& input);

 private:
  friend class Scope;
  friend class Pause;
  struct Record {
    void* closure;
    void (*run)(void*, Tape&);
    Tensor output;
  };

  bool prepare_gradient(const Tensor& input);
  void drop_gradient(const Tensor& output);
  void drop_value(const Tensor& output);
  void restore(const Tensor& x);
  Tensor node(const Shape& shape, DType dtype, bool needs_grad, void* data);
  void clear(void* data, DType dtype, int64_t size);
  void run_back_to(size_t first_record);
  void drop_records_from(size_t first_record);
  void release(const Arena::Mark& values, const Arena::Mark& nodes, size_t first_record);

  Parallel& parallel_;
  kernels::Workspace workspace_;
  kernels::Exec exec_{parallel_, workspace_};
  TapeOptions options_;
  Arena values_;
  Arena nodes_;
  BufferPool gradients_;
  std::vector<Record> records_;
  Observer observer_;
  uint64_t step_ = 0;
  uint64_t next_serial_ = 1;
  int paused_ = 0;
  size_t planned_workspace_ = 0;
  int64_t ran_ = 0;  // records of the backward since begin()
  BackwardObserver* backward_observer_ = nullptr;
};

}  // namespace llmkit
