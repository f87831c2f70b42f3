// Between the passes: exact groups, candidate pairs, their verification, and who survives.
#include <algorithm>
#include <numeric>

#include "base/hash.h"
#include "dedup/corpus.h"
#include "dedup/union_find.h"

namespace llmkit::dedup {
namespace {

// For every document the first one with the same exact key.
std::vector<uint32_t> first_equals(const Corpus& corpus) {
  std::vector<uint32_t> order(corpus.documents()), first(corpus.documents());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return corpus.exact[a] != corpus.exact[b] ? corpus.exact[a] < corpus.exact[b] : a < b;
  });
  for (size_t i = 0; i < order.size(); ++i) {
    bool same = i > 0 && corpus.exact[order[i]] == corpus.exact[order[i - 1]];
    first[order[i]] = same ? first[order[i - 1]] : order[i];
  }
  return first;
}

// The shingle sets of some documents.
struct ShingleSets {
  explicit ShingleSets(uint64_t memory_bytes, const std::string& folder) : values(memory_bytes, folder) {}
  std::vector<uint32_t> documents;  // ascending
  std::vector<size_t> begins{0};    // of each set in `values`, and the end of the last
  io::ScratchArray<uint64_t> values;

  double similarity(uint32_t a, uint32_t b) const {
    auto [a_set, a_size] = set(a);
    auto [b_set, b_size] = set(b);
    return jaccard(a_set, a_size, b_set, b_size);
  }

 private:
  std::pair<const uint64_t*, size_t> set(uint32_t document) const {
    auto i = static_cast<size_t>(std::lower_bound(documents.begin(), documents.end(), document) - documents.begin());
    return {values.data() + begins[i], begins[i + 1] - begins[i]};
  }
};

struct Sets {
  std::vector<std::vector<uint64_t>> sets;
};

// The pass in between: reads the candidates' texts again.
void collect_sets(const Inputs& inputs, const DedupOptions& options, Context& context, const Corpus& corpus,
                  ShingleSets& out) {
  const Shingler shingler(options.ngram);
  auto reader = inputs.open();
  auto work = [&](Batch<Sets>& batch) {
    Shingles shingles;
    size_t document = batch.first_document;
    for (size_t i = 0; i < batch.lines.lines.size(); ++i) {
      if (!corpus.good_lines[batch.first_line + i]) continue;
      auto number = static_cast<uint32_t>(document++);
      if (!std::binary_search(out.documents.begin(), out.documents.end(), number)) continue;
      if (auto parsed = reader.parse(batch.lines, i); parsed) shingler.run(parsed->text, shingles);
      make_set(shingles.hashes);
      batch.result.sets.push_back(shingles.hashes);
    }
  };
  auto sink = [&](Batch<Sets>& batch) {
    for (auto& set : batch.result.sets) {
      out.values.append(set);
      out.begins.push_back(out.values.size());
    }
  };
  for_each_batch<Sets>(reader, &corpus.good_lines, context, "verifying", work, sink);
}

std::vector<Pair> verified(const std::vector<Pair>& pairs, const ShingleSets& sets, double threshold,
                           Parallel& parallel) {
  std::vector<uint8_t> holds(pairs.size());
  parallel.for_ranges(static_cast<int64_t>(pairs.size()), 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Pair& pair = pairs[static_cast<size_t>(i)];
      holds[static_cast<size_t>(i)] = sets.similarity(pair.a, pair.b) >= threshold;
    }
  });
  std::vector<Pair> out;
  for (size_t i = 0; i < pairs.size(); ++i)
    if (holds[i]) out.push_back(pairs[i]);
  return out;
}

// Fills survivor and size from the roots.
void choose_survivors(const Corpus& corpus, Keep keep, Clusters& clusters) {
  size_t n = corpus.documents();
  clusters.size.assign(n, 0);
  std::vector<uint32_t> best(n);
  for (uint32_t d = 0; d < n; ++d) {
    uint32_t root = clusters.root[d];
    if (clusters.size[root]++ == 0)
      best[root] = d;
    else if (keep == Keep::longest && corpus.text_bytes[d] > corpus.text_bytes[best[root]])
      best[root] = d;
  }
  clusters.survivor.resize(n);
  for (uint32_t d = 0; d < n; ++d) {
    clusters.survivor[d] = best[clusters.root[d]];
    if (clusters.survivor[d] != d) clusters.dropped.push_back(d);
  }
}

}  // namespace

Clusters find_clusters(const Inputs& inputs, const DedupOptions& options, Context& context, const Corpus& corpus,
                       DedupResult& result) {
  UnionFind sets(corpus.documents());
  std::vector<uint32_t> first;
  if (options.exact) {
    first = first_equals(corpus);
  } else {
    first.resize(corpus.documents());
    std::iota(first.begin(), first.end(), 0u);
  }
  for (uint32_t d = 0; d < first.size(); ++d) sets.unite(first[d], d);

  ShingleSets shingle_sets(memory_budget(context) / 4, options.temporary_folder);
  if (options.near) {
    std::vector<uint32_t> members;
    for (uint32_t d = 0; d < first.size(); ++d)
      if (first[d] == d && corpus.has_words[d]) members.push_back(d);
    auto pairs = candidate_pairs(corpus.signatures, members, context.parallel, memory_budget(context) / 4);
    result.candidate_pairs = pairs.size();
    if (options.verify > 0) {
      for (auto& pair : pairs) shingle_sets.documents.insert(shingle_sets.documents.end(), {pair.a, pair.b});
      std::sort(shingle_sets.documents.begin(), shingle_sets.documents.end());
      shingle_sets.documents.erase(std::unique(shingle_sets.documents.begin(), shingle_sets.documents.end()),
                                   shingle_sets.documents.end());
      collect_sets(inputs, options, context, corpus, shingle_sets);
      pairs = verified(pairs, shingle_sets, options.verify, context.parallel);
    }
    result.matching_pairs = pairs.size();
    for (auto& pair : pairs) sets.unite(pair.a, pair.b);
  }

  Clusters clusters;
  for (uint32_t d = 0; d < corpus.documents(); ++d) clusters.root.push_back(sets.find(d));
  choose_survivors(corpus, options.keep, clusters);
  for (uint32_t d : clusters.dropped) {
    uint32_t kept = clusters.survivor[d];
    bool equal = options.exact && first[d] == first[kept];
    clusters.similarity.push_back(equal ? 1
                                  : options.verify > 0
                                      ? shingle_sets.similarity(first[d], first[kept])
                                      : signature_agreement(corpus.signatures.of(d), corpus.signatures.of(kept)));
  }
  return clusters;
}

}  // namespace llmkit::dedup
