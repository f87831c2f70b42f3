// Text to token ids and back: byte-level BPE (GPT-2, Llama 3, Qwen, …), bytes and characters, exactly as Hugging Face's
// tokenizers does it for the same tokenizer.json. Any bytes are accepted; what is not UTF-8 is encoded byte by byte.
//
//   auto tokenizer = tokenizer::Tokenizer::load("model_folder");
//   std::vector<int32_t> ids;
//   tokenizer.encode(text, ids);              // appends
//   std::string same = tokenizer.decode(ids);
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/parallel.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/bpe.h"
#include "tokenizer/pretokenizer.h"
#include "tokenizer/tokenizer_parts.h"

namespace llmkit::tokenizer {

enum class SpecialText {
  as_text,  // "<|im_end|>" in the text is eleven characters like any others: for documents and for users' input
  parse,    // is the control token (the default of Hugging Face's tokenizers)
};

struct EncodeOptions {
  SpecialText special = SpecialText::as_text;
  bool add_special_tokens = false;  // put the tokenizer's own prefix and suffix (BOS, EOS) around the text
};

class Tokenizer {
 public:
  explicit Tokenizer(TokenizerParts parts);
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // A folder with tokenizer.json, the file itself, or "byte" (256 tokens, the byte's value its id, and <|endoftext|>).
  static Tokenizer load(const std::string& path);
  // tokenizer.json, tokenizer_config.json and special_tokens_map.json.
  void save(const std::string& folder) const;

  void encode(std::string_view text, std::vector<int32_t>& out, const EncodeOptions& options = {}) const;
  std::vector<int32_t> encode(std::string_view text, const EncodeOptions& options = {}) const;
  // Many texts on the pool; out[i] are the ids of texts[i].
  std::vector<std::vector<int32_t>> encode_all(Parallel& parallel, std::span<const std::string_view> texts,
                                               const EncodeOptions& options = {}) const;

  std::string decode(std::span<const int32_t> ids, bool skip_special = false) const;
  void decode(int32_t id, std::string& out,
              bool skip_special = false) const;  // appends; ids without a token add nothing

  int64_t vocab_size() const { return static_cast<int64_t>(parts_->tokens.size()); }  // highest id + 1
  std::string_view bytes(int32_t id) const;                       // of a token; empty where there is none
  std::optional<int32_t> token_id(std::string_view bytes) const;  // added tokens first
  bool is_special(int32_t id) const;
  std::optional<int32_t> bos() const { return role(parts_->bos); }
  std::optional<int32_t> eos() const { return role(parts_->eos); }
  std::optional<int32_t> pad() const { return role(parts_->pad); }
  std::optional<int32_t> unk() const { return role(parts_->unk); }

  uint64_t hash() const { return hash_; }  // of everything that ids depend on; names token shards
  const TokenizerParts& parts() const { return *parts_; }

 private:
  struct Workspace;
  class Lease;
  std::optional<int32_t> role(std::string_view content) const;
  void encode_text(std::string_view text, std::vector<int32_t>& out, Workspace& space) const;
  void encode_piece(std::string_view piece, size_t readable, std::vector<int32_t>& out, Workspace& space) const;
  void merge_piece(std::string_view piece, std::vector<int32_t>& out, Workspace& space) const;
  template <class Between>
  void cut_out(std::string_view text, const AddedTokenMatcher& matcher, bool with_special, std::vector<int32_t>& out,
               Between&& between) const;

  std::unique_ptr<const TokenizerParts> parts_;
  std::unique_ptr<PreTokenizer> pretokenizer_;
  BpeMerger merger_;
  AddedTokenMatcher first_, second_;  // added tokens by their `normalized` flag
  std::vector<int32_t> symbol_ids_;   // of each byte, or of each code point; -1: not in the vocabulary
  int32_t unk_id_ = -1;
  std::unordered_map<std::string_view, int32_t> ids_;
  std::vector<bool> special_;
  uint64_t hash_ = 0;
  struct Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace llmkit::tokenizer
