// Encoding: added tokens are cut out, what lies between is normalised and cut into pieces, and pieces become tokens,
// from the word cache where they are known.
#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "tokenizer/unicode_class.h"
#include "tokenizer/workspace.h"

namespace llmkit::tokenizer {
namespace {

// What is encoded at a time; a normal text of this size stays in the processor's cache.
constexpr size_t kTileBytes = size_t{1} << 17;
constexpr float kMostOfWord = 4000;  // more than the scores in a cached word can sum up to
constexpr uint64_t kSamplingStream = 0x746F6B656E;

}  // namespace

class Tokenizer::Encoder {
 public:
  Encoder(const Tokenizer& tokenizer, Workspace& space, const EncodeOptions& options, std::vector<int32_t>& out,
          std::vector<Span>* spans)
      : t_(tokenizer),
        vocabulary_(*tokenizer.vocabulary_),
        space_(space),
        options_(options),
        out_(out),
        spans_(spans),
        fuses_(tokenizer.parts_->fuse_unk && vocabulary_.unk >= 0),
        sentence_(vocabulary_.whole_text && tokenizer.parts_->model == ModelKind::unigram),
        rng_({options.seed, options.document, kSamplingStream}) {
    space_.scratch.sentence = 0;
  }

  // f(begin, end) for the text between added tokens, whose ids go to the output.
  template <class F>
  void cut_out(std::string_view text, const AddedTokenMatcher& matcher, size_t base, F&& f) {
    bool with_special = options_.special == SpecialText::parse;
    if (!matcher.any(with_special)) return f(size_t{0}, text.size());
    for (size_t at = 0; at < text.size();) {
      auto match = matcher.next(text, at, with_special);
      if (match.begin > at) f(at, match.begin);
      if (match.token) put(match.token->id, base, match.begin, match.end);
      at = match.end;
    }
  }

  void around(const std::vector<int32_t>& ids, size_t at) {
    for (int32_t id : ids) {
      out_.push_back(id);
      if (spans_) spans_->push_back({at, at});
    }
  }

  void document(std::string_view text) {
    cut_out(text, t_.first_, 0, [&](size_t begin, size_t end) {
      segment(text.substr(begin, end - begin), begin, begin == 0 ? TextStart::document : TextStart::segment);
    });
  }

  // A text without added tokens, `base` bytes behind the document's start.
  void segment(std::string_view text, size_t base, TextStart start) {
    space_.scratch.sentence = 0;
    for (size_t at = 0; at < text.size();) {
      size_t end = t_.tiles_ && text.size() - at > kTileBytes ? safe_cut(text, at, at + kTileBytes) : text.size();
      tile(text.substr(at, end - at), base + at, at == 0 ? start : TextStart::inside);
      at = end;
    }
  }

  void tile(std::string_view text, size_t base, TextStart start) {
    base_ = base;
    source_size_ = text.size();
    origins_ = nullptr;
    if (!t_.normalizers_.empty()) {
      space_.normal.clear();
      space_.origins.clear();
      t_.normalizers_.normalize(text, start, space_.normal, spans_ ? &space_.origins : nullptr);
      if (spans_) origins_ = &space_.origins;
      text = space_.normal;
    }
    cut_out(text, t_.second_, 0, [&](size_t begin, size_t end) { pieces(text.substr(0, end), begin); });
    base_ = 0;
    origins_ = nullptr;
  }

 private:
  // Bytes [begin, end) of the normal text.
  void put(int32_t id, size_t, size_t begin, size_t end) {
    out_.push_back(id);
    if (spans_) spans_->push_back(source(begin, end));
  }
  Span source(size_t begin, size_t end) const {
    if (!origins_) return {base_ + begin, base_ + end};
    auto at = [&](size_t i) { return i < origins_->size() ? (*origins_)[i] : source_size_; };
    if (begin == end) return {base_ + at(begin), base_ + at(begin)};
    // The end is where the next byte of another character comes from.
    size_t last = (*origins_)[end - 1], next = end;
    while (next < origins_->size() && (*origins_)[next] == last) ++next;
    return {base_ + at(begin), base_ + at(next)};
  }

  // The normal text from `begin` on.
  void pieces(std::string_view text, size_t begin) {
    from_ = out_.size();
    if (vocabulary_.whole_text) {
      while (begin < text.size()) {
        size_t end = next_mark(text, begin);
        piece(text, begin, end);
        begin = end;
      }
    } else {
      bool drops = t_.pretokenizer_->drops_spaces();
      bool plain = !spans_ && !options_.sampling.on() && !fuses_;
      while (size_t count = t_.pretokenizer_->split(text, begin, space_.ends)) {
        if (plain && !drops) {
          fast(text, begin, count);
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
  size_t next_mark(std::string_view text, size_t begin) const {
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

  // A batch of pieces of the usual kind: most come from the cache, four ids at a time.
  void fast(std::string_view text, size_t begin, size_t count) {
    size_t done = fast<false>(text, begin, std::span(space_.ends).first(count));
    if (done == count) return;
    if (done > 0) begin = space_.ends[done - 1];
    fast<true>(text, begin, std::span(space_.ends).subspan(done, count - done));
  }
  // The number of pieces that were done: without `Wide`, those before the first piece of wide characters.
  template <bool Wide>
  size_t fast(std::string_view text, size_t begin, std::span<const size_t> ends) {
    int32_t room[FastIds::kRoom];
    FastIds ids{room};
    const bool cuts = t_.cuts_characters_;
    for (size_t i = 0; i < ends.size(); ++i) {
      size_t end = ends[i], size = end - begin;
      const char* p = text.data() + begin;
      if (CharacterCuts::may_be_wide(p) && cuts && size >= 6 && CharacterCuts::is_wide(p) &&
          CharacterCuts::is_wide(p + 3)) {
        if constexpr (Wide) {
          wide_piece({p, size}, text.size() - begin, ids);
        } else {
          flush(ids);
          return i;
        }
      } else if (size <= WordCache::kMaxBytes) {
        auto key = WordCache::key_of(p, size, text.size() - begin);
        auto& entry = space_.cache.slot(key);
        if (entry.key == key) {
          put(ids, entry.ids, entry.count());
        } else {
          flush(ids);
          size_t from = out_.size();
          t_.model_->encode({p, size}, out_, space_.scratch);
          WordCache::store(entry, key, std::span(out_).subspan(from));
        }
      } else {
        flush(ids);
        long_piece({p, size});
      }
      begin = end;
    }
    flush(ids);
    return ends.size();
  }
  // Ids on their way to the output.
  struct FastIds {
    static constexpr size_t kRoom = 1024;
    int32_t* ids;
    size_t filled = 0;
  };
  // Four numbers are copied, of which `count` are ids.
  void put(FastIds& to, const int32_t* ids, size_t count) {
    std::memcpy(to.ids + to.filled, ids, WordCache::kMaxIds * sizeof *ids);
    to.filled += count;
    if (to.filled > FastIds::kRoom - 2 * WordCache::kMaxIds) flush(to);
  }
  void flush(FastIds& from) {
    out_.insert(out_.end(), from.ids, from.ids + from.filled);
    from.filled = 0;
  }

  // A piece that begins with two wide characters: cut between those over which no token reaches. `readable`: bytes from
  // its start on that may be read.
  void wide_piece(std::string_view piece, size_t readable, FastIds& ids) {
    if (space_.wide.empty()) space_.wide.resize(CharacterCuts::kCodes);
    WideCharacter* table = space_.wide.data();
    const char *begin = piece.data(), *end = begin + piece.size(), *part = begin, *p = begin + 3;
    uint32_t code = CharacterCuts::code_of(begin);
    const WideCharacter* last = &wide_character(table[code], code, begin);
    auto close = [&]() __attribute__((always_inline)) {
      if (p - part == 3) return put(ids, last->ids, last->count);
      part_of_piece({part, static_cast<size_t>(p - part)}, readable - static_cast<size_t>(part - begin),
                    part == begin && p == end, ids);
    };
    while (p < end) {
      if (end - p < 3 || !CharacterCuts::is_wide(p)) {
        // Belongs to the part, and so does the wide character behind it.
        do ++p;
        while (p < end && (end - p < 3 || !CharacterCuts::is_wide(p)));
        if (p == end) break;
        code = CharacterCuts::code_of(p);
        last = &wide_character(table[code], code, p);
        p += 3;
        continue;
      }
      uint32_t next_code = CharacterCuts::code_of(p);
      const WideCharacter* next = &wide_character(table[next_code], next_code, p);
      if (!t_.cuts_.maybe_joined(code, last->leaving, next_code, next->entering) ||
          !t_.cuts_.joined(code, last->leaving, next_code, next->entering)) {
        close();
        part = p;
      }
      last = next;
      code = next_code;
      p += 3;
    }
    close();
  }
  WideCharacter& wide_character(WideCharacter& entry, uint32_t code, const char* p) {
    if (entry.count == 0) [[unlikely]] {
      std::vector<int32_t> ids;
      t_.model_->encode_part({p, 3}, ids, space_.scratch);
      std::copy_n(ids.begin(), std::min<size_t>(ids.size(), 3), entry.ids);
      entry.count = static_cast<uint8_t>(ids.size());
      entry.leaving = t_.cuts_.leaving(code);
      entry.entering = t_.cuts_.entering(code);
    }
    return entry;
  }
  // `whole`: the part is all of the piece.
  [[gnu::noinline]] void part_of_piece(std::string_view part, size_t readable, bool whole, FastIds& ids) {
    WordCache::Entry* entry = nullptr;
    WordCache::Key key{0, 0};
    if (part.size() <= WordCache::kMaxBytes) {
      key = WordCache::key_of(part.data(), part.size(), readable);
      if (!whole && t_.parts_->ignore_merges) key = WordCache::part_key(key);
      entry = &space_.cache.slot(key);
      if (entry->key == key) return put(ids, entry->ids, entry->count());
    }
    flush(ids);
    if (!entry && whole) return long_piece(part);
    size_t from = out_.size();
    if (whole)
      t_.model_->encode(part, out_, space_.scratch);
    else
      t_.model_->encode_part(part, out_, space_.scratch);
    if (entry) WordCache::store(*entry, key, std::span(out_).subspan(from));
  }

  void long_piece(std::string_view piece) {
    if (piece.size() > WordCache::kMaxLongBytes) return t_.model_->encode(piece, out_, space_.scratch);
    auto& entry = space_.cache.slot(piece.data(), piece.size());
    if (entry.is(piece.data(), piece.size())) {
      out_.insert(out_.end(), entry.ids, entry.ids + entry.count());
      return;
    }
    size_t from = out_.size();
    t_.model_->encode(piece, out_, space_.scratch);
    WordCache::store(entry, piece.data(), piece.size(), std::span(out_).subspan(from));
  }

  // Any piece, with spans, sampling and the joining of unknown tokens.
  void piece(std::string_view text, size_t begin, size_t end) {
    std::string_view piece = text.substr(begin, end - begin);
    size_t from = out_.size();
    if (options_.sampling.on())
      t_.model_->sample(piece, out_, space_.scratch, options_.sampling, rng_);
    else if (spans_)
      t_.model_->encode(piece, out_, space_.scratch);
    else if (sentence_)
      sentence_piece(piece, text.size() - begin);
    else if (piece.size() > WordCache::kMaxBytes)
      long_piece(piece);
    else
      short_piece(piece, text.size() - begin);
    if (spans_) find_spans(piece, begin, from);
    if (fuses_) fuse(from);
  }

  void short_piece(std::string_view piece, size_t readable) {
    auto key = WordCache::key_of(piece.data(), piece.size(), readable);
    auto& entry = space_.cache.slot(key);
    if (entry.key == key) {
      out_.insert(out_.end(), entry.ids, entry.ids + entry.count());
      return;
    }
    size_t from = out_.size();
    t_.model_->encode(piece, out_, space_.scratch);
    WordCache::store(entry, key, std::span(out_).subspan(from));
  }

  // Unigram over a sentence: a cached choice is only as good as its lead over the others, because the float sums from
  // the sentence's start round differently in every place. The last id's place holds that lead, negated.
  void sentence_piece(std::string_view piece, size_t readable) {
    constexpr size_t kShortIds = WordCache::kMaxIds - 1, kLongIds = WordCache::kMaxLongIds - 1;
    auto& s = space_.scratch;
    WordCache::Key key{0, 0};
    WordCache::Entry* entry = nullptr;
    WordCache::LongEntry* long_entry = nullptr;
    if (piece.size() <= WordCache::kMaxBytes) {
      key = WordCache::key_of(piece.data(), piece.size(), readable);
      entry = &space_.cache.slot(key);
      if (entry->key == key && take_cached({entry->ids, kShortIds}, entry->ids[kShortIds])) return;
    }
    if (piece.size() >= 8 && piece.size() <= WordCache::kMaxLongBytes) {
      long_entry = &space_.cache.slot(piece.data(), piece.size());
      if (long_entry->is(piece.data(), piece.size()) &&
          take_cached({long_entry->ids, kLongIds}, long_entry->ids[kLongIds]))
        return;
    }
    size_t from = out_.size();
    t_.model_->encode(piece, out_, s);
    size_t count = out_.size() - from;
    if (count > kLongIds || s.gap < 1e-3f) return;
    for (size_t i = from; i < out_.size(); ++i)
      if (out_[i] == vocabulary_.unk || is_byte_or_own(out_[i])) return;
    auto lead = std::bit_cast<int32_t>(-(std::min(s.gap, 1e6f) - 1e-3f));
    if (entry && count <= kShortIds) {
      WordCache::store(*entry, key, std::span(out_).subspan(from));
      entry->ids[kShortIds] = lead;
    } else if (long_entry) {
      WordCache::store(*long_entry, piece.data(), piece.size(), std::span(out_).subspan(from));
      long_entry->ids[kLongIds] = lead;
    }
  }
  bool take_cached(std::span<const int32_t> ids, int32_t lead) {
    auto& s = space_.scratch;
    float sum = std::abs(s.sentence);
    if (-std::bit_cast<float>(lead) <= sum * 1e-5f || sum > kSentenceReset - kMostOfWord) return false;
    for (int32_t id : ids) {
      if (id < 0) break;
      out_.push_back(id);
      s.sentence += t_.parts_->scores[static_cast<size_t>(id)];
    }
    return true;
  }
  // Tokens whose score in the lattice is not the one in the table.
  bool is_byte_or_own(int32_t id) const {
    auto i = static_cast<size_t>(id);
    return i < t_.parts_->types.size() && t_.parts_->types[i] != TokenType::normal;
  }

  // Where the tokens from `from` on stand in the piece at `begin`.
  void find_spans(std::string_view piece, size_t begin, size_t from) {
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
  void fuse(size_t from) {
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

  const Tokenizer& t_;
  const Vocabulary& vocabulary_;
  Workspace& space_;
  const EncodeOptions& options_;
  std::vector<int32_t>& out_;
  std::vector<Span>* spans_;
  const bool fuses_, sentence_;
  Rng rng_;
  size_t base_ = 0, source_size_ = 0, from_ = 0;
  const std::vector<size_t>* origins_ = nullptr;
};

void Tokenizer::encode(std::string_view text, std::vector<int32_t>& out, const EncodeOptions& options) const {
  Lease lease(*pool_);
  encode(text, out, options, lease.get());
}

void Tokenizer::encode(std::string_view text, std::vector<int32_t>& out, const EncodeOptions& options,
                       Workspace& space) const {
  Encoder encoder(*this, space, options, out, nullptr);
  if (options.add_special_tokens) encoder.around(parts_->prefix, 0);
  encoder.document(text);
  if (options.add_special_tokens) encoder.around(parts_->suffix, text.size());
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  std::vector<int32_t> out;
  encode(text, out, options);
  return out;
}

void Tokenizer::encode(std::string_view text, std::vector<int32_t>& out, std::vector<Span>& spans,
                       const EncodeOptions& options) const {
  Lease lease(*pool_);
  std::vector<int32_t> ids;
  std::vector<Span> places;
  Encoder encoder(*this, lease.get(), options, ids, &places);
  if (options.add_special_tokens) encoder.around(parts_->prefix, 0);
  encoder.document(text);
  if (options.add_special_tokens) encoder.around(parts_->suffix, text.size());
  out.insert(out.end(), ids.begin(), ids.end());
  spans.insert(spans.end(), places.begin(), places.end());
}

void Tokenizer::encode(Parallel& parallel, std::string_view text, std::vector<int32_t>& out,
                       const EncodeOptions& options) const {
  if (text.size() <= kTileBytes || !may_be_tiled(options)) return encode(text, out, options);
  auto ids = encode_all(parallel, std::span(&text, 1), options);
  if (out.empty())
    out = std::move(ids[0]);
  else
    out.insert(out.end(), ids[0].begin(), ids[0].end());
}

// Sums over a sentence and random draws go from the start to the end.
bool Tokenizer::may_be_tiled(const EncodeOptions& options) const {
  bool in_order = options.sampling.on() || (vocabulary_->whole_text && parts_->model == ModelKind::unigram);
  return tiles_ && !in_order && !first_.any(options.special == SpecialText::parse);
}

std::vector<std::vector<int32_t>> Tokenizer::encode_all(Parallel& parallel, std::span<const std::string_view> texts,
                                                        const EncodeOptions& options) const {
  // A task is several short texts, or a tile of a long one.
  struct Task {
    size_t text, texts, begin, end;
    std::vector<int32_t> ids;
  };
  std::vector<Task> tasks;
  bool tiled = may_be_tiled(options);
  size_t room = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    size_t size = texts[i].size();
    if (tiled && size > kTileBytes) {
      for (size_t at = 0, end = 0; at < size; at = end) {
        end = size - at > kTileBytes ? safe_cut(texts[i], at, at + kTileBytes) : size;
        tasks.push_back({i, 0, at, end, {}});
      }
      room = 0;
    } else if (size < room) {
      ++tasks.back().texts;
      room -= size;
    } else {
      tasks.push_back({i, 1, 0, 0, {}});
      room = kTileBytes / 2 - std::min(size, kTileBytes / 2);
    }
  }
  std::vector<std::vector<int32_t>> out(texts.size());
  std::vector<size_t> long_texts;
  for (size_t t = 0; t < tasks.size(); ++t)
    if (tasks[t].texts == 0 && tasks[t].begin == 0) long_texts.push_back(t);
  parallel.for_tiles(static_cast<int64_t>(tasks.size()), [&](int64_t n) {
    Task& task = tasks[static_cast<size_t>(n)];
    Lease lease(*pool_);
    auto& ids = lease.get().ids;
    if (task.texts == 0) {
      ids.clear();
      Encoder encoder(*this, lease.get(), options, ids, nullptr);
      encoder.tile(texts[task.text].substr(task.begin, task.end - task.begin), task.begin,
                   task.begin == 0 ? TextStart::document : TextStart::inside);
      task.ids = ids;
    }
    for (size_t i = task.text; i < task.text + task.texts; ++i) {
      EncodeOptions own = options;
      own.document += static_cast<uint64_t>(i);
      ids.clear();
      encode(texts[i], ids, own, lease.get());
      out[i] = ids;
    }
  });
  parallel.for_tiles(static_cast<int64_t>(long_texts.size()), [&](int64_t n) {
    size_t first = long_texts[static_cast<size_t>(n)], last = first, count = 0;
    for (; last < tasks.size() && tasks[last].texts == 0 && tasks[last].text == tasks[first].text; ++last)
      count += tasks[last].ids.size();
    auto& ids = out[tasks[first].text];
    if (options.add_special_tokens) count += parts_->prefix.size() + parts_->suffix.size();
    ids.reserve(count);
    if (options.add_special_tokens) ids = parts_->prefix;
    for (size_t t = first; t < last; ++t) {
      ids.insert(ids.end(), tasks[t].ids.begin(), tasks[t].ids.end());
      tasks[t].ids = {};
    }
    if (options.add_special_tokens) ids.insert(ids.end(), parts_->suffix.begin(), parts_->suffix.end());
  });
  return out;
}

std::vector<SubwordModel::Scored> Tokenizer::encode_best(std::string_view text, int count) const {
  std::string normal;
  if (!normalizers_.empty()) {
    normalizers_.normalize(text, TextStart::document, normal, nullptr);
    text = normal;
  }
  return model_->best(text, count);
}

}  // namespace llmkit::tokenizer
