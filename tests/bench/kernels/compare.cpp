// The per-shape table of products: ours against the better of oneDNN and OpenBLAS, alternating in one run.
#include "compare.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <vector>

#include "kernels/gemm.h"
#include "peers.h"

namespace llmkit::bench {
namespace {

using namespace kernels;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// Median seconds of a call: three rounds that alternate between the contenders, each for `seconds` or two calls.
std::vector<double> medians(const std::vector<std::function<void()>>& contenders, double seconds) {
  std::vector<std::vector<double>> times(contenders.size());
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < contenders.size(); ++i) {
      if (!contenders[i]) continue;
      contenders[i]();  // wakes its threads
      const double begin = now();
      for (int call = 0; call < 2 || now() - begin < seconds; ++call) {
        const double start = now();
        contenders[i]();
        times[i].push_back(now() - start);
      }
    }
  }
  std::vector<double> result;
  for (auto& t : times) result.push_back(t.empty() ? 0 : median(std::move(t)));
  return result;
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

// Ratios to the better peer.
struct Score {
  double log_sum = 0, least = 1e9;
  int count = 0;
  void add(double ratio) {
    log_sum += std::log(ratio);
    least = std::min(least, ratio);
    ++count;
  }
};

}  // namespace

void compare_products(const Exec& ex, const Peak& peak, const std::vector<int64_t>& all_rows, const std::string& filter,
                      double seconds) {
  std::printf("peers: %s\nGFLOP/s, medians; ratio = ours / the better peer; %% of the peak measured above\n",
              peer_names().c_str());
  std::printf("%-20s %-7s | %6s %5s %7s %8s %5s | %6s %5s %7s %5s\n", "rows x (out,in)", "", "fp32", "", "oneDNN",
              "OpenBLAS", "ratio", "bf16", "", "oneDNN", "ratio");
  Score scores[2], forward;
  for (int64_t rows : all_rows) {
    for (auto [out, in] :
         {std::pair<int64_t, int64_t>{768, 768}, {3072, 768}, {768, 3072}, {2304, 768}, {50257, 768}}) {
      const std::string shape = std::to_string(rows) + "x(" + std::to_string(out) + "," + std::to_string(in) + ")";
      if (shape.find(filter) == std::string::npos) continue;
      Buffer x(rows * in), w(out * in), y(rows * out), dw(out * in);
      const Layer layer{rows, out, in, x.data, w.data, y.data, dw.data};
      const Matrix<float> xm(x.data, rows, in), wm(w.data, out, in), ym(y.data, rows, out), dwm(dw.data, out, in);
      PackedWeight packed[2][2];
      for (int p = 0; p < 2; ++p) {
        packed[p][0].pack_nt(ex, wm, static_cast<Precision>(p));
        packed[p][1].pack_nn(ex, wm, static_cast<Precision>(p));
      }
      const double flops = 2e-9 * static_cast<double>(rows) * static_cast<double>(out) * static_cast<double>(in);
      for (Form form : {Form::forward, Form::input_gradient, Form::weight_gradient}) {
        auto ours = [&](int p) -> std::function<void()> {
          if (form == Form::forward) return [&, p] { gemm_packed(ex, ym, xm, packed[p][0]); };
          if (form == Form::input_gradient) return [&, p] { gemm_packed(ex, xm, ym, packed[p][1]); };
          return [&, p] { gemm_tn<float>(ex, dwm, ym, xm, {static_cast<Precision>(p), {}}); };
        };
        const auto s = medians({ours(0), onednn_product(layer, form, false), openblas_product(layer, form), ours(1),
                                onednn_product(layer, form, true)},
                               seconds);
        auto rate = [&](size_t i) { return s[i] > 0 ? flops / s[i] : 0; };
        const double ratio[2] = {rate(0) / std::max({rate(1), rate(2), 1e-9}), rate(3) / std::max(rate(4), 1e-9)};
        const char* names[] = {"forward", "dX", "dW"};
        std::printf("%-20s %-7s | %6.0f %4.0f%% %7.0f %8.0f %5.2f | %6.0f %4.0f%% %7.0f %5.2f\n", shape.c_str(),
                    names[static_cast<int>(form)], rate(0), 100 * rate(0) / peak.f32_gflops, rate(1), rate(2), ratio[0],
                    rate(3), 100 * rate(3) / std::max(1.0, peak.bf16_gflops), rate(4), ratio[1]);
        std::fflush(stdout);
        for (int p = 0; p < 2; ++p) scores[p].add(ratio[p]);
        if (form == Form::forward && rows >= 1024) forward.add(rate(0) / peak.f32_gflops);
      }
    }
  }
  for (int p = 0; p < 2; ++p) {
    std::printf("%s: geometric mean %.3f of the better peer, minimum %.3f, over %d products\n", p ? "bf16" : "fp32",
                std::exp(scores[p].log_sum / std::max(1, scores[p].count)), scores[p].least, scores[p].count);
  }
  if (forward.count > 0)
    std::printf("fp32 forward, 1024 rows and more: at least %.1f %% of the peak\n", 100 * forward.least);
}

}  // namespace llmkit::bench
