// The inner loop of MinHash, once for every instruction set: compiled with 4, 8 or 16 lanes a register. `Registers`
// minima and their coefficients stay in the register file while a block of shingles that fits the first cache streams
// by.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace llmkit::dedup {
namespace {  // each translation unit has its own: the copies are compiled for different processors

template <int Lanes>
struct Vector {
  typedef uint32_t Type __attribute__((vector_size(Lanes * 4)));
};

template <int Lanes, int Registers>
void minhash_pass(uint32_t* mins, const uint32_t* a, const uint32_t* b, const uint64_t* shingles, int64_t count) {
  using V = typename Vector<Lanes>::Type;
  V lowest[Registers], factor[Registers], addend[Registers];
  std::memcpy(lowest, mins, sizeof lowest);
  std::memcpy(factor, a, sizeof factor);
  std::memcpy(addend, b, sizeof addend);
  for (int64_t s = 0; s < count; ++s) {
    V x = V{} + static_cast<uint32_t>(shingles[s] >> 32);
    for (int i = 0; i < Registers; ++i) {  // min_i = min(min_i, a_i x + b_i mod 2^32)
      V value = factor[i] * x + addend[i];
      lowest[i] = value < lowest[i] ? value : lowest[i];
    }
  }
  std::memcpy(mins, lowest, sizeof lowest);
}

template <int Lanes, int Registers>
void minhash_lanes(uint32_t* mins, const uint32_t* a, const uint32_t* b, int lanes, const uint64_t* shingles,
                   int64_t count) {
  constexpr int64_t kBlock = 2048;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    int64_t n = std::min(kBlock, count - begin);
    int lane = 0;
    for (; lane + Lanes * Registers <= lanes; lane += Lanes * Registers)
      minhash_pass<Lanes, Registers>(mins + lane, a + lane, b + lane, shingles + begin, n);
    for (; lane < lanes; lane += Lanes) minhash_pass<Lanes, 1>(mins + lane, a + lane, b + lane, shingles + begin, n);
  }
}

}  // namespace
}  // namespace llmkit::dedup
