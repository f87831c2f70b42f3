#include "dedup/lsh.h"

#include <xxhash.h>

#include <algorithm>

namespace llmkit::dedup {
namespace {

struct BandEntry {
  uint64_t key;
  uint32_t document;
};

void bucket_pairs(std::span<const BandEntry> bucket, std::vector<Pair>& out) {
  if (bucket.size() <= kAllPairsBucket) {
    for (size_t j = 1; j < bucket.size(); ++j)
      for (size_t i = 0; i < j; ++i) out.push_back({bucket[i].document, bucket[j].document});
    return;
  }
  for (size_t j = 1; j < bucket.size(); ++j) {
    out.push_back({bucket[0].document, bucket[j].document});
    if (j > 1) out.push_back({bucket[j - 1].document, bucket[j].document});
  }
}

std::vector<Pair> band_pairs(const SignatureTable& signatures, std::span<const uint32_t> members, size_t band) {
  auto rows = static_cast<size_t>(signatures.params.rows);
  std::vector<BandEntry> entries;
  entries.reserve(members.size());
  for (uint32_t document : members) {
    auto signature = signatures.of(document);
    entries.push_back({XXH3_64bits(signature.data() + band * rows, rows * sizeof(uint32_t)), document});
  }
  std::sort(entries.begin(), entries.end(), [](const BandEntry& x, const BandEntry& y) {
    return x.key != y.key ? x.key < y.key : x.document < y.document;
  });
  std::vector<Pair> pairs;
  for (size_t begin = 0; begin < entries.size();) {
    size_t end = begin + 1;
    while (end < entries.size() && entries[end].key == entries[begin].key) ++end;
    if (end - begin > 1) bucket_pairs({entries.data() + begin, end - begin}, pairs);
    begin = end;
  }
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

}  // namespace

std::vector<Pair> candidate_pairs(const SignatureTable& signatures, std::span<const uint32_t> members,
                                  Parallel& parallel, uint64_t memory_bytes) {
  auto bands = static_cast<size_t>(signatures.params.bands);
  auto together =
      static_cast<size_t>(std::clamp<uint64_t>(memory_bytes / (sizeof(BandEntry) * members.size() + 1), 1, bands));
  // Merging group after group keeps the memory at the distinct pairs so far: near duplicates meet in most bands.
  std::vector<Pair> all, merged;
  std::vector<std::vector<Pair>> by_band(bands);
  for (size_t first = 0; first < bands; first += together) {
    size_t count = std::min(together, bands - first);
    parallel.for_tiles(static_cast<int64_t>(count), [&](int64_t i) {
      size_t band = first + static_cast<size_t>(i);
      by_band[band] = band_pairs(signatures, members, band);
    });
    for (size_t band = first; band < first + count; ++band) {
      merged.clear();
      std::set_union(all.begin(), all.end(), by_band[band].begin(), by_band[band].end(), std::back_inserter(merged));
      all.swap(merged);
      by_band[band] = {};
    }
  }
  return all;
}

}  // namespace llmkit::dedup
