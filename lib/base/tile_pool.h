// Threads that run the tiles of one call after another. Between calls they watch for the next one for a moment before
// they sleep: the products of a training step follow each other within microseconds, and waking a thread takes longer.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "base/apart.h"
#include "base/parallel.h"

namespace llmkit {

class TilePool {
 public:
  // The caller is one of the threads; the others start at the first run.
  explicit TilePool(int threads) : threads_(threads), apart_(threads) {}
  ~TilePool();
  TilePool(const TilePool&) = delete;
  TilePool& operator=(const TilePool&) = delete;

  // f(0) … f(tiles-1) on the pool; f does not throw. False, with nothing done, while another thread's call is running.
  bool run(int64_t tiles, TileFunction f);

 private:
  void work_until_stopped(int member);
  bool run_one(int member);

  // One word claims a tile: the call's number above, the count of tiles not yet begun below. A claim that succeeds
  // holds its call open, so that the fields of the call may be read after it.
  static constexpr int kCountBits = 40;
  static constexpr uint64_t kCountMask = (uint64_t{1} << kCountBits) - 1;

  int threads_;
  Apart apart_;
  std::mutex caller_;
  std::vector<std::thread> pool_;
  const TileFunction* function_ = nullptr;
  int64_t tiles_ = 0;
  alignas(64) std::atomic<uint64_t> ticket_{0};
  alignas(64) std::atomic<int64_t> unfinished_{0};
  alignas(64) std::atomic<uint32_t> calls_{0};  // what sleepers wait on
  std::atomic<int> sleepers_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace llmkit
