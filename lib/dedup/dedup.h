// Removes documents that occurred before, exactly or nearly, from a corpus that need not fit into memory.
//
// Pass 1 reads every document and keeps its exact key, its signature and a hash of its line. Exact duplicates share a
// key; what is left is compared by MinHash and banding (and, with `verify`, by the exact Jaccard similarity of the
// shingle sets, for which a pass in between collects those of the candidates). The last pass reads the inputs again and
// writes the survivors' lines unchanged. Standard input and pipes are copied to a temporary file first.
//
// Memory: about 45 bytes a document; 4 bytes for each of its hashes (in a temporary file beyond half the budget); 16
// bytes a document and band that is being sorted; 8 bytes a candidate pair; and the ids of the documents in clusters,
// where asked for.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/context.h"
#include "dedup/minhash.h"
#include "formats/jsonl.h"

namespace llmkit::dedup {

enum class Keep { first, longest };

struct DedupOptions {
  std::vector<std::string> inputs;
  std::string output = "-";  // kept documents
  std::string clusters;  // who is a duplicate of whom: JSON lines, or a table where the name ends in .tsv; empty: none
  std::string rejects;   // dropped documents; empty: none
  bool exact = true, near = true;
  MinHashParams minhash;
  int ngram = 5;
  double verify = 0;  // above 0: candidates must have at least this exact Jaccard similarity
  Keep keep = Keep::first;
  formats::DocumentReaderOptions reading;
  std::string temporary_folder;  // empty: $TMPDIR or /tmp
  bool replace = false;
};

// One line of the cluster file.
struct ClusterMember {
  uint32_t cluster = 0;   // from 1, in the order of first members
  uint32_t document = 0;  // in input order, from 0, bad lines not counted
  bool kept = false;
  bool exact = false;     // equal to the kept document after normalisation
  double similarity = 1;  // to the kept document: of the shingle sets where verified, else the estimate
  std::string id;         // as JSON: "\"a\"", 7, or null
  std::string place;      // "docs.jsonl:17"
};

struct DedupResult {
  uint64_t documents = 0, kept = 0, exact_dropped = 0, near_dropped = 0;
  uint64_t bytes_in = 0, bytes_out = 0;
  uint64_t candidate_pairs = 0, matching_pairs = 0;          // before and after verification
  uint64_t clusters = 0;                                     // of two documents or more
  std::vector<std::pair<uint32_t, uint64_t>> cluster_sizes;  // size, how many clusters have it; ascending, from size 2
  std::array<uint64_t, 20> similarities{};  // of dropped near duplicates to what was kept, in steps of 0.05
  std::vector<ClusterMember> largest;       // of the ten largest clusters, at most five members each
  bool spilled = false;                     // whether signatures went to a temporary file
  formats::BadRecords bad;
};

DedupResult run_dedup(const DedupOptions& options, Context& context);

}  // namespace llmkit::dedup
