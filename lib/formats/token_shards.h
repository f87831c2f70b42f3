// Tokenised text as memory-mapped shards: what mix writes and pretraining reads.
//
// A data folder holds manifest.json and shard-00000.tok, shard-00001.tok, … A .tok file, little endian:
//   0  "LLMKTOK1"   8  u32 bytes per token (2 where the vocabulary fits, else 4)   12  u32 0
//   16 u64 tokens   24 u64 documents   32 u64 vocabulary size   40 u64 tokenizer hash   48 u64 XXH3 of all that follows
//   56 u64 XXH3 of the 56 bytes before
//   64 tokens, then zero bytes up to a multiple of 8, then for each document the u64 end of its tokens in this shard
// A document never spans two shards.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/files.h"
#include "io/output.h"

namespace llmkit::formats {

struct TokenShardOptions {
  int64_t vocab_size = 0;       // 1 to 2^31
  uint64_t tokenizer_hash = 0;  // training refuses data of another tokenizer
  int64_t max_tokens_per_shard = int64_t{1} << 28;
  std::vector<std::string> sources;  // names; a document's source_index points here
  bool replace = false;
  io::System* system = nullptr;
};

// The folder appears when finish() has returned, or not at all.
class TokenShardWriter {
 public:
  TokenShardWriter(const std::string& folder, TokenShardOptions options);
  ~TokenShardWriter();
  void add_document(std::span<const int32_t> tokens,
                    size_t source_index = 0);  // throws where a token is not below vocab_size
  void finish();
  int64_t total_tokens() const { return total_tokens_; }
  int64_t total_documents() const { return total_documents_; }

 private:
  struct Shard;
  struct SourceCount {
    int64_t documents = 0, tokens = 0;
  };
  void close_shard();

  TokenShardOptions options_;
  io::AtomicFolder folder_;
  std::unique_ptr<Shard> shard_;
  std::vector<SourceCount> source_counts_;
  std::vector<std::string> shard_entries_;  // of the manifest, as JSON
  int64_t total_tokens_ = 0, total_documents_ = 0;
};

class TokenShards {
 public:
  // Maps all shards of the folder and checks heads, sizes and document ends; verify() also reads and checks every
  // token.
  static TokenShards open(const std::string& folder);

  int64_t total_tokens() const { return total_tokens_; }
  int64_t total_documents() const { return total_documents_; }
  int64_t vocab_size() const { return vocab_size_; }
  uint64_t tokenizer_hash() const { return tokenizer_hash_; }

  // Fills `out` with the tokens from `position` on, across shards. Throws where that goes beyond the end or where a
  // token is not below vocab_size.
  void read(int64_t position, std::span<int32_t> out) const;

  // Documents are numbered from 0 through all shards; document i has the tokens [start, end).
  struct Range {
    int64_t start, end;
  };
  Range document(int64_t index) const;
  int64_t document_at(int64_t position) const;  // the document that holds the token at `position`

  struct Source {
    std::string name;
    int64_t documents, tokens;
  };
  const std::vector<Source>& sources() const { return sources_; }

  void verify() const;  // XXH3 of every shard and the range of every token

 private:
  struct Shard {
    io::MappedFile file;
    std::string path;
    int64_t first_token = 0, tokens = 0, first_document = 0, documents = 0;
    uint32_t bytes_per_token = 0;
    const std::byte* payload = nullptr;
    const std::byte* ends = nullptr;
    int64_t end_of(int64_t document) const;  // 0 for -1
  };
  static Shard open_shard(const std::string& path, int64_t vocab_size, uint64_t tokenizer_hash);
  const Shard& shard_of_token(int64_t position) const;

  std::vector<Shard> shards_;
  std::vector<Source> sources_;
  int64_t total_tokens_ = 0, total_documents_ = 0, vocab_size_ = 0;
  uint64_t tokenizer_hash_ = 0;
};

}  // namespace llmkit::formats
