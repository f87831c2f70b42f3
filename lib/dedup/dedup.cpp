#include "dedup/dedup.h"

#include <algorithm>
#include <filesystem>

#include "dedup/corpus.h"

namespace llmkit::dedup {
namespace {

// Said before hours of reading instead of after them.
void refuse_existing(const DedupOptions& options) {
  for (auto& path : {options.output, options.clusters, options.rejects})
    if (!options.replace && std::filesystem::is_regular_file(path))
      throw Error({"already exists", path, {}, {}, "--force replaces it"});
}

}  // namespace

DedupResult run_dedup(const DedupOptions& options, Context& context) {
  refuse_existing(options);
  DedupResult result;
  Inputs inputs(options);
  Corpus corpus(options, memory_budget(context));
  scan(inputs, options, context, corpus, result.bad);
  Clusters clusters = find_clusters(inputs, options, context, corpus, result);
  for (size_t i = 0; i < clusters.dropped.size(); ++i) {
    uint32_t d = clusters.dropped[i];
    if (options.exact && corpus.exact[d] == corpus.exact[clusters.survivor[d]]) {
      ++result.exact_dropped;
      continue;
    }
    ++result.near_dropped;
    auto step = static_cast<size_t>(clusters.similarity[i] * 20);
    ++result.similarities[std::min(step, result.similarities.size() - 1)];
  }
  result.documents = corpus.documents();
  result.kept = result.documents - clusters.dropped.size();
  result.spilled = corpus.signatures.values.on_disk();
  write_outputs(inputs, options, context, corpus, clusters, result);
  return result;
}

}  // namespace llmkit::dedup
