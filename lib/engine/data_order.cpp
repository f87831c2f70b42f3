#include "engine/data_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "base/error.h"
#include "base/rng.h"

namespace llmkit::engine {
namespace {

constexpr int kRounds = 6;  // four make a pseudo-random permutation (Luby and Rackoff, 1988)

// Names of the random streams, part of the key.
constexpr uint64_t kEpochOrder = 0x6f72646572;     // "order"
constexpr uint64_t kEpochOffset = 0x6f6666736574;  // "offset"
constexpr uint64_t kCrop = 0x63726f70;             // "crop"
constexpr uint64_t kMix = 0x6d6978;                // "mix"

}  // namespace

Permutation::Permutation(uint64_t size, uint64_t key) : size_(size), key_(key) {
  while (half_bits_ < 32 && uint64_t{1} << (2 * half_bits_) < size) ++half_bits_;
}

uint64_t Permutation::scramble(uint64_t value) const {
  uint32_t mask = half_bits_ == 32 ? ~uint32_t{0} : (uint32_t{1} << half_bits_) - 1;
  auto left = static_cast<uint32_t>(value >> half_bits_) & mask;
  auto right = static_cast<uint32_t>(value) & mask;
  for (uint32_t round = 0; round < kRounds; ++round) {
    uint32_t mixed = philox({right, round, 0, 0}, {static_cast<uint32_t>(key_), static_cast<uint32_t>(key_ >> 32)})[0];
    uint32_t next = left ^ (mixed & mask);
    left = right;
    right = next;
  }
  return uint64_t{left} << half_bits_ | right;
}

uint64_t Permutation::operator()(uint64_t index) const {
  do index = scramble(index);
  while (index >= size_);
  return index;
}

SourceMix::SourceMix(std::span<const double> weights, uint64_t seed) : seed_(seed), first_{0} {
  double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<uint64_t> slots;
  std::vector<std::pair<double, size_t>> rests;  // largest remainders first, earlier sources first among equals
  uint64_t taken = 0;
  for (double weight : weights) {
    double share = weight / sum * static_cast<double>(kPeriod);
    slots.push_back(std::max<uint64_t>(1, static_cast<uint64_t>(share)));
    rests.emplace_back(share - std::floor(share), slots.size() - 1);
    taken += slots.back();
  }
  std::stable_sort(rests.begin(), rests.end(), [](auto& a, auto& b) { return a.first > b.first; });
  for (size_t i = 0; taken < kPeriod; i = (i + 1) % rests.size(), ++taken) ++slots[rests[i].second];
  for (; taken > kPeriod; --taken)
    --*std::max_element(slots.begin(), slots.end());  // many tiny sources were raised to one
  for (uint64_t n : slots) first_.push_back(first_.back() + n);
}

SourceMix::Place SourceMix::at(uint64_t number) const {
  if (first_.size() == 2) return {0, number};
  uint64_t period = number / kPeriod;
  uint64_t slot = Permutation(kPeriod, stream_key({seed_, kMix, period}))(number % kPeriod);
  auto source = static_cast<size_t>(std::upper_bound(first_.begin(), first_.end(), slot) - first_.begin() - 1);
  return {source, period * per_period(source) + slot - first_[source]};
}

BatchRamp::BatchRamp(int64_t full, int64_t first, int64_t steps) : full_(full) {
  if (first <= 0 || first >= full) return;
  for (int64_t s = 0; s < steps; ++s) before_.push_back(before_.back() + first + (full - first) * s / steps);
}

int64_t BatchRamp::before(int64_t step) const {
  auto ramp = static_cast<int64_t>(before_.size()) - 1;
  return step <= ramp ? before_[static_cast<size_t>(step)] : before_.back() + (step - ramp) * full_;
}

int64_t BatchRamp::at(int64_t step) const {
  return before(step + 1) - before(step);
}

int64_t BatchRamp::steps_for(double micro_batches) const {
  auto ramp = static_cast<int64_t>(before_.size()) - 1;
  for (int64_t step = 0; step <= ramp; ++step)
    if (static_cast<double>(before_[static_cast<size_t>(step)]) >= micro_batches) return step;
  return ramp + static_cast<int64_t>(
                    std::ceil((micro_batches - static_cast<double>(before_.back())) / static_cast<double>(full_)));
}

OrderKind parse_order(std::string_view name) {
  if (name == "windows") return OrderKind::windows;
  if (name == "crops") return OrderKind::crops;
  if (name == "sequential") return OrderKind::sequential;
  throw UsageError(ErrorParts{"unknown data order", {}, "windows, crops or sequential", std::string(name), {}});
}

DataOrder::DataOrder(OrderKind kind, uint64_t seed, uint64_t tokens, uint64_t length)
    : kind_(kind),
      seed_(seed),
      tokens_(tokens),
      length_(length),
      windows_(tokens > 0 && length > 0 ? (tokens - 1) / length : 0) {
  if (windows_ == 0)
    throw Error(ErrorParts{"too little data for one training sequence",
                           {},
                           std::to_string(length + 1) + " tokens or more",
                           std::to_string(tokens),
                           "a shorter --context, or more data"});
}

uint64_t DataOrder::start(uint64_t number) const {
  if (kind_ == OrderKind::crops) return Rng{seed_, kCrop, number}.below(tokens_ - length_);
  if (kind_ == OrderKind::sequential) return number % windows_ * length_;
  uint64_t epoch = number / windows_;
  uint64_t left_over = tokens_ - 1 - windows_ * length_;
  uint64_t offset = Rng{seed_, kEpochOffset, epoch}.below(left_over + 1);
  Permutation order(windows_, stream_key({seed_, kEpochOrder, epoch}));
  return offset + order(number % windows_) * length_;
}

}  // namespace llmkit::engine
