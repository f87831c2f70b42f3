#include <fcntl.h>

#include <cerrno>
#include <cstdio>

#include "formats/json.h"
#include "formats/token_shard_format.h"
#include "formats/token_shards.h"

namespace llmkit::formats {
namespace {
constexpr size_t kBufferBytes = size_t{1} << 20;
}

// The shard being written: tokens go to the file as they come, document ends wait in memory, the head is written last.
struct TokenShardWriter::Shard {
  io::System& system;
  std::string name, path;
  io::Descriptor file;
  TokHead head;
  std::string buffer;
  std::vector<uint64_t> ends;
  Xxh3 hash;

  Shard(io::System& system_calls, std::string file_name, std::string full_path)
      : system(system_calls), name(std::move(file_name)), path(std::move(full_path)) {
    int fd;
    do fd = system.open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) io::throw_errno("cannot create", path, errno);
    file = io::Descriptor(system, fd);
    buffer.assign(sizeof(TokHead), '\0');
  }

  void append(const void* bytes, size_t count) {
    std::string_view added(static_cast<const char*>(bytes), count);
    hash.update(added);
    buffer.append(added);
    if (buffer.size() >= kBufferBytes) flush();
  }
  void flush() {
    io::write_all(system, file.get(), buffer, path);
    buffer.clear();
  }
};

TokenShardWriter::TokenShardWriter(const std::string& folder, TokenShardOptions options)
    : options_(std::move(options)), folder_(folder, options_.replace, options_.system) {
  if (options_.vocab_size < 1 || options_.vocab_size > int64_t{1} << 31)
    throw Error({"the vocabulary size is out of range", folder, "1 to 2^31", std::to_string(options_.vocab_size), {}});
  if (options_.sources.empty()) options_.sources.push_back("all");
  source_counts_.resize(options_.sources.size());
}

TokenShardWriter::~TokenShardWriter() = default;

void TokenShardWriter::add_document(std::span<const int32_t> tokens, size_t source_index) {
  for (int32_t token : tokens)
    if (token < 0 || token >= options_.vocab_size)
      throw Error({"a token is out of range", folder_.work_path(), "0 to " + std::to_string(options_.vocab_size - 1),
                   std::to_string(token), "does the vocabulary size belong to this tokenizer?"});
  auto count = static_cast<int64_t>(tokens.size());
  if (shard_ && static_cast<int64_t>(shard_->head.tokens) + count > options_.max_tokens_per_shard) close_shard();
  if (!shard_) {
    char name[32];
    std::snprintf(name, sizeof name, "shard-%05zu.tok", shard_entries_.size());
    shard_ = std::make_unique<Shard>(options_.system ? *options_.system : io::real_system(), name, folder_.file(name));
    shard_->head.bytes_per_token = bytes_per_token_for(options_.vocab_size);
  }
  if (shard_->head.bytes_per_token == 4) {
    shard_->append(tokens.data(), tokens.size_bytes());
  } else {
    uint16_t narrow[4096];
    for (size_t i = 0; i < tokens.size();) {
      size_t n = 0;
      for (; n < std::size(narrow) && i < tokens.size(); ++n, ++i) narrow[n] = static_cast<uint16_t>(tokens[i]);
      shard_->append(narrow, n * sizeof narrow[0]);
    }
  }
  shard_->head.tokens += tokens.size();
  shard_->ends.push_back(shard_->head.tokens);
  auto& counts = source_counts_.at(source_index);
  ++counts.documents;
  counts.tokens += count;
  ++total_documents_;
  total_tokens_ += count;
}

void TokenShardWriter::close_shard() {
  Shard& shard = *shard_;
  TokHead& head = shard.head;
  uint64_t token_bytes = head.tokens * head.bytes_per_token;
  shard.append("\0\0\0\0\0\0\0", padded_to_8(token_bytes) - token_bytes);
  shard.append(shard.ends.data(), shard.ends.size() * sizeof(uint64_t));
  shard.flush();
  head.documents = shard.ends.size();
  head.vocab_size = static_cast<uint64_t>(options_.vocab_size);
  head.tokenizer_hash = options_.tokenizer_hash;
  head.payload_hash = shard.hash.digest64();
  head.head_hash = head.own_hash();
  io::write_at(shard.system, shard.file.get(), {reinterpret_cast<const char*>(&head), sizeof head}, 0, shard.path);
  if (shard.file.close() < 0) io::throw_errno("cannot close", shard.path, errno);
  Json entry = Json::object();
  entry.set("file", shard.name);
  entry.set("tokens", head.tokens);
  entry.set("documents", head.documents);
  entry.set("xxh3", hex(head.payload_hash));
  shard_entries_.push_back(write_json(entry));
  shard_.reset();
}

void TokenShardWriter::finish() {
  if (shard_) close_shard();
  Json manifest = Json::object();
  manifest.set("format", "llmkit-tokens");
  manifest.set("version", 1);
  manifest.set("vocab_size", options_.vocab_size);
  manifest.set("tokenizer_hash", hex(options_.tokenizer_hash));
  manifest.set("tokens", total_tokens_);
  manifest.set("documents", total_documents_);
  Json sources = Json::array(), shards = Json::array();
  for (size_t i = 0; i < source_counts_.size(); ++i) {
    Json source = Json::object();
    source.set("name", options_.sources[i]);
    source.set("documents", source_counts_[i].documents);
    source.set("tokens", source_counts_[i].tokens);
    sources.push_back(std::move(source));
  }
  for (auto& entry : shard_entries_) shards.push_back(parse_json(entry, "manifest.json"));
  manifest.set("sources", std::move(sources));
  manifest.set("shards", std::move(shards));
  io::write_file_atomically(folder_.file("manifest.json"), write_json(manifest, 2), true, options_.system);
  folder_.finish();
}

}  // namespace llmkit::formats
