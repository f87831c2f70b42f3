// SentencePiece's normalizer as one step: compiled character rules, runs of spaces to one, the mark "▁" for a space and
// one in front (Kudo and Richardson, "SentencePiece: a simple and language independent subword tokenizer", 2018). Bytes
// that are not UTF-8 stay as they are, where SentencePiece puts U+FFFD: byte fallback can then give them back.
#pragma once

#include "tokenizer/charsmap.h"
#include "tokenizer/normalizer.h"

namespace llmkit::tokenizer {

class SentencePieceNormalizer : public Normalizer {
 public:
  struct Rules {
    bool dummy_prefix, remove_extra, escape, as_suffix;
  };

  SentencePieceNormalizer(Charsmap map, Rules rules);

  void normalize(std::string_view text, TextStart start, std::string& out,
                 std::vector<size_t>* origins) const override {
    Progress progress{0, start};
    go_on(text, progress, false, out, origins);
  }
  std::string hugging_face_json() const override { return {}; }

  // How far a text is; the normal form of what stands before `at` knows nothing of what stands behind it.
  struct Progress {
    size_t at = 0;
    TextStart start = TextStart::inside;
  };
  // Appends the normal form from `progress.at` on, to the end or, `by_words`, to the next word break.
  void go_on(std::string_view text, Progress& progress, bool by_words, std::string& out,
             std::vector<size_t>* origins) const;

  // Whether '!' … '~' stay as they are and a word break is "▁", so that words of them need no normal form.
  bool keeps_words() const { return keeps_words_; }
  // Whether one white space stands at p < end, with the beginning of such a word behind it.
  bool is_word_break(const char* p, const char* end) const {
    return breaks_[static_cast<unsigned char>(*p)] && p + 1 < end && is_word(p[1]);
  }

 private:
  static bool is_word(char c) { return c >= '!' && c <= '~'; }

  Charsmap map_;
  Rules rules_;
  bool keeps_words_ = false;
  bool keeps_ideographs_ = false;  // U+4E00 … U+9FFF stay as they are
  bool breaks_[256] = {};          // bytes that become one space
};

}  // namespace llmkit::tokenizer
