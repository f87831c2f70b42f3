// Locality-sensitive hashing of MinHash signatures (Indyk and Motwani 1998; Leskovec, Rajaraman, Ullman, "Mining of
// massive datasets", 3.4): documents whose signatures agree on all rows of a band are candidates.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "dedup/minhash.h"
#include "io/scratch.h"

namespace llmkit::dedup {

struct Pair {
  uint32_t a, b;  // document numbers, a < b
  auto operator<=>(const Pair&) const = default;
};

// Signatures of documents 0 … n-1, one after the other.
struct SignatureTable {
  MinHashParams params;
  io::ScratchArray<uint32_t> values{};
  size_t documents() const { return values.size() / static_cast<size_t>(params.hashes()); }
  std::span<const uint32_t> of(uint32_t document) const {
    auto hashes = static_cast<size_t>(params.hashes());
    return {values.data() + document * hashes, hashes};
  }
};

// In a bucket of up to this many documents every pair is a candidate; in a larger one each document is paired with the
// bucket's first and with the one before it, which connects the same cluster with 2n instead of n^2 / 2 pairs.
constexpr size_t kAllPairsBucket = 24;

// All candidate pairs, sorted, each once. `members` are the documents that take part, ascending. Bands are sorted in
// parallel, as many at a time as fit `memory_bytes` (at least one): 16 bytes a member and running band; 8 bytes a pair.
std::vector<Pair> candidate_pairs(const SignatureTable& signatures, std::span<const uint32_t> members,
                                  Parallel& parallel, uint64_t memory_bytes = UINT64_MAX);

}  // namespace llmkit::dedup
