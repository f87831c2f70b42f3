#include "optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/optimizer.h"
#include "kernels/reduce.h"

namespace llmkit::optim {

#define LLMKIT_OPTIMIZER(name) Entry<Optimizer> optimizer_##name();
#include "optim/optimizers.def"
#undef LLMKIT_OPTIMIZER

const Registry<Optimizer>& optimizers() {
  static const Registry<Optimizer> registry("optimizer", {
#define LLMKIT_OPTIMIZER(name) optimizer_##name(),
#include "optim/optimizers.def"
#undef LLMKIT_OPTIMIZER
                                                         });
  return registry;
}

std::vector<std::string_view> Optimizer::slots() const {
  auto names = own_slots();
  if (averages()) names.push_back("ema");
  return names;
}

bool Optimizer::holds(size_t slot, const nn::Parameter& parameter) const {
  return slot >= own_slots().size() || keeps(slot, parameter);
}

void Optimizer::attach(nn::ParameterStore& store, double ema_decay) {
  attach(store, ema_decay, {{0, store.flat_size()}});
}

void Optimizer::attach(nn::ParameterStore& store, double ema_decay, std::vector<Span> share) {
  store_ = &store;
  share_ = std::move(share);
  ema_decay_ = ema_decay;
  state_.clear();
  int64_t element = element_bytes(store.dtype());
  for (size_t slot = 0; slot < slots().size(); ++slot) {
    state_.emplace_back(static_cast<size_t>(store.flat_size() * element));
    // Up to the next parameter: the padding belongs to the one before it.
    for (size_t i = 0; i < store.list().size(); ++i) {
      const nn::Parameter& p = store.list()[i];
      int64_t end = i + 1 < store.list().size() ? store.list()[i + 1].offset : store.flat_size();
      if (!holds(slot, p)) continue;
      in_share(p.offset, end, [&](int64_t from, int64_t to) {
        std::memset(state_.back().data() + from * element, 0, static_cast<size_t>((to - from) * element));
      });
    }
  }
  if (averages())
    dispatch(store.dtype(), [&]<class T>() {
      in_share(0, store.flat_size(), [&](int64_t begin, int64_t end) {
        std::copy_n(store.values<T>().data() + begin, end - begin, state<T>(slots().size() - 1).data() + begin);
      });
    });
}

bool Optimizer::takes_whole_parameters(const nn::ParameterStore& store) const {
  return std::any_of(store.list().begin(), store.list().end(), [&](const nn::Parameter& p) { return takes_whole(p); });
}

void Optimizer::forget_others() {
  auto element = static_cast<size_t>(element_bytes(store_->dtype()));
  int64_t at = 0;
  auto forget = [&](int64_t begin, int64_t end) {
    for (MemoryBlock& block : state_)
      if (begin < end) block.forget(static_cast<size_t>(begin) * element, static_cast<size_t>(end - begin) * element);
  };
  for (const Span& s : share_) {
    forget(at, s.begin);
    at = s.end;
  }
  forget(at, store_->flat_size());
}

bool Optimizer::joined(const nn::Parameter& a, const nn::Parameter& b) const {
  return a.decay == b.decay && a.rate_scale == b.rate_scale && !takes_whole(a) && !takes_whole(b);
}

void Optimizer::step(const kernels::Exec& ex, const StepArgs& args) {
  if (!store_) throw Error("an optimiser must be attached before its first step");
  dispatch(store_->dtype(), [&]<class T>() { store_->gradients<T>(); });  // untouched ones become zero
  const auto& list = store_->list();
  for (size_t i = 0; i < list.size();) {
    size_t j = i + 1;
    while (j < list.size() && joined(list[i], list[j])) ++j;
    int64_t end = j < list.size() ? list[j].offset : store_->flat_size();
    StepArgs scaled = args;
    scaled.learning_rate *= list[i].rate_scale;
    in_share(list[i].offset, end, [&](int64_t from, int64_t to) {
      update(ex, {from, to - from, list[i].decay, takes_whole(list[i]) ? &list[i] : nullptr}, scaled);
    });
    i = j;
  }
  if (averages()) {
    double t = static_cast<double>(args.step), decay = std::min(ema_decay_, (1 + t) / (10 + t));
    dispatch(store_->dtype(), [&]<class T>() {
      in_share(0, store_->flat_size(), [&](int64_t begin, int64_t end) {
        kernels::blend_step<T>(ex, state<T>(slots().size() - 1).data() + begin, store_->values<T>().data() + begin,
                               end - begin, 1 - decay);
      });
    });
  }
  store_->values_changed();
}

void Optimizer::swap_average(const kernels::Exec& ex) {
  dispatch(store_->dtype(), [&]<class T>() {
    T *a = store_->values<T>().data(), *b = state<T>(slots().size() - 1).data();
    in_share(0, store_->flat_size(), [&](int64_t from, int64_t to) {
      ex.parallel.for_ranges(to - from, 1 << 16, [&](int64_t begin, int64_t end) {
        std::swap_ranges(a + from + begin, a + from + end, b + from + begin);
      });
    });
  });
  store_->values_changed();
}

size_t Optimizer::state_bytes() const {
  return store_ ? planned_bytes(*store_, ema_decay_, share_) : 0;
}

size_t Optimizer::planned_bytes(const nn::ParameterStore& store, double ema_decay, std::span<const Span> share) const {
  int64_t n = 0;
  for (const nn::Parameter& p : store.list()) {
    int64_t held = ema_decay > 0 ? 1 : 0;
    for (size_t slot = 0; slot < own_slots().size(); ++slot) held += keeps(slot, p) ? 1 : 0;
    for (const Span& s : share)
      n += held * std::max<int64_t>(0, std::min(s.end, p.offset + p.size()) - std::max(s.begin, p.offset));
  }
  return static_cast<size_t>(n * element_bytes(store.dtype()));
}

double gradient_norm(const kernels::Exec& ex, nn::ParameterStore& store) {
  double sum = 0;
  dispatch(store.dtype(), [&]<class T>() {
    std::span<T> g = store.gradients<T>();  // the padding between parameters is zero
    sum = kernels::sum_of_squares<T>(ex, g.data(), static_cast<int64_t>(g.size()));
  });
  return std::sqrt(sum);
}

double clip_scale(double norm, double max_norm) {
  constexpr double kGuard = 1e-6;  // as torch.nn.utils.clip_grad_norm_
  return max_norm > 0 && norm > max_norm ? max_norm / (norm + kGuard) : 1.0;
}

}  // namespace llmkit::optim
