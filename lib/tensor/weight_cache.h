// Packed copies of one weight matrix for the matrix products, made at the first use after the weight has changed:
// once per optimiser step in training, once per load in inference.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/gemm.h"

namespace llmkit {

class WeightCache {
 public:
  // For y = x Wᵀ, with W [out, in].
  const kernels::PackedWeight& forward(const kernels::Exec& ex, kernels::Matrix<const float> w,
                                       kernels::Precision precision) {
    return fresh(0, precision, [&](kernels::PackedWeight& p) { p.pack_nt(ex, w, precision); });
  }
  // For dx = dy W.
  const kernels::PackedWeight& backward(const kernels::Exec& ex, kernels::Matrix<const float> w,
                                        kernels::Precision precision) {
    return fresh(1, precision, [&](kernels::PackedWeight& p) { p.pack_nn(ex, w, precision); });
  }
  void stale() { fresh_ = {false, false}; }
  size_t bytes() const { return packed_[0].bytes() + packed_[1].bytes(); }

 private:
  template <class F>
  const kernels::PackedWeight& fresh(size_t which, kernels::Precision precision, F pack) {
    if (!fresh_[which] || packed_[which].precision() != precision) pack(packed_[which]);
    fresh_[which] = true;
    return packed_[which];
  }

  std::array<kernels::PackedWeight, 2> packed_;
  std::array<bool, 2> fresh_{};
};

}  // namespace llmkit
