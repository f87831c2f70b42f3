// Stochastic gradient descent with momentum (Polyak 1964; Nesterov's form: Sutskever et al. 2013), as torch.optim.SGD.
#include "kernels/optimizer.h"
#include "optim/optimizer.h"

namespace llmkit::optim {
namespace {

class Sgd : public Optimizer {
 public:
  explicit Sgd(const Values& v) {
    options_.momentum = v.real("momentum");
    options_.nesterov = v.boolean("nesterov");
    options_.weight_decay = v.real("weight-decay");
    if (options_.nesterov && options_.momentum == 0) throw UsageError("sgd: nesterov needs momentum");
  }

 protected:
  std::vector<std::string_view> own_slots() const override {
    return options_.momentum > 0 ? std::vector<std::string_view>{"momentum_buffer"} : std::vector<std::string_view>{};
  }
  void update(const kernels::Exec& ex, const Range& range, const StepArgs& args) override {
    kernels::SgdOptions o = options_;
    o.learning_rate = args.learning_rate;
    o.grad_scale = args.grad_scale;
    if (!range.decay) o.weight_decay = 0;
    dispatch(store().dtype(), [&]<class T>() {
      T* buffer = o.momentum > 0 ? state<T>(0).data() + range.begin : nullptr;
      kernels::sgd_step<T>(ex, store().values<T>().data() + range.begin, store().gradients<T>().data() + range.begin,
                           buffer, range.size, o);
    });
  }

 private:
  kernels::SgdOptions options_;
};

}  // namespace

Entry<Optimizer> optimizer_sgd() {
  return {{"sgd",
           "stochastic gradient descent with momentum",
           "Sutskever et al.: On the importance of initialization and momentum, 2013",
           {{"momentum", ParamType::real, "0", "share of the last step that goes into the next", 0, 1},
            {"nesterov", ParamType::boolean, "false", "look ahead by the momentum"},
            {"weight-decay", ParamType::real, "0", "added to the gradient of matrices and embeddings", 0, 10}}},
          [](const Values& v) -> std::unique_ptr<Optimizer> { return std::make_unique<Sgd>(v); }};
}

}  // namespace llmkit::optim
