#include "peers.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <unordered_map>

#ifdef LLMKIT_BENCH_OPENBLAS
#include <cblas.h>
extern "C" char* openblas_get_corename(void);
extern "C" char* openblas_get_config(void);
#endif
#ifdef LLMKIT_BENCH_ONEDNN
#include <oneapi/dnnl/dnnl.hpp>
#endif

namespace llmkit::bench {

void use_best_settings(int threads, char** argv) {
  if (std::getenv("LLMKIT_BENCH_CLEAN")) return;
  for (const char* name :
       {"OPENBLAS_L2_SIZE", "OMP_PROC_BIND", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "GOMP_CPU_AFFINITY"})
    unsetenv(name);
  const std::string count = std::to_string(threads);
  setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}) setenv(name, count.c_str(), 1);
  setenv("LLMKIT_BENCH_CLEAN", "1", 1);
  execv("/proc/self/exe", argv);
}

std::string peer_names() {
  std::string names;
#ifdef LLMKIT_BENCH_OPENBLAS
  names += std::string(openblas_get_config()) + " running " + openblas_get_corename() + "; ";
#endif
#ifdef LLMKIT_BENCH_ONEDNN
  const auto* v = dnnl_version();
  names += "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
#endif
  return names.empty() ? "no peers found" : names;
}

std::function<void()> openblas_product([[maybe_unused]] const Layer& l, [[maybe_unused]] Form form) {
#ifdef LLMKIT_BENCH_OPENBLAS
  const int m = static_cast<int>(l.rows), n = static_cast<int>(l.out), k = static_cast<int>(l.in);
  switch (form) {
    case Form::forward:
      return [=] { cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, l.x, k, l.w, k, 0, l.y, n); };
    case Form::input_gradient:
      return [=] { cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, k, n, 1, l.y, n, l.w, k, 0, l.x, k); };
    case Form::weight_gradient:
      return [=] { cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, k, m, 1, l.y, n, l.x, k, 0, l.dw, k); };
  }
#endif
  return {};
}

#ifdef LLMKIT_BENCH_ONEDNN
namespace {

struct Context {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
};
Context& context() {
  static Context c;
  return c;
}

// `data` seen as `desc`, copied into the layout of `wanted`.
dnnl::memory reordered(const dnnl::memory::desc& desc, float* data, const dnnl::memory::desc& wanted) {
  auto& c = context();
  dnnl::memory from(desc, c.engine, data), to(wanted, c.engine);
  dnnl::reorder(from, to).execute(c.stream, from, to);
  c.stream.wait();
  return to;
}

}  // namespace
#endif

std::function<void()> onednn_product([[maybe_unused]] const Layer& l, [[maybe_unused]] Form form,
                                     [[maybe_unused]] bool bf16) {
#ifdef LLMKIT_BENCH_ONEDNN
  using dnnl::memory;
  auto& c = context();
  const auto type = bf16 ? memory::data_type::bf16 : memory::data_type::f32, f32 = memory::data_type::f32;
  const auto m = l.rows, n = l.out, k = l.in;
  // C[rows, cols] = A[rows, depth] B[depth, cols], by strides.
  struct Operand {
    float* data;
    memory::dims dims, strides;
  };
  Operand a, b, out;
  switch (form) {
    case Form::forward:
      a = {l.x, {m, k}, {k, 1}}, b = {l.w, {k, n}, {1, k}}, out = {l.y, {m, n}, {n, 1}};
      break;
    case Form::input_gradient:
      a = {l.y, {m, n}, {n, 1}}, b = {l.w, {n, k}, {k, 1}}, out = {l.x, {m, k}, {k, 1}};
      break;
    case Form::weight_gradient:
      a = {l.y, {n, m}, {1, n}}, b = {l.x, {m, k}, {k, 1}}, out = {l.dw, {n, k}, {k, 1}};
      break;
  }
  const bool weights = form != Form::weight_gradient;
  const memory::desc a_desc(a.dims, type, a.strides), out_desc(out.dims, f32, out.strides);
  const memory::desc b_desc =
      weights ? memory::desc(b.dims, type, memory::format_tag::any) : memory::desc(b.dims, type, b.strides);
  const dnnl::matmul::primitive_desc pd(dnnl::matmul::desc(a_desc, b_desc, out_desc), c.engine);
  const memory a_memory = bf16 ? reordered({a.dims, f32, a.strides}, a.data, a_desc) : memory(a_desc, c.engine, a.data);
  const memory b_memory = weights || bf16 ? reordered({b.dims, f32, b.strides}, b.data, pd.weights_desc())
                                          : memory(b_desc, c.engine, b.data);
  const memory out_memory(out_desc, c.engine, out.data);
  const dnnl::matmul product(pd);
  return [=, &c] {
    product.execute(c.stream, {{DNNL_ARG_SRC, a_memory}, {DNNL_ARG_WEIGHTS, b_memory}, {DNNL_ARG_DST, out_memory}});
    c.stream.wait();
  };
#endif
  return {};
}

}  // namespace llmkit::bench
