#include "kernels/optimizer.h"

#include <cmath>

#include "kernels/optimizer_impl.h"
#include "kernels/vector_table.h"

namespace llmkit::kernels {
namespace {
constexpr int64_t kGrain = 64 * 1024;
}

template <class T>
void adamw_step(const Exec& ex, T* p, const T* g, T* m, T* v, int64_t n, const AdamwOptions& options, Bf16* copy) {
  const double t = static_cast<double>(options.step);
  AdamwCoefficients<T> c;
  c.beta1 = static_cast<T>(options.beta1);
  c.beta2 = static_cast<T>(options.beta2);
  c.one_minus_beta1 = static_cast<T>(1 - options.beta1);
  c.one_minus_beta2 = static_cast<T>(1 - options.beta2);
  c.grad_scale = static_cast<T>(options.grad_scale);
  c.decay_factor = static_cast<T>(1 - options.learning_rate * options.weight_decay);
  c.step_size = static_cast<T>(options.learning_rate / (1 - std::pow(options.beta1, t)));
  c.inverse_sqrt_correction = static_cast<T>(1 / std::sqrt(1 - std::pow(options.beta2, t)));
  c.epsilon = static_cast<T>(options.epsilon);
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(n, kGrain, [&](int64_t i, int64_t end) {
    k.adamw(p + i, g + i, m + i, v + i, copy ? copy + i : nullptr, end - i, c);
  });
}

template <class T>
void sgd_step(const Exec& ex, T* p, const T* g, T* b, int64_t n, const SgdOptions& options) {
  const T lr = static_cast<T>(options.learning_rate), momentum = static_cast<T>(options.momentum);
  const T decay = static_cast<T>(options.weight_decay), grad_scale = static_cast<T>(options.grad_scale);
  ex.parallel.for_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      T d = grad_scale * g[i] + decay * p[i];
      if (b) {
        b[i] = momentum * b[i] + d;
        d = options.nesterov ? d + momentum * b[i] : b[i];
      }
      p[i] -= lr * d;
    }
  });
}

#define LLMKIT_INSTANTIATE(T)                                                                            \
  template void adamw_step(const Exec&, T*, const T*, T*, T*, int64_t, const AdamwOptions&, Bf16*);      \
  template void sgd_step(const Exec&, T*, const T*, T*, int64_t, const SgdOptions&);
LLMKIT_INSTANTIATE(float)
LLMKIT_INSTANTIATE(double)
#undef LLMKIT_INSTANTIATE

}  // namespace llmkit::kernels
