// The machine's own limits, measured: what MFU and "% of peak" are relative to.
#pragma once

#include "kernels/exec.h"

namespace llmkit::kernels {

struct Peak {
  double f32_gflops = 0;     // fused multiply-adds in registers, on all threads
  double bf16_gflops = 0;    // with fp32 accumulation, the better of bf16 and fp32 units; 0 where bf16 is slow
  double int8_gops = 0;      // with int32 accumulation
  double read_gbps = 0;      // streaming reads from memory
  double triad_gbps = 0;     // a = b + s·c with plain stores, bytes touched without write-allocate
  double triad_nt_gbps = 0;  // the same with stores that pass the caches by; 0 where there are none
};
// Takes about `seconds` for each figure and 256 MiB of memory.
Peak measure_peak(Parallel& parallel, double seconds = 0.2);

}  // namespace llmkit::kernels
