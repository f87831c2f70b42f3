// Removes documents that occurred before, exactly or nearly, from a corpus that need not fit into memory.
//
// Pass 1 reads every document and keeps what section "memory" below says. Exact duplicates share a key; the others are
// compared by MinHash and banding. Pass 2 reads the inputs again and writes the lines of the survivors unchanged.
//
// Memory: 34 bytes a document, and with near duplicates 4 bytes for each of the 112 hashes (in a temporary file beyond the
// budget), 16 bytes a document and band that is being sorted, 8 bytes a candidate pair, and the ids of documents in clusters.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/context.h"
#include "dedup/minhash.h"
#include "formats/jsonl.h"

namespace llmkit::dedup {

enum class Keep { first, longest };

struct DedupOptions {
  std::vector<std::string> inputs;
  std::string output = "-";      // kept documents; empty: none written
  std::string clusters;          // who was a duplicate of whom: JSON lines, or a table where it ends in .tsv; empty: none
  std::string rejects;           // dropped documents; empty: none
  bool exact = true, near = true;
  MinHashParams minhash;
  int ngram = 5;
  double verify = 0;             // above 0: candidates must have at least this exact Jaccard similarity
  Keep keep = Keep::first;
  formats::DocumentReaderOptions reading;
  std::string temporary_folder;
  bool replace = false;
};

// One line of the cluster file.
struct ClusterMember {
  uint32_t cluster;    // from 1, in the order of first members
  uint32_t document;   // in input order, from 0, bad lines not counted
  bool kept;
  bool exact;          // equal to the kept document after normalisation
  float similarity;    // to the kept document: of the shingle sets where verified, else the estimate; 1 where exact
  std::string id;      // "" where the document has none
  std::string place;   // "docs.jsonl:17"
};

struct DedupResult {
  uint64_t documents = 0, kept = 0, exact_dropped = 0, near_dropped = 0;
  uint64_t bytes_in = 0, bytes_out = 0;
  uint64_t candidate_pairs = 0, matching_pairs = 0;  // after verification; equal without
  uint64_t clusters = 0;
  std::vector<std::pair<uint32_t, uint64_t>> cluster_sizes;  // size, how many clusters have it; ascending, size 1 included
  std::array<uint64_t, 20> similarities{};                   // of near duplicates to what was kept, in steps of 0.05
  std::vector<ClusterMember> largest;                        // the members of the ten largest clusters, at most five each
  bool spilled = false;                                      // whether signatures went to a temporary file
  formats::BadRecords bad;
};

DedupResult run_dedup(const DedupOptions& options, Context& context);

}  // namespace llmkit::dedup
