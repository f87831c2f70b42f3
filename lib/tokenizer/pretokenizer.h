// Pre-tokenizers cut text into the pieces inside which merges may happen. Each is a hand-written scanner that gives the
// pieces of the regular expression it stands for (no regex engine on the hot path), and is linear in the text.
// One file in pretokenizers/ and one line in pretokenizers.def each.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/registry.h"

namespace llmkit::tokenizer {

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;

  // Writes the ends of the next pieces of text[from, …) to `ends` until it is full or the text is used up; returns
  // their number, 0 when from == text.size(). Pieces are not empty and cover the text.
  virtual size_t split(std::string_view text, size_t from, std::span<size_t> ends) const = 0;

  // Whether a piece ends before the space in "letter, space, letter" and after the newline in "text, newline, letter",
  // whatever stands around: huge documents may be cut there.
  virtual bool breaks_at_words() const = 0;

  // Whether pieces of white space only separate others and have no tokens (BERT, whitespace); such a piece is all white
  // space or has none at its start.
  virtual bool drops_spaces() const { return false; }

  // The same as the "pre_tokenizer" of a byte-level tokenizer.json (JSON, one line).
  virtual std::string_view hugging_face_json() const = 0;
};

const Registry<PreTokenizer>& pretokenizers();

// The name of the pre-tokenizer whose regular expression is `pattern` (as in a Split; several Splits in turn: one a
// line), or "" where none is.
std::string_view pretokenizer_of_pattern(std::string_view pattern);

// The last position in (from, limit] at which `text` may be cut without changing any piece of a pre-tokenizer that
// breaks_at_words(), else the first one beyond `limit`; text.size() where there is none.
size_t safe_cut(std::string_view text, size_t from, size_t limit);

// Literals that the entries' JSON is made of; the pattern is written as in JSON, with doubled backslashes.
#define LLMKIT_BYTE_LEVEL(use_regex) \
  R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":)" use_regex "}"
#define LLMKIT_SPLIT_THEN_BYTES(pattern)                                                \
  R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":")" pattern \
  R"("},"behavior":"Isolated","invert":false},)" LLMKIT_BYTE_LEVEL("false") "]}"

}  // namespace llmkit::tokenizer
