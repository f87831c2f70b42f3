// How near an optimiser step comes to the memory: the time of one pass over flat state against bytes touched divided by
// the best streaming bandwidth of this machine (reads, copies and triads, with and without non-temporal stores).
//   bench_optim [MILLION_PARAMETERS [THREADS]]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/cpu.h"
#include "kernels/optimizer.h"
#include "kernels/reduce.h"
#include "nn/parameters.h"
#include "optim/optimizer.h"

using namespace llmkit;

namespace {

constexpr int kRounds = 9;
constexpr int64_t kGrain = int64_t{1} << 16;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Rounds go in turn through all the cases, so that a slow moment of the machine meets each alike.
struct Case {
  std::string name;
  double bytes;
  std::function<void()> run;
  std::vector<double> seconds{};
  double median() {
    std::sort(seconds.begin(), seconds.end());
    return seconds[seconds.size() / 2];
  }
};

void stream_store(float* p, float x) {
#if defined(__x86_64__)
  _mm_stream_ps(p, _mm_set1_ps(x));
#else
  std::fill(p, p + 4, x);
#endif
}

void stream_triad(float* a, const float* b, const float* c, int64_t n) {
#if defined(__x86_64__)
  const __m128 s = _mm_set1_ps(3.0f);
  for (int64_t i = 0; i + 4 <= n; i += 4)
    _mm_stream_ps(a + i, _mm_add_ps(_mm_load_ps(b + i), _mm_mul_ps(s, _mm_load_ps(c + i))));
  _mm_sfence();
#else
  for (int64_t i = 0; i < n; ++i) a[i] = b[i] + 3.0f * c[i];
#endif
}

void stream_copy(float* a, const float* b, int64_t n) {
#if defined(__x86_64__)
  for (int64_t i = 0; i + 4 <= n; i += 4) _mm_stream_ps(a + i, _mm_load_ps(b + i));
  _mm_sfence();
#else
  std::copy_n(b, n, a);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  const auto n = static_cast<int64_t>((argc > 1 ? std::atof(argv[1]) : 32) * (1 << 20));
  Parallel parallel(argc > 2 ? std::atoi(argv[2]) : 0);
  kernels::Workspace workspace;
  kernels::Exec ex{parallel, workspace};
  std::vector<MemoryBlock> blocks;
  float* x[5];
  for (float*& p : x) {
    blocks.emplace_back(static_cast<size_t>(n) * sizeof(float));
    p = static_cast<float*>(static_cast<void*>(blocks.back().data()));
    parallel.for_ranges(n, kGrain, [&](int64_t i, int64_t end) { std::fill(p + i, p + end, 0.01f); });
  }
  const double size = 4.0 * static_cast<double>(n);
  auto ranges = [&](auto&& f) { parallel.for_ranges(n, kGrain, f); };
  volatile float sink = 0;

  std::vector<Case> cases;
  cases.push_back({"read", size, [&] { sink = static_cast<float>(kernels::sum<float>(ex, x[0], n)); }});
  cases.push_back({"write, non-temporal", size, [&] {
                     ranges([&](int64_t i, int64_t end) {
                       for (; i < end; i += 4) stream_store(x[0] + i, 0.01f);
                     });
                   }});
  cases.push_back({"copy, non-temporal", 2 * size,
                   [&] { ranges([&](int64_t i, int64_t end) { stream_copy(x[0] + i, x[1] + i, end - i); }); }});
  cases.push_back({"triad", 3 * size, [&] {
                     ranges([&](int64_t i, int64_t end) {
                       for (; i < end; ++i) x[0][i] = x[1][i] + 3.0f * x[2][i];
                     });
                   }});
  cases.push_back({"triad, non-temporal", 3 * size, [&] {
                     ranges([&](int64_t i, int64_t end) { stream_triad(x[0] + i, x[1] + i, x[2] + i, end - i); });
                   }});
  cases.push_back({"update in place", 2 * size, [&] {
                     ranges([&](int64_t i, int64_t end) {
                       for (; i < end; ++i) x[0][i] *= 0.999f;
                     });
                   }});
  const size_t streams = cases.size();
  int64_t step = 0;
  kernels::AdamwOptions adamw{1e-4, 0.9, 0.95, 1e-8, 0.1, 1.0, 1};
  cases.push_back({"adamw", 7 * size, [&] {
                     adamw.step = ++step;
                     kernels::adamw_step<float>(ex, x[0], x[1], x[2], x[3], n, adamw);
                   }});
  cases.push_back({"lion", 5 * size, [&] {
                     kernels::lion_step<float>(ex, x[0], x[1], x[2], n, {1e-4, 0.9, 0.99, 0.1, 1.0});
                   }});
  cases.push_back({"sgd with momentum", 5 * size, [&] {
                     kernels::sgd_step<float>(ex, x[0], x[1], x[2], n, {1e-4, 0.9, 0.0, 1.0, false});
                   }});
  cases.push_back({"average of weights", 3 * size, [&] { kernels::blend_step<float>(ex, x[4], x[0], n, 0.001); }});
  cases.push_back(
      {"gradient norm", size, [&] { sink = static_cast<float>(kernels::sum_of_squares<float>(ex, x[1], n)); }});

  for (int round = 0; round < kRounds; ++round)
    for (Case& c : cases) {
      double start = now();
      c.run();
      if (round > 0) c.seconds.push_back(now() - start);
    }
  double best = 0;  // of medians: one lucky round is no bandwidth
  for (size_t i = 0; i < streams; ++i) best = std::max(best, cases[i].bytes / cases[i].median());
  std::printf("%lld M parameters, %d threads, %s; best streaming bandwidth %.1f GB/s\n",
              static_cast<long long>(n >> 20), parallel.threads(),
              std::string(kernels::isa_name(kernels::active_isa())).c_str(), best / 1e9);
  std::printf("%-22s %9s %9s %28s\n", "pass", "ms", "GB/s", "time / (bytes / best GB/s)");
  for (Case& c : cases)
    std::printf("%-22s %9.2f %9.1f %28.2f\n", c.name.c_str(), 1e3 * c.median(), c.bytes / c.median() / 1e9,
                c.median() * best / c.bytes);
}
