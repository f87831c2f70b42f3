// Normalizers change a text before it is cut: Unicode forms, case, white space, and SentencePiece's mark for a space
// (U+2581, "▁"). One file in normalizers/ and one line in normalizers.def each; a tokenizer applies a list of them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/registry.h"

namespace llmkit::tokenizer {

inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

// Where a text stands that a normalizer is given: some steps act at the beginning only.
enum class TextStart {
  document,  // at the start of the document
  segment,   // right behind an added token
  inside,    // anywhere else: a huge document is normalised in tiles, cut where PreTokenizers allow it
};

class Normalizer {
 public:
  virtual ~Normalizer() = default;

  // Appends the normal form of `text` to `out`. If `origins` is not null, it also gets for each appended byte the
  // offset in `text` at which what it came from begins; offsets never decrease.
  virtual void normalize(std::string_view text, TextStart start, std::string& out,
                         std::vector<size_t>* origins) const = 0;

  // Whether it looks at the ends of the text, which therefore must not be cut into tiles before.
  virtual bool needs_whole_text() const { return false; }

  // The same as a "normalizer" of tokenizer.json (JSON, one line).
  virtual std::string hugging_face_json() const = 0;
};

const Registry<Normalizer>& normalizers();

// Several, one after the other.
class NormalizerChain {
 public:
  explicit NormalizerChain(const std::vector<std::string>& specs);

  bool empty() const { return steps_.empty(); }
  // The step, if there is one only.
  const Normalizer* only() const { return steps_.size() == 1 ? steps_[0].get() : nullptr; }
  bool needs_whole_text() const;
  void normalize(std::string_view text, TextStart start, std::string& out, std::vector<size_t>* origins) const;

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

}  // namespace llmkit::tokenizer
