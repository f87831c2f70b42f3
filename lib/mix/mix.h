// Blends sources into one shuffled training set of an exact size.
//
// Every source is read once, tokenised on the way where a tokenizer is given, and put into scratch storage (memory,
// beyond half the budget a temporary file) with 16 bytes of index a document. Held-out documents are chosen by a hash
// of their text, so that equal texts are never on both sides and the choice does not depend on order, seed or the other
// sources. From the rest the plan's amount of each source is drawn: whole epochs, then the start of a seeded
// permutation, the last document cut to size. The drawn documents are shuffled as one list. All of it is a pure
// function of the inputs, the options and the seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/context.h"
#include "formats/jsonl.h"
#include "mix/plan.h"
#include "tokenizer/tokenizer.h"

namespace llmkit::mix {

struct SourceSpec {
  std::string name;
  std::vector<std::string> paths;
  double weight = 0;  // 0 = not given
};
// "NAME=PATH:WEIGHT" or "NAME=PATH". The same name again adds a path to the source. Throws UsageError.
std::vector<SourceSpec> parse_sources(const std::vector<std::string>& texts);

struct MixOptions {
  std::vector<SourceSpec> sources;
  std::string output;                               // folder
  const tokenizer::Tokenizer* tokenizer = nullptr;  // null: JSON lines, measured in bytes of text
  bool end_of_text = true;                          // the tokenizer's eos after every document
  PlanOptions plan;
  double validation_share = 0;        // of the documents of each source; or
  uint64_t validation_documents = 0;  // so many in all
  uint64_t shard_units = 0;           // tokens or bytes in a shard; 0 = 2^28
  formats::DocumentReaderOptions reading;
  std::string temporary_folder;
  bool replace = false;
  bool dry_run = false;  // plan only
};

struct SourceResult {
  std::string name;
  double weight = 0, share = 0;       // as planned
  uint64_t documents = 0, units = 0;  // there are, without the held-out ones
  uint64_t validation_documents = 0, validation_units = 0;
  uint64_t planned = 0;             // units
  uint64_t used_documents = 0;      // different ones
  uint64_t draws = 0, written = 0;  // documents written (repeats counted), their units
  bool capped = false;
  double epochs() const { return units ? static_cast<double>(planned) / static_cast<double>(units) : 0; }
};

struct MixResult {
  std::vector<SourceResult> sources;
  uint64_t budget = 0, total = 0;  // units
  std::string unit;                // "tokens" or "bytes"
  uint64_t bytes_in = 0;
  formats::BadRecords bad;
  std::vector<std::string> warnings;
};

MixResult run_mix(const MixOptions& options, Context& context);

// The plan (and after a run, what was written) as a table of text.
std::string plan_table(const MixResult& result);

}  // namespace llmkit::mix
