// One call of encode() at work; see encoder.cpp.
#pragma once

#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "tokenizer/workspace.h"

namespace llmkit::tokenizer {

// What is encoded at a time; a normal text of this size stays in the processor's cache.
inline constexpr size_t kTileBytes = size_t{1} << 16;

class Tokenizer::Encoder {
 public:
  Encoder(const Tokenizer& tokenizer, Workspace& space, const EncodeOptions& options, std::vector<int32_t>& out,
          std::vector<Span>* spans);

  void document(std::string_view text);
  // A part of a document that safe_cut gave, `base` bytes behind its start.
  void tile(std::string_view text, size_t base, TextStart start);
  // Tokens of no text, such as BOS.
  void around(const std::vector<int32_t>& ids, size_t at);

 private:
  // Ids on their way to the output.
  struct FastIds {
    static constexpr size_t kRoom = 1024, kMost = 16;  // kMost: that are put at a time
    int32_t* ids;
    size_t filled = 0;
  };
  // `Copied` numbers are copied, of which `count` are ids.
  template <size_t Copied>
  void put(FastIds& to, const int32_t* ids, size_t count) {
    static_assert(Copied <= FastIds::kMost);
    std::memcpy(to.ids + to.filled, ids, Copied * sizeof *ids);
    to.filled += count;
    if (to.filled > FastIds::kRoom - FastIds::kMost) flush(to);
  }
  void flush(FastIds& from) {
    out_.insert(out_.end(), from.ids, from.ids + from.filled);
    from.filled = 0;
  }

  template <class F>
  void cut_out(std::string_view text, const AddedTokenMatcher& matcher, F&& f);
  void segment(std::string_view text, size_t base, TextStart start);
  void marked_tile(std::string_view text, TextStart start);
  void pieces(std::string_view text, size_t begin);
  size_t next_mark(std::string_view text, size_t begin) const;
  void piece(std::string_view text, size_t begin, size_t end);
  void put(int32_t id, size_t begin, size_t end);
  Span source(size_t begin, size_t end) const;
  void find_spans(std::string_view piece, size_t begin, size_t from);
  void fuse(size_t from);

  // Words (encoder_words.cpp).
  void words(std::string_view text, size_t begin, size_t count);
  template <bool Wide>
  size_t words(std::string_view text, size_t begin, std::span<const size_t> ends);
  void wide_piece(std::string_view piece, size_t readable, FastIds& ids);
  void look_up(WideCharacter& entry, uint32_t code, const char* p);
  void part_of_piece(std::string_view part, size_t readable, bool whole, FastIds& ids);
  void short_piece(std::string_view piece, size_t readable);
  void long_piece(std::string_view piece);

  // Sentences (encoder_sentence.cpp).
  void source_sentence(std::string_view text, TextStart start);
  size_t source_words(std::string_view text, size_t at, FastIds& ids);
  void sentence(std::string_view text, size_t begin);
  void sentence(std::string_view text, size_t begin, FastIds& ids);
  void parts_of(std::string_view piece, size_t readable, FastIds& ids);
  void character(std::string_view character, uint32_t code, size_t readable, FastIds& ids);
  SentenceCharacter look_at(std::string_view character);
  void sentence_part(std::string_view part, size_t readable, FastIds& ids);
  template <class Entry>
  bool put_known(const Entry& entry, FastIds& ids);
  size_t encode_sentence_part(std::string_view part, FastIds& ids, SentenceCache::Score& score);
  void begin_sentence();
  void settle(FastIds& ids);
  float score_of(int32_t id) const;
  bool is_plain(int32_t id) const;

  const Tokenizer& t_;
  const Vocabulary& vocabulary_;
  Workspace& space_;
  const EncodeOptions& options_;
  std::vector<int32_t>& out_;
  std::vector<Span>* spans_;
  const bool fuses_;
  const bool sums_;   // Unigram whose choices depend on the sentence's sum
  const bool plain_;  // no spans, no draws
  Rng rng_;
  size_t base_ = 0, source_size_ = 0, from_ = 0;
  const std::vector<size_t>* origins_ = nullptr;
  size_t summed_ = 0;  // how much of the output is in the sentence's sum
  float bound_ = 0;    // the absolute value of the sum of all, or somewhat more
};

}  // namespace llmkit::tokenizer
