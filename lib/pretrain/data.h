// The tokens of a run: a folder of token shards (memory-mapped), or text that is tokenized at the start and kept in
// memory, which is for small corpora; `llmkit mix --tokenizer` makes shards of any size.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/context.h"
#include "engine/loader.h"
#include "formats/bad_records.h"
#include "formats/token_shards.h"
#include "pretrain/options.h"
#include "tokenizer/tokenizer.h"

namespace llmkit::pretrain {

struct Data {
  std::vector<engine::TokenSource> sources;
  int64_t vocab_size = 0;
  int32_t separator = -1;                           // the token behind each document, -1 = none
  std::unique_ptr<tokenizer::Tokenizer> tokenizer;  // null where shards carry none and none was given
  std::string fingerprint;                          // equal for equal tokens
  std::vector<std::string> inputs;
  uint64_t documents = 0;   // of text files: good ones
  formats::BadRecords bad;  // and damaged ones, which are left out

  // What the streams read from.
  std::vector<std::unique_ptr<formats::TokenShards>> shards;
  std::vector<std::unique_ptr<std::vector<int32_t>>> texts;

  uint64_t train_tokens() const;
  uint64_t validation_tokens() const;
};

// One entry of --data: PATH, or NAME=PATH:WEIGHT with the weight, NAME or both left out (the weight is then 1).
struct DataEntry {
  std::string name, path;
  double weight = 1;
};
std::vector<DataEntry> parse_entries(const std::vector<std::string>& data);

Data open_data(const DataOptions& options, Context& context);

// The texts of DataOptions::probe as tokens, behind an end-of-text token where there is one, cut at `context` targets.
std::vector<std::vector<int32_t>> read_probes(const std::string& path, const tokenizer::Tokenizer* tokenizer,
                                              int64_t context);

// How a run walks over its data. Throws UsageError where --document-mask finds no token between documents.
engine::WindowOptions window_options(const PretrainOptions& options, const Data& data, uint64_t seed);

}  // namespace llmkit::pretrain
