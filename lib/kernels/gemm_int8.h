// Products of 8-bit integers with one scale for each row of A and each output column:
//   y[m,n] = act(a_scale[m] · w_scale[n] · Σ_k qa[m,k] qw[n,k] + bias[n]) + residual[m,n]
//   q(x) = round(x / scale), scale = max |x| / 127 over the row (Dettmers et al., LLM.int8(), 2022: vector-wise)
// Sums are exact 32-bit integers: every instruction set gives the same ones, and a row alone equals the row among many.
// The weight is packed once; activations are quantised at every call. With AVX512_VNNI the rows are stored as unsigned
// bytes q + 128 (vpdpbusd multiplies u8 by s8) and 128 · Σ_k qw[n,k] is subtracted.
#pragma once

#include <cstdint>

#include "kernels/gemm.h"

namespace llmkit::kernels {

// More would overflow 32 bits: 255 · 127 · K < 2^31.
inline constexpr int64_t kMaxInt8Depth = 65536;

class PackedInt8Weight {
 public:
  void pack_nt(const Exec& ex, Matrix<const float> w);  // W[N,K], as PackedWeight::pack_nt

  int64_t out_features() const { return out_; }
  int64_t in_features() const { return in_; }
  size_t bytes() const { return panels_.size() + scales_.size(); }
  static size_t bytes_for(int64_t out, int64_t in);

 private:
  friend void gemm_int8(const Exec& ex, Matrix<float> c, Matrix<const float> a, const PackedInt8Weight& w,
                        const Epilogue<float>& epilogue);

  AlignedBuffer panels_;
  AlignedBuffer scales_;  // [N] scales, then [N] sums of qw
  int64_t out_ = 0, in_ = 0;
  Isa isa_ = Isa::portable;
};

void gemm_int8(const Exec& ex, Matrix<float> c, Matrix<const float> a, const PackedInt8Weight& w,
               const Epilogue<float>& epilogue = {});

}  // namespace llmkit::kernels
