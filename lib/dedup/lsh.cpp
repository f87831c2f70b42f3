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

std::vector<Pair> candidate_pairs(const SignatureTable& signatures, std::span<const uint32_t> members, Parallel& parallel) {
  auto bands = static_cast<size_t>(signatures.params.bands);
  std::vector<std::vector<Pair>> by_band(bands);
  parallel.for_tiles(static_cast<int64_t>(bands), [&](int64_t band) {
    by_band[static_cast<size_t>(band)] = band_pairs(signatures, members, static_cast<size_t>(band));
  });
  // Merging band after band keeps the memory at the distinct pairs so far: near duplicates meet in most bands.
  std::vector<Pair> all, merged;
  for (auto& pairs : by_band) {
    merged.clear();
    std::set_union(all.begin(), all.end(), pairs.begin(), pairs.end(), std::back_inserter(merged));
    all.swap(merged);
    pairs = {};
  }
  return all;
}

}  // namespace llmkit::dedup
