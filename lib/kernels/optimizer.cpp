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
  SgdCoefficients<T> c;
  c.rate = static_cast<T>(options.learning_rate);
  c.momentum = static_cast<T>(options.momentum);
  c.decay = static_cast<T>(options.weight_decay);
  c.grad_scale = static_cast<T>(options.grad_scale);
  c.nesterov = options.nesterov;
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(n, kGrain,
                         [&](int64_t i, int64_t end) { k.sgd(p + i, g + i, b ? b + i : nullptr, end - i, c); });
}

template <class T>
void lion_step(const Exec& ex, T* p, const T* g, T* m, int64_t n, const LionOptions& options) {
  LionCoefficients<T> c;
  c.rate = static_cast<T>(options.learning_rate);
  c.beta1 = static_cast<T>(options.beta1);
  c.beta2 = static_cast<T>(options.beta2);
  c.one_minus_beta1 = static_cast<T>(1 - options.beta1);
  c.one_minus_beta2 = static_cast<T>(1 - options.beta2);
  c.grad_scale = static_cast<T>(options.grad_scale);
  c.decay_factor = static_cast<T>(1 - options.learning_rate * options.weight_decay);
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(n, kGrain, [&](int64_t i, int64_t end) { k.lion(p + i, g + i, m + i, end - i, c); });
}

template <class T>
void blend_step(const Exec& ex, T* average, const T* p, int64_t n, double share) {
  const auto& k = vector_kernels<T>();
  ex.parallel.for_ranges(n, kGrain,
                         [&](int64_t i, int64_t end) { k.blend(average + i, p + i, static_cast<T>(share), end - i); });
}

#define LLMKIT_INSTANTIATE(T)                                                                       \
  template void adamw_step(const Exec&, T*, const T*, T*, T*, int64_t, const AdamwOptions&, Bf16*); \
  template void sgd_step(const Exec&, T*, const T*, T*, int64_t, const SgdOptions&);                \
  template void lion_step(const Exec&, T*, const T*, T*, int64_t, const LionOptions&);              \
  template void blend_step(const Exec&, T*, const T*, int64_t, double);
LLMKIT_INSTANTIATE(float)
LLMKIT_INSTANTIATE(double)
#undef LLMKIT_INSTANTIATE

}  // namespace llmkit::kernels
