// Lion (Chen et al. 2023); the equation: kernels/optimizer.h. Its steps all have the size of the learning rate, so that
// it wants a rate 3 to 10 times lower than AdamW's, and a decay as much higher.
#include "kernels/optimizer.h"
#include "optim/optimizer.h"

namespace llmkit::optim {
namespace {

class Lion : public Optimizer {
 public:
  explicit Lion(const Values& v) {
    options_.beta1 = v.real("beta1");
    options_.beta2 = v.real("beta2");
    options_.weight_decay = v.real("weight-decay");
  }

 protected:
  std::vector<std::string_view> own_slots() const override { return {"exp_avg"}; }
  void update(const kernels::Exec& ex, const Range& range, const StepArgs& args) override {
    kernels::LionOptions o = options_;
    o.learning_rate = args.learning_rate;
    o.grad_scale = args.grad_scale;
    if (!range.decay) o.weight_decay = 0;
    dispatch(store().dtype(), [&]<class T>() {
      kernels::lion_step<T>(ex, store().values<T>().data() + range.begin, store().gradients<T>().data() + range.begin,
                            state<T>(0).data() + range.begin, range.size, o);
    });
  }

 private:
  kernels::LionOptions options_;
};

}  // namespace

Entry<Optimizer> optimizer_lion() {
  return {
      {"lion",
       "the sign of a momentum: one number of state per weight",
       "Chen et al.: Symbolic discovery of optimization algorithms, 2023",
       {{"beta1", ParamType::real, "0.9", "share of the momentum in the step's direction", 0, 1},
        {"beta2", ParamType::real, "0.99", "decay of the momentum", 0, 1},
        {"weight-decay", ParamType::real, "1.0", "of matrices and embeddings; biases and norms have none", 0, 100}}},
      [](const Values& v) -> std::unique_ptr<Optimizer> { return std::make_unique<Lion>(v); }};
}

}  // namespace llmkit::optim
