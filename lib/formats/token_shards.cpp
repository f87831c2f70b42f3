#include "formats/token_shards.h"

#include <algorithm>
#include <charconv>

#include "formats/json.h"
#include "formats/token_shard_format.h"
#include "io/checked.h"

namespace llmkit::formats {
namespace {

[[noreturn]] void refuse(const std::string& path, std::string what, std::string expected = {}, std::string found = {}) {
  throw Error({std::move(what), path, std::move(expected), std::move(found), "make the data again with llmkit mix"});
}

template <class T>
T load(const std::byte* base, int64_t index) {
  T value;
  std::memcpy(&value, base + static_cast<size_t>(index) * sizeof(T), sizeof(T));
  return value;
}

template <class T>
bool widen(const std::byte* from, size_t count, int32_t* out, int64_t vocab_size) {
  uint32_t largest = 0;
  for (size_t i = 0; i < count; ++i) {
    uint32_t token = load<T>(from, static_cast<int64_t>(i));
    largest = std::max(largest, token);
    out[i] = static_cast<int32_t>(token);
  }
  return count == 0 || largest < static_cast<uint64_t>(vocab_size);
}

uint64_t parse_hash(const Json& manifest, std::string_view key) {
  std::string text = manifest.get_string(key);
  uint64_t value = 0;
  auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (status != std::errc() || end != text.data() + text.size() || text.empty())
    throw Error({"is no hash", manifest.path(key), "up to 16 hexadecimal digits", text, {}});
  return value;
}

}  // namespace

int64_t TokenShards::Shard::end_of(int64_t document) const {
  return document < 0 ? 0 : static_cast<int64_t>(load<uint64_t>(ends, document));
}

TokenShards::Shard TokenShards::open_shard(const std::string& path, int64_t vocab_size, uint64_t tokenizer_hash) {
  Shard shard;
  shard.path = path;
  shard.file = io::map_file(path);
  auto bytes = shard.file.bytes();
  TokHead head;
  if (bytes.size() < sizeof head) refuse(path, "is no token shard", "at least 64 bytes", std::to_string(bytes.size()));
  std::memcpy(&head, bytes.data(), sizeof head);
  if (std::memcmp(head.magic, TokHead().magic, sizeof head.magic) != 0)
    refuse(path, "is no token shard", "LLMKTOK1 at its start");
  if (head.head_hash != head.own_hash()) refuse(path, "its head is damaged");
  if (head.vocab_size != static_cast<uint64_t>(vocab_size) || head.tokenizer_hash != tokenizer_hash)
    refuse(path, "belongs to another tokenizer than its manifest.json");
  if (head.bytes_per_token != bytes_per_token_for(vocab_size))
    refuse(path, "has an unknown token width", "2 or 4", std::to_string(head.bytes_per_token));
  // Every size from the file is checked against the file before it is used.
  auto token_bytes = io::checked_mul(head.tokens, head.bytes_per_token);
  auto end_bytes = io::checked_mul(head.documents, sizeof(uint64_t));
  bool fits = token_bytes && end_bytes && *token_bytes <= bytes.size() && *end_bytes <= bytes.size();
  if (!fits || sizeof head + padded_to_8(*token_bytes) + *end_bytes != bytes.size())
    refuse(path, "has the wrong size for its head", {}, std::to_string(bytes.size()) + " bytes");
  shard.bytes_per_token = head.bytes_per_token;
  shard.tokens = static_cast<int64_t>(head.tokens);
  shard.documents = static_cast<int64_t>(head.documents);
  shard.payload = bytes.data() + sizeof head;
  shard.ends = shard.payload + padded_to_8(*token_bytes);
  uint64_t before = 0;
  for (int64_t i = 0; i < shard.documents; ++i) {
    uint64_t end = load<uint64_t>(shard.ends, i);
    if (end < before || end > head.tokens) refuse(path, "its document ends are damaged");
    before = end;
  }
  if (before != head.tokens) refuse(path, "its document ends are damaged");
  return shard;
}

TokenShards TokenShards::open(const std::string& folder) {
  std::string path = folder + "/manifest.json";
  Json manifest = load_json(path, uint64_t{64} << 20);
  if (manifest.get_string("format", "") != "llmkit-tokens")
    refuse(path, "is no manifest of token shards", "\"format\": \"llmkit-tokens\"");
  if (manifest.get_int("version") != 1)
    refuse(path, "is of another version", "1", std::to_string(manifest.get_int("version")));
  TokenShards out;
  out.vocab_size_ = manifest.get_int("vocab_size");
  if (out.vocab_size_ < 1 || out.vocab_size_ > int64_t{1} << 31) refuse(path, "the vocabulary size is out of range");
  out.tokenizer_hash_ = parse_hash(manifest, "tokenizer_hash");
  for (auto& entry : manifest.get_array("shards")) {
    std::string name = entry.get_string("file");
    if (name.empty() || name.find('/') != std::string::npos || name.starts_with('.'))
      refuse(path, "names a file outside the folder", {}, name);
    Shard shard = open_shard(folder + "/" + name, out.vocab_size_, out.tokenizer_hash_);
    if (shard.tokens != entry.get_int("tokens") || shard.documents != entry.get_int("documents"))
      refuse(shard.path, "holds another count of tokens or documents than manifest.json says");
    shard.first_token = out.total_tokens_;
    shard.first_document = out.total_documents_;
    out.total_tokens_ += shard.tokens;
    out.total_documents_ += shard.documents;
    out.shards_.push_back(std::move(shard));
  }
  if (out.total_tokens_ != manifest.get_int("tokens")) refuse(path, "the shards do not add up to its token count");
  for (auto& source : manifest.get_array("sources"))
    out.sources_.push_back({source.get_string("name"), source.get_int("documents"), source.get_int("tokens")});
  return out;
}

const TokenShards::Shard& TokenShards::shard_of_token(int64_t position) const {
  auto after = std::upper_bound(shards_.begin(), shards_.end(), position,
                                [](int64_t p, const Shard& s) { return p < s.first_token + s.tokens; });
  if (position < 0 || after == shards_.end())
    throw Error(
        {"a position beyond the data", {}, "below " + std::to_string(total_tokens_), std::to_string(position), {}});
  return *after;
}

void TokenShards::read(int64_t position, std::span<int32_t> out) const {
  while (!out.empty()) {
    const Shard& shard = shard_of_token(position);
    int64_t local = position - shard.first_token;
    auto count = static_cast<size_t>(std::min<int64_t>(shard.tokens - local, static_cast<int64_t>(out.size())));
    const std::byte* from = shard.payload + static_cast<size_t>(local) * shard.bytes_per_token;
    bool in_range = shard.bytes_per_token == 2 ? widen<uint16_t>(from, count, out.data(), vocab_size_)
                                               : widen<uint32_t>(from, count, out.data(), vocab_size_);
    if (!in_range)
      refuse(shard.path, "a token near position " + std::to_string(local) + " is out of range",
             "below " + std::to_string(vocab_size_));
    position += static_cast<int64_t>(count);
    out = out.subspan(count);
  }
}

TokenShards::Range TokenShards::document(int64_t index) const {
  if (index < 0 || index >= total_documents_)
    throw Error(
        {"a document beyond the data", {}, "below " + std::to_string(total_documents_), std::to_string(index), {}});
  auto after = std::upper_bound(shards_.begin(), shards_.end(), index,
                                [](int64_t i, const Shard& s) { return i < s.first_document + s.documents; });
  int64_t local = index - after->first_document;
  return {after->first_token + after->end_of(local - 1), after->first_token + after->end_of(local)};
}

int64_t TokenShards::document_at(int64_t position) const {
  const Shard& shard = shard_of_token(position);
  int64_t local = position - shard.first_token, low = 0, high = shard.documents - 1;
  while (low < high) {  // the first document that ends behind it
    int64_t middle = low + (high - low) / 2;
    if (shard.end_of(middle) > local) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return shard.first_document + low;
}

void TokenShards::verify() const {
  std::vector<int32_t> tokens(size_t{1} << 16);
  for (auto& shard : shards_) {
    TokHead head;
    auto bytes = shard.file.bytes();
    std::memcpy(&head, bytes.data(), sizeof head);
    if (xxh3_64(bytes.subspan(sizeof head)) != head.payload_hash) refuse(shard.path, "its data is damaged (checksum)");
    for (int64_t at = 0; at < shard.tokens; at += static_cast<int64_t>(tokens.size())) {
      auto count = static_cast<size_t>(std::min<int64_t>(shard.tokens - at, static_cast<int64_t>(tokens.size())));
      read(shard.first_token + at, {tokens.data(), count});
    }
  }
}

}  // namespace llmkit::formats
