#include "kernels/peak.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "kernels/gemm_int8_table.h"
#include "kernels/gemm_table.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace llmkit::kernels {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// With one thread, the thread's own CPU time: a busy machine disturbs the figure less.
double timer(const Parallel& parallel) {
  if (parallel.threads() > 1) return now();
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// The best rate of `work` units over repeated calls of f within `seconds`.
template <class F>
double best_rate(const Parallel& parallel, double work, double seconds, F&& f) {
  f();  // wakes the threads, touches the memory
  double best = 0;
  const double begin = now();
  do {
    const double start = timer(parallel);
    f();
    best = std::max(best, work / (timer(parallel) - start));
  } while (now() - begin < seconds);
  return best;
}

double flops(Parallel& parallel, void (*peak)(int64_t), double flops_a_round, double seconds) {
  const auto iterations = static_cast<int64_t>(2e9 / flops_a_round) / 4;  // about a millisecond on a fast core
  const int64_t tiles = parallel.threads() * int64_t{4};
  return best_rate(parallel, flops_a_round * static_cast<double>(iterations * tiles), seconds,
                   [&] { parallel.for_tiles(tiles, [&](int64_t) { peak(iterations); }); }) /
         1e9;
}

double read_bandwidth(Parallel& parallel, const AlignedBuffer& buffer, double seconds) {
  const auto* words = static_cast<const uint64_t*>(buffer.data());
  constexpr int64_t kGrain = int64_t{1} << 18;
  const auto count = static_cast<int64_t>(buffer.size() / sizeof(uint64_t));
  return best_rate(parallel, static_cast<double>(buffer.size()), seconds,
                   [&] {
                     parallel.for_ranges(count, kGrain, [&](int64_t begin, int64_t end) {
                       uint64_t a = 0, b = 0, c = 0, d = 0;
                       for (int64_t i = begin; i + 32 <= end;
                            i += 32) {  // four words of four lines: memory, not the adder, is the limit
                         a += words[i];
                         b += words[i + 8];
                         c += words[i + 16];
                         d += words[i + 24];
                       }
                       volatile uint64_t keep = a + b + c + d;
                       (void)keep;
                     });
                   }) /
         1e9;
}

#if defined(__x86_64__)
// Stores that do not read the line they overwrite (SSE2, on every x86-64).
void triad_streaming(float* a, const float* b, const float* c, int64_t n) {
  const __m128 three = _mm_set1_ps(3);
  for (int64_t i = 0; i < n; i += 4)
    _mm_stream_ps(a + i, _mm_add_ps(_mm_loadu_ps(b + i), _mm_mul_ps(three, _mm_loadu_ps(c + i))));
  _mm_sfence();
}
#endif

void triad_plain(float* a, const float* b, const float* c, int64_t n) {
  for (int64_t i = 0; i < n; ++i) a[i] = b[i] + 3.0f * c[i];
}

double triad_bandwidth(Parallel& parallel, const AlignedBuffer& buffer, double seconds,
                       void (*triad)(float*, const float*, const float*, int64_t)) {
  auto* x = static_cast<float*>(buffer.data());
  constexpr int64_t kGrain = int64_t{1} << 16;
  const auto n = static_cast<int64_t>(buffer.size() / sizeof(float) / 3) / kGrain * kGrain;
  return best_rate(parallel, 3.0 * static_cast<double>(n) * sizeof(float), seconds,
                   [&] {
                     parallel.for_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
                       triad(x + begin, x + n + begin, x + 2 * n + begin, end - begin);
                     });
                   }) /
         1e9;
}

}  // namespace

Peak measure_peak(Parallel& parallel, double seconds) {
  Peak peak;
  const Isa isa = active_isa();
  const auto &f32 = gemm_kernels<float>(isa, Precision::f32), &bf16 = gemm_kernels<float>(isa, Precision::bf16);
  const auto& int8 = int8_kernels(isa);
  peak.f32_gflops = flops(parallel, f32.peak, f32.peak_flops, seconds);
  // The better of the two ways to multiply bf16: rounded inputs may go through the fp32 unit too.
  if (bf16_is_fast())
    peak.bf16_gflops = std::max(peak.f32_gflops, flops(parallel, bf16.peak, bf16.peak_flops, seconds));
  peak.int8_gops = flops(parallel, int8.peak, int8.peak_ops, seconds);
  AlignedBuffer buffer(size_t{256} << 20);
  auto* words = static_cast<uint64_t*>(buffer.data());
  parallel.for_ranges(static_cast<int64_t>(buffer.size() / 8), int64_t{1} << 18,
                      [&](int64_t begin, int64_t end) { std::fill(words + begin, words + end, 0); });
  peak.read_gbps = read_bandwidth(parallel, buffer, seconds);
  peak.triad_gbps = triad_bandwidth(parallel, buffer, seconds, triad_plain);
#if defined(__x86_64__)
  peak.triad_nt_gbps = triad_bandwidth(parallel, buffer, seconds, triad_streaming);
#endif
  return peak;
}

}  // namespace llmkit::kernels
