// Which tokens each training sequence sees: a pure function of (seed, sequence number), with no state to save.
//
// windows: an epoch cuts the stream of N tokens into floor((N - 1) / T) windows of T inputs and T targets (the same
//   tokens, one later), and visits every window once in an order drawn anew for each epoch. The order is a bijection
//   on [0, n) computed point by point: a balanced Feistel network on the next power of four, re-applied while the
//   value lies outside (cycle walking; Black and Rogaway, "Ciphers with arbitrary finite domains", 2002), so seeking
//   to any step costs nothing and needs no table. The tokens that do not fill a window are left out at a different
//   end each epoch: the first window starts at a random offset below what is left over.
// crops: every sequence starts at an independent uniform position (nanoGPT's recipe).
// sequential: windows from the start of the stream to its end, epoch after epoch, for data that was put in order (a
//   curriculum) or shuffled already.
//
// Several sources share the sequences in proportion to their weights, in periods of a thousand: each period holds its
// whole number of sequences of each source in an order drawn anew, so the shares are exact at every multiple of a
// thousand, and which source sequence n comes from, and the how-manieth of that source it is, needs no counting.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

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

class SourceMix {
 public:
  static constexpr uint64_t kPeriod = 1000;
  struct Place {
    size_t source;
    uint64_t index;  // of the sequences of that source
  };

  // Weights in any unit, all positive; each source gets at least one sequence a period.
  SourceMix(std::span<const double> weights, uint64_t seed);
  Place at(uint64_t number) const;
  uint64_t per_period(size_t source) const { return first_[source + 1] - first_[source]; }

 private:
  uint64_t seed_;
  std::vector<uint64_t> first_;  // slots [first_[s], first_[s + 1]) of a permuted period belong to source s
};

// Micro-batches of each step while the batch grows: from `first` to `full` in a straight line over `steps` steps.
class BatchRamp {
 public:
  explicit BatchRamp(int64_t full, int64_t first = 0, int64_t steps = 0);  // first 0: full from the start
  int64_t at(int64_t step) const;
  int64_t before(int64_t step) const;             // in all steps before it
  int64_t steps_for(double micro_batches) const;  // the fewest steps that see so many

 private:
  int64_t full_;
  std::vector<int64_t> before_{0};  // of steps 0 … ramp steps
};

enum class OrderKind { windows, crops, sequential };
OrderKind parse_order(std::string_view name);  // "windows", "crops" or "sequential"; throws UsageError

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
