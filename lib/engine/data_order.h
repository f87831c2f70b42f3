// Which tokens each training sequence sees: a pure function of (seed, sequence number), with no state to save.
//
// windows: an epoch cuts the stream of N tokens into floor((N - 1) / T) windows of T inputs and T targets (the same
//   tokens, one later), and visits every window once in an order drawn anew for each epoch. The order is a bijection
//   on [0, n) computed point by point: a balanced Feistel network on the next power of four, re-applied while the
//   value lies outside (cycle walking; Black and Rogaway, "Ciphers with arbitrary finite domains", 2002), so seeking
//   to any step costs nothing and needs no table. The tokens that do not fill a window are left out at a different
//   end each epoch: the first window starts at a random offset below what is left over.
// crops: every sequence starts at an independent uniform position (nanoGPT's recipe).
#pragma once

#include <cstdint>
#include <string_view>

namespace llmkit::engine {

// A keyed bijection on [0, size).
class Permutation {
 public:
  Permutation(uint64_t size, uint64_t key);
  uint64_t operator()(uint64_t index) const;  // index < size
  uint64_t size() const { return size_; }

 private:
  uint64_t scramble(uint64_t value) const;

  uint64_t size_;
  uint64_t key_;
  int half_bits_ = 1;
};

enum class OrderKind { windows, crops };
OrderKind parse_order(std::string_view name);  // "windows" or "crops"; throws UsageError

class DataOrder {
 public:
  // `tokens` in the stream, sequences of `length` inputs (and as many targets).
  DataOrder(OrderKind kind, uint64_t seed, uint64_t tokens, uint64_t length);

  // The position of the first input of sequence `number` (counted from 0 over the whole run).
  uint64_t start(uint64_t number) const;
  uint64_t windows_per_epoch() const { return windows_; }

 private:
  OrderKind kind_;
  uint64_t seed_, tokens_, length_, windows_;
};

}  // namespace llmkit::engine
