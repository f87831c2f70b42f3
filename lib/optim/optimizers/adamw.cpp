// AdamW (Kingma and Ba 2015; decoupled decay: Loshchilov and Hutter 2019); the equation: kernels/optimizer.h
#include "kernels/optimizer.h"
#include "optim/optimizer.h"

namespace llmkit::optim {
namespace {

class Adamw : public Optimizer {
 public:
  explicit Adamw(const Values& v) {
    options_.beta1 = v.real("beta1");
    options_.beta2 = v.real("beta2");
    options_.epsilon = v.real("epsilon");
    options_.weight_decay = v.real("weight-decay");
  }

 protected:
  std::vector<std::string_view> own_slots() const override { return {"exp_avg", "exp_avg_sq"}; }
  void update(const kernels::Exec& ex, const Range& range, const StepArgs& args) override {
    kernels::AdamwOptions o = options_;
    o.learning_rate = args.learning_rate;
    o.grad_scale = args.grad_scale;
    o.step = args.step;
    if (!range.decay) o.weight_decay = 0;
    dispatch(store().dtype(), [&]<class T>() {
      kernels::adamw_step<T>(ex, store().values<T>().data() + range.begin, store().gradients<T>().data() + range.begin,
                             state<T>(0).data() + range.begin, state<T>(1).data() + range.begin, range.size, o);
    });
  }

 private:
  kernels::AdamwOptions options_;
};

}  // namespace

Entry<Optimizer> optimizer_adamw() {
  return {{"adamw",
           "Adam with weight decay apart from the gradient",
           "Loshchilov, Hutter: Decoupled weight decay regularization, 2019",
           {{"beta1", ParamType::real, "0.9", "decay of the mean of gradients", 0, 1},
            {"beta2", ParamType::real, "0.95", "decay of the mean of squared gradients", 0, 1},
            {"epsilon", ParamType::real, "1e-8", "added to the root of the mean square", 0, 1},
            {"weight-decay", ParamType::real, "0.1", "of matrices and embeddings; biases and norms have none", 0, 10}}},
          [](const Values& v) -> std::unique_ptr<Optimizer> { return std::make_unique<Adamw>(v); }};
}

}  // namespace llmkit::optim
