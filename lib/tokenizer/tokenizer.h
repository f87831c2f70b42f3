// Text to token ids and back: byte-level BPE (GPT-2, Llama 3, Qwen, …), SentencePiece's BPE and Unigram, WordPiece,
// bytes and characters, with the ids of the tool that owns the format. Any bytes are accepted; what is not UTF-8 is
// encoded byte by byte where the vocabulary has bytes.
//
//   auto tokenizer = tokenizer::Tokenizer::load("model_folder");
//   std::vector<int32_t> ids;
//   tokenizer.encode(text, ids);              // appends
//   std::string same = tokenizer.decode(ids);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "tokenizer/character_cuts.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/pretokenizer.h"
#include "tokenizer/subword_model.h"
#include "tokenizer/tokenizer_parts.h"

namespace llmkit::tokenizer {

class SentencePieceNormalizer;

enum class SpecialText {
  as_text,  // "<|im_end|>" in the text is eleven characters like any others: for documents and for users' input
  parse,    // is the control token (the default of Hugging Face's tokenizers)
};

struct EncodeOptions {
  SpecialText special = SpecialText::as_text;
  bool add_special_tokens = false;  // put the tokenizer's own prefix and suffix (BOS, EOS) around the text
  Sampling sampling{};              // random segmentation; with it, ids are a function of text, seed and document
  uint64_t seed = 0, document = 0;
};

// Where in the text a token stands; empty for one that stands for nothing there (BOS).
struct Span {
  size_t begin = 0, end = 0;
  bool operator==(const Span&) const = default;
};

class Tokenizer {
 public:
  explicit Tokenizer(TokenizerParts parts);
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // A folder with a tokenizer, a file (tokenizer.json, vocab.json beside merges.txt, vocab.txt, .tiktoken, .model,
  // .gguf), or "byte" (256 tokens, the byte's value its id, and <|endoftext|>).
  static Tokenizer load(const std::string& path);
  // tokenizer.json, tokenizer_config.json and special_tokens_map.json.
  void save(const std::string& folder) const;

  void encode(std::string_view text, std::vector<int32_t>& out, const EncodeOptions& options = {}) const;
  std::vector<int32_t> encode(std::string_view text, const EncodeOptions& options = {}) const;
  // Also where each token stands.
  void encode(std::string_view text, std::vector<int32_t>& out, std::vector<Span>& spans,
              const EncodeOptions& options = {}) const;
  // One huge text on the pool, the same ids.
  void encode(Parallel& parallel, std::string_view text, std::vector<int32_t>& out,
              const EncodeOptions& options = {}) const;
  // Many texts on the pool; out[i] are the ids of texts[i].
  std::vector<std::vector<int32_t>> encode_all(Parallel& parallel, std::span<const std::string_view> texts,
                                               const EncodeOptions& options = {}) const;
  // Unigram: the n best segmentations of a text as a whole (no added tokens are looked for), the best first.
  std::vector<SubwordModel::Scored> encode_best(std::string_view text, int count) const;

  std::string decode(std::span<const int32_t> ids, bool skip_special = false) const;
  // Appends one token; ids without a token add nothing. `first`: it begins the text.
  void decode(int32_t id, std::string& out, bool skip_special = false, bool first = false) const;

  int64_t vocab_size() const { return static_cast<int64_t>(parts_->tokens.size()); }  // highest id + 1
  std::string_view bytes(int32_t id) const;     // what a token adds to a text; empty where there is none
  std::string_view spelling(int32_t id) const;  // as in the files ("▁the", "##ing", "<0x0A>")
  std::optional<int32_t> token_id(std::string_view spelling) const;  // added tokens first
  bool is_special(int32_t id) const;
  std::optional<int32_t> bos() const { return role(parts_->bos); }
  std::optional<int32_t> eos() const { return role(parts_->eos); }
  std::optional<int32_t> pad() const { return role(parts_->pad); }
  std::optional<int32_t> unk() const { return role(parts_->unk); }

  uint64_t hash() const { return hash_; }  // of everything that ids depend on; names token shards
  const TokenizerParts& parts() const { return *parts_; }

 private:
  class Encoder;
  struct Workspace;
  class Lease;
  struct Pool;
  std::optional<int32_t> role(std::string_view content) const;
  void encode(std::string_view text, std::vector<int32_t>& out, const EncodeOptions& options, Workspace& space) const;
  bool may_be_tiled(const EncodeOptions& options) const;
  void spell_texts();
  void find_joins();
  void prepare_sentences();

  std::unique_ptr<const TokenizerParts> parts_;
  std::unique_ptr<const Vocabulary> vocabulary_;
  std::unique_ptr<const SubwordModel> model_;
  NormalizerChain normalizers_;
  // Where Metaspace comes last and added tokens are looked for in normal text: the steps before it, and it, which marks
  // the texts between the tokens.
  std::unique_ptr<const NormalizerChain> before_marks_, marks_;
  std::unique_ptr<PreTokenizer> pretokenizer_;
  std::unique_ptr<const std::vector<AddedToken>> late_;  // added tokens that are looked for in normal text
  AddedTokenMatcher first_, second_;                     // in the text as it is, and in normal text
  CharacterCuts cuts_;
  bool cuts_characters_ = false;  // pieces of wide characters are encoded part by part
  ByteNeighbours neighbours_;
  std::vector<float> scores_;    // of sentences' tokens
  bool cuts_sentences_ = false;  // sentences fall apart where neither of the two knows a token
  const SentencePieceNormalizer* sentence_normalizer_ = nullptr;  // where words may be taken as they are given
  std::array<bool, 256> joins_{};   // last bytes of what stands before a "▁" inside some token
  bool tiles_ = false;              // long texts may be cut by safe_cut
  std::vector<std::string> texts_;  // what each token adds to a text, where that is not its spelling
  std::vector<bool> special_;
  uint64_t hash_ = 0;
  std::unique_ptr<Pool> pool_;
};

}  // namespace llmkit::tokenizer
