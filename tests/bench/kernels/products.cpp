// The kernels beside the machine's own peak, measured before and after; the products against oneDNN and OpenBLAS
// (forced to its AVX-512 kernels) where they are installed. Usage: bench_kernels [threads [filter [isa]]]; the filter
// is a part of a line's name: "gemm" for all products, "gemm 1024x(768" for some, "gemm 4096" for those of 4096 rows.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "compare.h"
#include "kernels/attention.h"
#include "kernels/cpu.h"
#include "kernels/elementwise.h"
#include "kernels/gemm.h"
#include "kernels/logprob.h"
#include "kernels/norm.h"
#include "kernels/optimizer.h"
#include "kernels/peak.h"
#include "kernels/reduce.h"
#include "peers.h"

using namespace llmkit;
using namespace llmkit::kernels;
using llmkit::bench::compare_products;

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// With one thread the process's own CPU time is counted, so that a busy machine disturbs less; else the clock on the
// wall.
bool count_cpu_time = false;
double timer() {
  if (!count_cpu_time) return now();
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Best seconds of one call, over at least 3 calls and 0.3 s.
double best_seconds(const std::function<void()>& f) {
  f();
  double best = 1e9;
  const double begin = now();
  for (int i = 0; i < 3 || now() - begin < 0.3; ++i) {
    const double start = timer();
    f();
    best = std::min(best, timer() - start);
  }
  return best;
}

struct Buffer {
  explicit Buffer(int64_t n)
      : memory(static_cast<size_t>(n) * sizeof(float)), data(static_cast<float*>(memory.data())) {
    uint32_t state = 1;
    for (int64_t i = 0; i < n; ++i) {
      state = state * 1664525 + 1013904223;
      data[i] = static_cast<float>(state >> 8) / 16777216.f - 0.5f;
    }
  }
  AlignedBuffer memory;
  float* data;
};

struct Bench {
  Bench(int threads, std::string filter) : parallel(threads), filter(std::move(filter)) {}
  bool wanted(const std::string& name) const { return filter.empty() || name.find(filter) != std::string::npos; }

  void products() {
    if (!filter.empty() && filter.rfind("gemm", 0) != 0) return;
    const std::string wanted = filter.size() > 5 ? filter.substr(5) : "";
    const std::vector<int64_t> rows =
        wanted.rfind("4096", 0) == 0 ? std::vector<int64_t>{4096} : std::vector<int64_t>{256, 1024};
    compare_products(ex, peak, rows, wanted, 0.05);
  }

  void vectors() {
    const int64_t rows = 1024, dim = 768, n = rows * 4 * dim;
    Buffer a(n), b(n), c(n), d(4096);
    auto line = [&](const char* name, double elements, double bytes, const std::function<void()>& f) {
      if (!wanted(name)) return;
      const double s = best_seconds(f);
      std::printf("%-24s %7.3f ms %6.2f ns/element %6.1f GB/s\n", name, 1e3 * s, 1e9 * s / elements,
                  bytes * elements / s / 1e9);
    };
    const double e = static_cast<double>(n);
    line("gelu_tanh forward", e, 8, [&] { activation_forward<float>(ex, Activation::gelu_tanh, b.data, a.data, n); });
    line("gelu_tanh backward", e, 16,
         [&] { activation_backward<float>(ex, Activation::gelu_tanh, c.data, b.data, a.data, n); });
    line("silu forward", e, 8, [&] { activation_forward<float>(ex, Activation::silu, b.data, a.data, n); });
    line("add", e, 12, [&] { add<float>(ex, c.data, a.data, b.data, n); });
    line("column_sum", e, 4, [&] { column_sum<float>(ex, d.data, Matrix<const float>(a.data, rows, 4 * dim)); });
    NormArgs<float> norm;
    norm.kind = NormKind::layer;
    norm.rows = rows * 4;
    norm.dim = dim;
    norm.x = a.data;
    norm.y = b.data;
    norm.weight = d.data;
    Buffer mean(norm.rows), rstd(norm.rows);
    norm.mean = mean.data;
    norm.rstd = rstd.data;
    line("layer norm forward", e, 8, [&] { norm_forward<float>(ex, norm); });
    NormGradient<float> g;
    g.kind = NormKind::layer;
    g.rows = norm.rows;
    g.dim = dim;
    g.s = a.data;
    g.weight = d.data;
    g.mean = mean.data;
    g.rstd = rstd.data;
    g.dy = b.data;
    g.dx = c.data;
    g.dweight = d.data + 1024;
    g.dbias = d.data + 2048;
    line("layer norm backward", e, 16, [&] { norm_backward<float>(ex, g); });
    const int64_t parameters = 32 << 20;
    Buffer p(parameters), q(parameters), m(parameters), v(parameters);
    for (int64_t i = 0; i < parameters; ++i) v.data[i] = std::abs(v.data[i]);
    line("adamw", static_cast<double>(parameters), 28,
         [&] { adamw_step<float>(ex, p.data, q.data, m.data, v.data, parameters, AdamwOptions{}); });
    line("sum_of_squares", static_cast<double>(parameters), 4,
         [&] { (void)sum_of_squares<float>(ex, p.data, parameters); });
  }

  void attention(int64_t batch, int64_t length, int64_t heads, int64_t dim) {
    const std::string name = "attention " + std::to_string(batch) + "x" + std::to_string(length) + "x" +
                             std::to_string(heads) + "x" + std::to_string(dim);
    if (!wanted(name)) return;
    const int64_t width = 3 * heads * dim;
    Buffer qkv(batch * length * width), dqkv(batch * length * width), out(batch * length * heads * dim),
        dout(batch * length * heads * dim), lse(batch * length * heads);
    AttentionShape<float> shape;
    shape.heads = shape.kv_heads = heads;
    shape.head_dim = dim;
    shape.q_stride = shape.k_stride = shape.v_stride = width;
    shape.out_stride = heads * dim;
    shape.scale = 0.125f;
    std::vector<AttentionSequence<float>> sequences;
    std::vector<AttentionGradient<float>> gradients;
    for (int64_t b = 0; b < batch; ++b) {
      AttentionSequence<float> s;
      s.q = qkv.data + b * length * width;
      s.k = s.q + heads * dim;
      s.v = s.k + heads * dim;
      s.out = out.data + b * length * heads * dim;
      s.lse = lse.data + b * length * heads;
      s.query_length = s.key_length = length;
      sequences.push_back(s);
      float* d = dqkv.data + b * length * width;
      gradients.push_back({dout.data + b * length * heads * dim, d, d + heads * dim, d + 2 * heads * dim});
    }
    const double flops = 2.0 * static_cast<double>(batch * heads * length * length * dim) / 1e9;  // causal: half of 4
    const double forward = best_seconds([&] { attention_forward<float>(ex, shape, sequences); });
    const double backward = best_seconds([&] { attention_backward<float>(ex, shape, sequences, gradients); });
    shape.dropout = 0.1f;
    const double dropped = best_seconds([&] { attention_forward<float>(ex, shape, sequences); });
    std::printf("%-30s forward %7.3f ms %5.0f GF/s, with dropout %7.3f ms, backward %7.3f ms %5.0f GF/s\n",
                name.c_str(), 1e3 * forward, flops / forward, 1e3 * dropped, 1e3 * backward, 2.5 * flops / backward);
  }

  void loss(Precision precision) {
    const std::string name = precision == Precision::f32 ? "logprob f32" : "logprob bf16";
    if (!wanted(name)) return;
    const int64_t m = 1024, v = 50257, d = 768;
    Buffer h(m * d), w(v * d), dh(m * d), dw(v * d), logprob(m), lse(m), upstream(m);
    std::vector<int32_t> targets(static_cast<size_t>(m), 5);
    const LogprobArgs<float> args{Matrix<const float>(h.data, m, d), Matrix<const float>(w.data, v, d), targets.data(),
                                  precision};
    const LogprobGradient<float> g{upstream.data, nullptr, Matrix<float>(dh.data, m, d), Matrix<float>(dw.data, v, d)};
    const double s = best_seconds([&] { logprob_forward_backward<float>(ex, args, logprob.data, lse.data, g); });
    std::printf("%-24s 1024x50257x768 forward and backward %7.1f ms %5.0f GF/s\n", name.c_str(), 1e3 * s,
                6e-9 * static_cast<double>(m) * static_cast<double>(v) * static_cast<double>(d) / s);
  }

  void print_peak() {
    peak = measure_peak(parallel);
    std::printf("peak: f32 %.0f GF/s, bf16 %.0f GF/s, read %.1f GB/s, triad %.1f GB/s\n", peak.f32_gflops,
                peak.bf16_gflops, peak.read_gbps, peak.triad_gbps);
  }

  Parallel parallel;
  Workspace workspace;
  Exec ex{parallel, workspace};
  std::string filter;
  Peak peak;
};

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 && std::atoi(argv[1]) > 0 ? std::atoi(argv[1]) : available_threads();
  bench::use_best_settings(threads, argv);
  Bench suite(threads, argc > 2 ? argv[2] : "");
  if (argc > 3) force_isa(*isa_from_name(argv[3]));
  std::printf("kernels %s, %d threads\n", std::string(isa_name(active_isa())).c_str(), suite.parallel.threads());
  count_cpu_time = suite.parallel.threads() == 1;
  suite.print_peak();
  suite.products();
  suite.vectors();
  suite.attention(4, 256, 12, 64);
  suite.attention(1, 1024, 12, 64);
  suite.attention(16, 256, 6, 64);
  suite.loss(Precision::f32);
  suite.loss(Precision::bf16);
  suite.print_peak();
  return 0;
}
