#include "engine/data_order.h"

#include <string>

#include "base/error.h"
#include "base/rng.h"

namespace llmkit::engine {
namespace {

constexpr int kRounds = 6;  // four make a pseudo-random permutation (Luby and Rackoff, 1988)

// Names of the random streams, part of the key.
constexpr uint64_t kEpochOrder = 0x6f72646572;   // "order"
constexpr uint64_t kEpochOffset = 0x6f6666736574;  // "offset"
constexpr uint64_t kCrop = 0x63726f70;           // "crop"

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

OrderKind parse_order(std::string_view name) {
  if (name == "windows") return OrderKind::windows;
  if (name == "crops") return OrderKind::crops;
  throw UsageError(ErrorParts{"unknown data order", {}, "windows or crops", std::string(name), {}});
}

DataOrder::DataOrder(OrderKind kind, uint64_t seed, uint64_t tokens, uint64_t length)
    : kind_(kind), seed_(seed), tokens_(tokens), length_(length), windows_(tokens > 0 && length > 0 ? (tokens - 1) / length : 0) {
  if (windows_ == 0)
    throw Error(ErrorParts{"too little data for one training sequence", {}, std::to_string(length + 1) + " tokens or more",
                           std::to_string(tokens), "a shorter --context, or more data"});
}

uint64_t DataOrder::start(uint64_t number) const {
  if (kind_ == OrderKind::crops) return Rng{seed_, kCrop, number}.below(tokens_ - length_);
  uint64_t epoch = number / windows_;
  uint64_t left_over = tokens_ - 1 - windows_ * length_;
  uint64_t offset = Rng{seed_, kEpochOffset, epoch}.below(left_over + 1);
  Permutation order(windows_, stream_key({seed_, kEpochOrder, epoch}));
  return offset + order(number % windows_) * length_;
}

}  // namespace llmkit::engine
