// Added tokens are cut out, what lies between is normalised and cut into pieces, and pieces become tokens, from the
// caches where they are known: words in encoder_words.cpp, sentences in encoder_sentence.cpp. Spans and random
// segmentation take the plain way here, which gives the same ids.
#include "tokenizer/encoder.h"

#include <cstring>

#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

constexpr uint64_t kSamplingStream = 0x746F6B656E;

}  // namespace

Tokenizer::Encoder::Encoder(const Tokenizer& tokenizer, Workspace& space, const EncodeOptions& options,
                            std::vector<int32_t>& out, std::vector<Span>* spans)
    : t_(tokenizer),
      vocabulary_(*tokenizer.vocabulary_),
      space_(space),
      options_(options),
      out_(out),
      spans_(spans),
      fuses_(tokenizer.parts_->fuse_unk && vocabulary_.unk >= 0),
      sums_(vocabulary_.whole_text && tokenizer.parts_->model == ModelKind::unigram),
      plain_(!spans && !options.sampling.on()),
      rng_({options.seed, options.document, kSamplingStream}) {
  space_.scratch.sentence = 0;
}

// f(begin, end) for the text between added tokens, whose ids go to the output.
template <class F>
void Tokenizer::Encoder::cut_out(std::string_view text, const AddedTokenMatcher& matcher, F&& f) {
  bool with_special = options_.special == SpecialText::parse;
  if (!matcher.any(with_special)) return f(size_t{0}, text.size());
  for (size_t at = 0; at < text.size();) {
    auto match = matcher.next(text, at, with_special);
    if (match.begin > at) f(at, match.begin);
    if (match.token) put(match.token->id, match.begin, match.end);
    at = match.end;
  }
}

void Tokenizer::Encoder::around(const std::vector<int32_t>& ids, size_t at) {
  for (int32_t id : ids) {
    out_.push_back(id);
    if (spans_) spans_->push_back({at, at});
  }
}

void Tokenizer::Encoder::document(std::string_view text) {
  cut_out(text, t_.first_, [&](size_t begin, size_t end) {
    segment(text.substr(begin, end - begin), begin, begin == 0 ? TextStart::document : TextStart::segment);
  });
}

// A text without added tokens, `base` bytes behind the document's start.
void Tokenizer::Encoder::segment(std::string_view text, size_t base, TextStart start) {
  space_.scratch.sentence = 0;
  for (size_t at = 0; at < text.size();) {
    size_t end = t_.tiles_ && text.size() - at > kTileBytes ? safe_cut(text, at, at + kTileBytes) : text.size();
    tile(text.substr(at, end - at), base + at, at == 0 ? start : TextStart::inside);
    at = end;
  }
}

void Tokenizer::Encoder::tile(std::string_view text, size_t base, TextStart start) {
  if (t_.sentence_normalizer_ && plain_ && !t_.second_.any(options_.special == SpecialText::parse))
    return source_sentence(text, start);
  base_ = base;
  source_size_ = text.size();
  origins_ = nullptr;
  if (t_.marks_) {
    marked_tile(text, start);
  } else {
    if (!t_.normalizers_.empty()) {
      space_.normal.clear();
      space_.origins.clear();
      t_.normalizers_.normalize(text, start, space_.normal, spans_ ? &space_.origins : nullptr);
      if (spans_) origins_ = &space_.origins;
      text = space_.normal;
    }
    cut_out(text, t_.second_, [&](size_t begin, size_t end) { pieces(text.substr(0, end), begin); });
  }
  base_ = 0;
  origins_ = nullptr;
}

// Added tokens are cut out of the text before it has marks; what is left between them gets its own.
void Tokenizer::Encoder::marked_tile(std::string_view text, TextStart start) {
  std::string normal, marked;
  std::vector<size_t> origins, steps;
  t_.before_marks_->normalize(text, start, normal, spans_ ? &origins : nullptr);
  if (spans_) origins_ = &origins;
  cut_out(normal, t_.second_, [&](size_t begin, size_t end) {
    marked.clear();
    steps.clear();
    std::string_view part = std::string_view(normal).substr(begin, end - begin);
    t_.marks_->normalize(part, begin == 0 ? start : TextStart::segment, marked, spans_ ? &steps : nullptr);
    for (size_t& at : steps) at = begin + at < origins.size() ? origins[begin + at] : source_size_;
    // Behind the part, its last token must not reach on to the end of the text.
    if (spans_) steps.push_back(end < origins.size() ? origins[end] : source_size_);
    if (spans_) origins_ = &steps;
    pieces(marked, 0);
    if (spans_) origins_ = &origins;
  });
}

// Bytes [begin, end) of the normal text.
void Tokenizer::Encoder::put(int32_t id, size_t begin, size_t end) {
  out_.push_back(id);
  if (spans_) spans_->push_back(source(begin, end));
}

Span Tokenizer::Encoder::source(size_t begin, size_t end) const {
  if (!origins_) return {base_ + begin, base_ + end};
  auto at = [&](size_t i) { return i < origins_->size() ? (*origins_)[i] : source_size_; };
  if (begin == end) return {base_ + at(begin), base_ + at(begin)};
  // The end is where the next byte of another character comes from.
  size_t last = (*origins_)[end - 1], next = end;
  while (next < origins_->size() && (*origins_)[next] == last) ++next;
  return {base_ + at(begin), base_ + at(next)};
}

// The normal text from `begin` on.
void Tokenizer::Encoder::pieces(std::string_view text, size_t begin) {
  from_ = out_.size();
  if (vocabulary_.whole_text && plain_) {
    sentence(text, begin);
  } else if (vocabulary_.whole_text) {
    while (begin < text.size()) {
      size_t end = next_mark(text, begin);
      piece(text, begin, end);
      begin = end;
    }
  } else {
    bool drops = t_.pretokenizer_->drops_spaces();
    while (size_t count = t_.pretokenizer_->split(text, begin, space_.ends)) {
      if (plain_ && !fuses_ && !drops) {
        words(text, begin, count);
        begin = space_.ends[count - 1];
        continue;
      }
      for (size_t i = 0; i < count; begin = space_.ends[i++]) {
        if (drops && is_space(scan_char(text.data() + begin, text.data() + text.size()).cls)) continue;
        from_ = out_.size();
        piece(text, begin, space_.ends[i]);
      }
    }
  }
}

// The next position behind `begin` at which a "▁" begins and no token reaches over.
size_t Tokenizer::Encoder::next_mark(std::string_view text, size_t begin) const {
  const char *data = text.data(), *end = data + text.size(), *p = data + begin + 1;
  while (p < end) {
    p = static_cast<const char*>(std::memchr(p, kSpaceMark[0], static_cast<size_t>(end - p)));
    if (!p || end - p < 3) break;
    if (p[1] == kSpaceMark[1] && p[2] == kSpaceMark[2] && !t_.joins_[static_cast<unsigned char>(p[-1])]) {
      bool after_mark = p - data >= 3 && std::memcmp(p - 3, kSpaceMark.data(), 3) == 0;
      if (!after_mark) return static_cast<size_t>(p - data);
    }
    ++p;
  }
  return text.size();
}

// Any piece, with spans, sampling and the joining of unknown tokens.
void Tokenizer::Encoder::piece(std::string_view text, size_t begin, size_t end) {
  std::string_view piece = text.substr(begin, end - begin);
  size_t from = out_.size();
  if (options_.sampling.on())
    t_.model_->sample(piece, out_, space_.scratch, options_.sampling, rng_);
  else if (spans_)
    t_.model_->encode(piece, out_, space_.scratch);
  else if (piece.size() > WordCache::kMaxBytes)
    long_piece(piece);
  else
    short_piece(piece, text.size() - begin);
  if (spans_) find_spans(piece, begin, from);
  if (fuses_) fuse(from);
}

// Where the tokens from `from` on stand in the piece at `begin`.
void Tokenizer::Encoder::find_spans(std::string_view piece, size_t begin, size_t from) {
  auto& parts = *t_.parts_;
  size_t at = 0;
  auto character = [&] { return size_t{decode_utf8(piece.data() + at, piece.data() + piece.size()).length}; };
  for (size_t i = from; i < out_.size(); ++i) {
    int32_t id = out_[i];
    std::string_view spelling = parts.tokens[static_cast<size_t>(id)];
    size_t length = 0;
    bool is_byte = at < piece.size() && parts.symbols == TokenizerParts::Symbols::characters &&
                   vocabulary_.bytes[static_cast<unsigned char>(piece[at])] == id;
    if (is_byte) {
      length = 1;
    } else if (id == vocabulary_.unk && parts.model == ModelKind::wordpiece) {
      length = piece.size() - at;
    } else if (id == vocabulary_.unk) {
      length = at < piece.size() ? character() : 0;
    } else {
      if (at > 0 && !parts.word_prefix.empty() && spelling.starts_with(parts.word_prefix))
        spelling.remove_prefix(parts.word_prefix.size());
      if (!parts.word_suffix.empty() && spelling.ends_with(parts.word_suffix))
        spelling.remove_suffix(parts.word_suffix.size());
      // Characters that the vocabulary lacks and that had no token lie between.
      while (at < piece.size() && piece.substr(at, spelling.size()) != spelling) at += character();
      length = std::min(spelling.size(), piece.size() - at);
    }
    spans_->push_back(source(begin + at, begin + at + length));
    at += length;
  }
}

// Neighbouring unknown tokens become one.
void Tokenizer::Encoder::fuse(size_t from) {
  size_t kept = from;
  for (size_t i = from; i < out_.size(); ++i) {
    if (out_[i] == vocabulary_.unk && kept > from_ && out_[kept - 1] == vocabulary_.unk) {
      if (spans_) (*spans_)[kept - 1].end = (*spans_)[i].end;
      continue;
    }
    out_[kept] = out_[i];
    if (spans_) (*spans_)[kept] = (*spans_)[i];
    ++kept;
  }
  out_.resize(kept);
  if (spans_) spans_->resize(kept);
}

}  // namespace llmkit::tokenizer
