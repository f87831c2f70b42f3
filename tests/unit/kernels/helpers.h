// Shared by the kernel tests: random data, every instruction set of this machine in turn, distances.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "kernels/cpu.h"
#include "kernels/exec.h"

namespace llmkit::kernels::test {

struct Fixture {
  explicit Fixture(int threads = 2) : parallel(threads) {}
  Parallel parallel;
  Workspace workspace;
  Exec ex{parallel, workspace};

  // Repeats `work` until two workers had three tiles each: short tiles may all be gone before a second worker wakes.
  template <class F>
  void until_shared(F&& work) {
    for (int i = 0; i < 100'000; ++i) {
      work();
      ParallelStats stats = parallel.stats();
      if (stats.workers >= 2 && stats.least_tiles >= 3) return;
    }
  }
};

inline std::vector<Isa> isas() {
  std::vector<Isa> all;
  for (int i = 0; i <= static_cast<int>(detected_isa()); ++i) all.push_back(static_cast<Isa>(i));
  return all;
}

// Forces an instruction set for a scope.
class IsaScope {
 public:
  explicit IsaScope(Isa isa) : before_(active_isa()) { force_isa(isa); }
  ~IsaScope() { force_isa(before_); }
  IsaScope(const IsaScope&) = delete;
  IsaScope& operator=(const IsaScope&) = delete;

 private:
  Isa before_;
};

inline std::vector<float> random_floats(int64_t n, uint64_t seed, double spread = 1.0) {
  Rng rng{seed, 77};
  std::vector<float> x(static_cast<size_t>(n));
  for (auto& value : x) value = static_cast<float>(spread * rng.normal());
  return x;
}

inline std::vector<double> to_double(const std::vector<float>& x) {
  return {x.begin(), x.end()};
}

// max |a - b| / (1 + |b|)
template <class A, class B>
double distance(const std::vector<A>& a, const std::vector<B>& b) {
  double worst = a.size() == b.size() ? 0 : INFINITY;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    const double d = std::abs(x - y) / (1 + std::abs(y));
    worst = d > worst || std::isnan(d) ? d : worst;
  }
  return worst;
}

}  // namespace llmkit::kernels::test
