// Matrix products. C[M,N] = A B in three forms, with an epilogue applied to each finished tile:
//   y = act(scale · (A B) + bias) + residual          (accumulate: y += instead)
// Blocking follows Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (TOMS 2008): B packed
// into panels [N/nr][K][nr], register tiles of mr × nr.
// Row independence: an element's sum runs over k in one fixed order that depends on K only, so that a row computed
// alone equals the same row among a thousand, bit for bit.
// Precision bf16: both inputs are rounded to bfloat16 (nearest even), products are summed in fp32.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

#include "kernels/activation.h"
#include "kernels/cpu.h"
#include "kernels/exec.h"
#include "kernels/matrix.h"

namespace llmkit::kernels {

// Of the inputs of float products; double ignores it. f16 is rounded in software (half.h): for teaching, not for speed.
enum class Precision : uint8_t { f32, bf16, f16 };

template <class T>
struct Epilogue {
  T scale = 1;
  const T* bias = nullptr;  // [N]
  Activation activation = Activation::none;
  Matrix<T> pre_activation;  // when data is set: act's argument is written there (the backward needs it)
  Matrix<const T> residual;  // when data is set: added last; may be the output itself
  bool accumulate = false;
};

template <class T>
struct GemmOptions {
  Precision precision = Precision::f32;
  Epilogue<T> epilogue;
  // gemm_tn only:
  T* column_sums = nullptr;                       // [M] += Σ_k A[k], taken while A is packed
  Activation activation_of_b = Activation::none;  // B is what this makes of `b`, while it is packed; not in f16
};

template <class T>
using GemmOptionsFor = GemmOptions<std::type_identity_t<T>>;

template <class T>  // C[M,N] = A[M,K] B[K,N]
void gemm_nn(const Exec& ex, Matrix<T> c, ConstMatrix<T> a, ConstMatrix<T> b, const GemmOptionsFor<T>& options = {});
template <class T>  // C[M,N] = A[M,K] B[N,K]ᵀ
void gemm_nt(const Exec& ex, Matrix<T> c, ConstMatrix<T> a, ConstMatrix<T> b, const GemmOptionsFor<T>& options = {});
template <class T>  // C[M,N] = A[K,M]ᵀ B[K,N]
void gemm_tn(const Exec& ex, Matrix<T> c, ConstMatrix<T> a, ConstMatrix<T> b, const GemmOptionsFor<T>& options = {});

enum class GemmForm : uint8_t { nn, nt, tn };

template <class T>
struct GemmProduct {
  Matrix<T> c;
  Matrix<const T> a, b;
};
// Many products of any sizes as one call, so that small ones share the threads. The epilogue's matrices, where it has
// some, are the same for all.
template <class T>
void gemm_batch(const Exec& ex, GemmForm form, std::span<const GemmProduct<T>> products,
                const GemmOptionsFor<T>& options = {});

// Scratch memory of one product C[M,N] in f32, bf16 or double.
template <class T>
size_t gemm_workspace(GemmForm form, int64_t m, int64_t n, int64_t k, Precision precision);

// A weight in the layout that the products read, packed once and used many times (once per optimiser step in
// training, once per load in inference). It keeps to the instruction set that was active when it was packed.
class PackedWeight {
 public:
  // y = x Wᵀ with W[N,K] (out, in): the forward of a linear layer.
  void pack_nt(const Exec& ex, Matrix<const float> w, Precision precision = Precision::f32) {
    pack(ex, w, true, precision);
  }
  // y = x W with W[K,N] (in, out): a GPT-2 Conv1D, or dX = dY W of a linear layer whose W is [out, in].
  void pack_nn(const Exec& ex, Matrix<const float> w, Precision precision = Precision::f32) {
    pack(ex, w, false, precision);
  }

  bool empty() const { return out_ == 0; }
  int64_t out_features() const { return out_; }  // N
  int64_t in_features() const { return in_; }    // K
  Precision precision() const { return precision_; }
  Isa isa() const { return isa_; }
  size_t bytes() const { return buffer_.size(); }
  // What a packed weight of this size takes on the active instruction set, without packing one: for memory plans.
  static size_t bytes_for(int64_t out, int64_t in, Precision precision);
  const void* panels() const { return buffer_.data(); }

 private:
  void pack(const Exec& ex, Matrix<const float> w, bool out_major, Precision precision);

  AlignedBuffer buffer_;
  int64_t out_ = 0, in_ = 0;
  Precision precision_ = Precision::f32;
  Isa isa_ = Isa::portable;
};

// C[M,N] = A[M,K] W; the same bits as gemm_nt or gemm_nn with the weight unpacked.
void gemm_packed(const Exec& ex, Matrix<float> c, Matrix<const float> a, const PackedWeight& w,
                 const Epilogue<float>& epilogue = {});

// Products with different weights and any numbers of rows as one call: the experts of a mixture.
struct PackedProduct {
  Matrix<float> c;
  Matrix<const float> a;
  const PackedWeight* weight;
  Epilogue<float> epilogue;
};
void gemm_grouped(const Exec& ex, std::span<const PackedProduct> products);

// A linear layer y[M,N] = x[M,K] W[N,K]ᵀ + bias by its three products.
template <class T>
void linear_forward(const Exec& ex, Matrix<T> y, ConstMatrix<T> x, ConstMatrix<T> w,
                    const GemmOptionsFor<T>& options = {}) {
  gemm_nt<T>(ex, y, x, w, options);
}
// dx (+)= dy W; the gradients accumulate.
template <class T>
void linear_backward_input(const Exec& ex, Matrix<T> dx, ConstMatrix<T> dy, ConstMatrix<T> w,
                           Precision precision = Precision::f32) {
  GemmOptions<T> options;
  options.precision = precision;
  options.epilogue.accumulate = true;
  gemm_nn<T>(ex, dx, dy, w, options);
}
// dw += dyᵀ x.
template <class T>
void linear_backward_weight(const Exec& ex, Matrix<T> dw, ConstMatrix<T> dy, ConstMatrix<T> x,
                            Precision precision = Precision::f32) {
  GemmOptions<T> options;
  options.precision = precision;
  options.epilogue.accumulate = true;
  gemm_tn<T>(ex, dw, dy, x, options);
}
// dbias[N] += Σ_m dy[m]: GemmOptions::column_sums, or column_sum in reduce.h.

}  // namespace llmkit::kernels
