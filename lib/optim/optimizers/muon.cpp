// Muon (Jordan et al. 2024) for the matrices inside the layers, AdamW for all else (embeddings, output matrix,
// vectors):
//   m = μ m + (1-μ) g';  u = newton_schulz((1-μ) g' + μ m);  p = p - lr·decay·p - lr·s·u
// g' = grad_scale·g. Matrices that stand on one another in a parameter (q, k, v; gate, up) are turned one by one.
// s = 0.2 √max(rows, cols) gives steps the size of AdamW's, so that both take one learning rate (Liu et al., "Muon is
// scalable for LLM training", 2025); s = √max(1, rows/cols) is Jordan's, which wants a rate of about 0.02.
#include <cmath>

#include "kernels/elementwise.h"
#include "kernels/optimizer.h"
#include "optim/newton_schulz.h"
#include "optim/optimizer.h"

namespace llmkit::optim {
namespace {

class Muon : public Optimizer {
 public:
  explicit Muon(const Values& v)
      : momentum_(v.real("momentum")),
        matrix_decay_(v.real("weight-decay")),
        matrix_rate_(v.real("rate")),
        steps_(static_cast<int>(v.integer("steps"))),
        like_adamw_(v.text("scale") == "adamw") {
    if (!like_adamw_ && v.text("scale") != "spectral")
      throw UsageError("muon: scale is adamw or spectral, found '" + v.text("scale") + "'");
    adamw_.beta1 = v.real("beta1");
    adamw_.beta2 = v.real("beta2");
    adamw_.epsilon = v.real("epsilon");
    adamw_.weight_decay = v.real("weight-decay");
  }

 protected:
  std::vector<std::string_view> own_slots() const override { return {"exp_avg", "exp_avg_sq"}; }
  bool takes_whole(const nn::Parameter& p) const override {
    return p.shape.rank() == 2 && p.name.starts_with("layers.");
  }
  bool keeps(size_t slot, const nn::Parameter& p) const override { return slot == 0 || !takes_whole(p); }

  void update(const kernels::Exec& ex, const Range& range, const StepArgs& args) override {
    dispatch(store().dtype(), [&]<class T>() {
      if (range.matrix)
        matrix_step<T>(ex, range, args);
      else
        vector_step<T>(ex, range, args);
    });
  }

 private:
  template <class T>
  void vector_step(const kernels::Exec& ex, const Range& range, const StepArgs& args) {
    kernels::AdamwOptions o = adamw_;
    o.learning_rate = args.learning_rate;
    o.grad_scale = args.grad_scale;
    o.step = args.step;
    if (!range.decay) o.weight_decay = 0;
    kernels::adamw_step<T>(ex, store().values<T>().data() + range.begin, store().gradients<T>().data() + range.begin,
                           state<T>(0).data() + range.begin, state<T>(1).data() + range.begin, range.size, o);
  }

  template <class T>
  void matrix_step(const kernels::Exec& ex, const Range& range, const StepArgs& args) {
    const nn::Parameter& p = *range.matrix;
    T *value = store().values<T>().data() + p.offset, *mean = state<T>(0).data() + p.offset;
    const T* gradient = store().gradients<T>().data() + p.offset;
    const int64_t cols = p.shape[1];
    const double rate = args.learning_rate * matrix_rate_, decay = range.decay ? matrix_decay_ : 0;
    kernels::Scratch scratch(ex.workspace);
    T* step = scratch.take<T>(p.size());
    kernels::scale<T>(ex, step, gradient, static_cast<T>(args.grad_scale), p.size());
    kernels::blend_step<T>(ex, mean, step, p.size(), 1 - momentum_);
    kernels::blend_step<T>(ex, step, mean, p.size(), momentum_);
    kernels::scale<T>(ex, value, value, static_cast<T>(1 - rate * decay), p.size());
    std::vector<int64_t> parts = p.parts.empty() ? std::vector<int64_t>{p.shape[0]} : p.parts;
    int64_t row = 0;
    for (int64_t rows : parts) {
      T* part = step + row * cols;
      newton_schulz<T>(ex, {part, rows, cols}, steps_);
      kernels::axpy<T>(ex, value + row * cols, static_cast<T>(-rate * size_of_step(rows, cols)), part, rows * cols);
      row += rows;
    }
  }

  double size_of_step(int64_t rows, int64_t cols) const {
    auto r = static_cast<double>(rows), c = static_cast<double>(cols);
    return like_adamw_ ? 0.2 * std::sqrt(std::max(r, c)) : std::sqrt(std::max(1.0, r / c));
  }

  double momentum_, matrix_decay_, matrix_rate_;
  int steps_;
  bool like_adamw_;
  kernels::AdamwOptions adamw_;
};

}  // namespace

Entry<Optimizer> optimizer_muon() {
  return {{"muon",
           "orthogonalised momentum for the matrices inside layers, AdamW for the rest",
           "Jordan et al.: Muon, 2024; Liu et al.: Muon is scalable for LLM training, 2025",
           {{"momentum", ParamType::real, "0.95", "of the matrices, in Nesterov's form", 0, 1},
            {"rate", ParamType::real, "1", "of the matrices, times the learning rate", 0, 1000},
            {"scale", ParamType::text, "adamw",
             "adamw: steps as large as AdamW's; spectral: Jordan's, for rates near 0.02"},
            {"steps", ParamType::integer, "5", "of the Newton-Schulz iteration", 1, 20},
            {"beta1", ParamType::real, "0.9", "of AdamW for the rest", 0, 1},
            {"beta2", ParamType::real, "0.95", "of AdamW for the rest", 0, 1},
            {"epsilon", ParamType::real, "1e-8", "of AdamW for the rest", 0, 1},
            {"weight-decay", ParamType::real, "0.1", "of matrices and embeddings; biases and norms have none", 0, 10}}},
          [](const Values& v) -> std::unique_ptr<Optimizer> { return std::make_unique<Muon>(v); }};
}

}  // namespace llmkit::optim
