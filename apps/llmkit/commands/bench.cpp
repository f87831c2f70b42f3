#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "command.h"
#include "kernels/cpu.h"
#include "kernels/gemm.h"
#include "kernels/peak.h"

namespace llmkit::cli {
namespace {

struct ProductShape {
  int64_t rows, out, in;
};

// What a product reached, in GFLOP/s.
struct ProductRate {
  ProductShape shape;
  kernels::Precision precision;
  double forward, input_gradient, weight_gradient;
};

class Bench : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{"bench",
                                  "Tools",
                                  "measure this machine's limits and our products",
                                  {"llmkit bench", "llmkit bench --threads 1 --isa avx2 --json"},
                                  "Measures multiply-adds in registers and streaming memory bandwidth, the limits that "
                                  "training's MFU is relative "
                                  "to, and how near the matrix products of a GPT-2 124M come: forward with a packed "
                                  "weight, and both gradients.\n"
                                  "Other programs on the machine lower every figure: run it on a quiet one, and look "
                                  "at the median of a few runs.",
                                  kUsesThreads | kUsesJson | kUsesManifest | kUsesGates | kUsesIsa};
    return info;
  }

  void declare(Options& o) override {
    o.real("--seconds", &seconds_, "S", "time for each figure, in seconds", 0.01, 60);
    o.integer("--rows", &rows_, "N", "tokens of a product", 1, 1 << 20);
    o.boolean("--products", &products_, "measure matrix products too");
  }

  ExitCode run(Context& context, const Common& common) override {
    Summary summary;
    summary.unit = "figures";
    const kernels::Peak peak = kernels::measure_peak(context.parallel, seconds_);
    summary.metrics = {{"f32_gflops", peak.f32_gflops}, {"bf16_gflops", peak.bf16_gflops},
                       {"int8_gops", peak.int8_gops},   {"read_gbps", peak.read_gbps},
                       {"triad_gbps", peak.triad_gbps}, {"triad_nt_gbps", peak.triad_nt_gbps}};
    if (!common.json) {
      std::printf("kernels %s, bf16 by %s, %d threads\n", std::string(kernels::isa_name(kernels::active_isa())).c_str(),
                  std::string(kernels::bf16_unit_name(kernels::active_isa())).c_str(), context.parallel.threads());
      std::printf("fp32 %.0f GFLOP/s, bf16 %.0f GFLOP/s, int8 %.0f GOP/s\n", peak.f32_gflops, peak.bf16_gflops,
                  peak.int8_gops);
      std::printf("reading %.1f GB/s, a = b + s c %.1f GB/s, with streaming stores %.1f GB/s\n", peak.read_gbps,
                  peak.triad_gbps, peak.triad_nt_gbps);
    }
    if (products_) {
      if (!common.json)
        std::printf("%-22s %-5s %9s %9s %9s  GFLOP/s (%% of the peak)\n", "rows x (out, in)", "", "forward", "dX",
                    "dW");
      for (const ProductShape& shape :
           {ProductShape{rows_, 768, 768}, {rows_, 3072, 768}, {rows_, 768, 3072}, {rows_, 2304, 768}}) {
        for (kernels::Precision precision : {kernels::Precision::f32, kernels::Precision::bf16}) {
          if (context.stop.requested()) break;
          const ProductRate rate = measure(context.parallel, shape, precision);
          const bool bf16 = precision == kernels::Precision::bf16;
          if (!common.json) print(rate, bf16 && peak.bf16_gflops > 0 ? peak.bf16_gflops : peak.f32_gflops);
          const std::string name =
              (bf16 ? "bf16_" : "f32_") + std::to_string(shape.out) + "x" + std::to_string(shape.in);
          summary.metrics.emplace_back(name + "_forward", rate.forward);
          summary.metrics.emplace_back(name + "_dx", rate.input_gradient);
          summary.metrics.emplace_back(name + "_dw", rate.weight_gradient);
        }
      }
    }
    summary.in = summary.kept = summary.metrics.size();
    summary.interrupted = context.stop.requested();
    return common.finish(summary);
  }

 private:
  ProductRate measure(Parallel& parallel, const ProductShape& s, kernels::Precision precision) const {
    using kernels::Matrix;
    kernels::Workspace workspace;
    const kernels::Exec ex{parallel, workspace};
    std::vector<float> x(static_cast<size_t>(s.rows * s.in)), w(static_cast<size_t>(s.out * s.in)),
        y(static_cast<size_t>(s.rows * s.out)), dw(w.size());
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 17) * 0.01f;
    for (size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i % 13) * 0.01f;
    const Matrix<float> xm(x.data(), s.rows, s.in), wm(w.data(), s.out, s.in), ym(y.data(), s.rows, s.out),
        dwm(dw.data(), s.out, s.in);
    kernels::GemmOptions<float> options;
    options.precision = precision;
    kernels::PackedWeight forward, backward;
    forward.pack_nt(ex, wm, precision);
    backward.pack_nn(ex, wm, precision);
    const double flops = 2e-9 * static_cast<double>(s.rows) * static_cast<double>(s.out) * static_cast<double>(s.in);
    auto rate = [&](auto f) {
      f();
      double best = 1e30;
      const auto begin = std::chrono::steady_clock::now();
      auto last = begin;
      do {
        f();
        const auto now = std::chrono::steady_clock::now();
        best = std::min(best, std::chrono::duration<double>(now - last).count());
        last = now;
      } while (std::chrono::duration<double>(last - begin).count() < seconds_);
      return flops / best;
    };
    return {s, precision, rate([&] { gemm_packed(ex, ym, xm, forward); }),
            rate([&] { gemm_packed(ex, xm, ym, backward); }),
            rate([&] { kernels::gemm_tn<float>(ex, dwm, ym, xm, options); })};
  }

  static void print(const ProductRate& r, double peak) {
    const std::string shape =
        std::to_string(r.shape.rows) + " x (" + std::to_string(r.shape.out) + ", " + std::to_string(r.shape.in) + ")";
    std::printf("%-22s %-5s", shape.c_str(), r.precision == kernels::Precision::bf16 ? "bf16" : "fp32");
    for (double rate : {r.forward, r.input_gradient, r.weight_gradient})
      std::printf(" %5.0f %2.0f%%", rate, 100 * rate / peak);
    std::printf("\n");
    std::fflush(stdout);
  }

  double seconds_ = 0.2;
  int64_t rows_ = 1024;
  bool products_ = true;
};

}  // namespace

std::unique_ptr<Command> make_bench() {
  return std::make_unique<Bench>();
}

}  // namespace llmkit::cli
