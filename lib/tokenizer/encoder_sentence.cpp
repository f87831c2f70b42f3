// Sentences to ids, for models that take a text as one sentence: it is cut into parts over whose ends no token reaches,
// and most parts come from a cache. Words of plain ASCII are taken from the text as it was given, the rest from its
// normal form. A Unigram model adds floats from the sentence's start; that sum is caught up with only where a part must
// be searched, and an estimate of it tells whether a cached choice still holds.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "tokenizer/encoder.h"
#include "tokenizer/normalizers/sentencepiece.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

constexpr float kMostOfPart = 4000;  // the scores in a cached part sum up to less
constexpr float kHighest = kSentenceReset - kMostOfPart;
constexpr float kRounding = 1e-3f,
                kRelative = 1e-5f;  // more than the sums of a part can be wrong by, and of the sum before

// How many of the bytes at p < end are of '!' … '~', up to 16.
size_t visible_run(const char* p, const char* end) {
#if defined(__SSE2__)
  if (end - p >= 16) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    __m128i out = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8('!')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)));
    return static_cast<size_t>(std::countr_zero(static_cast<uint32_t>(_mm_movemask_epi8(out)) | 0x10000));
  }
#endif
  size_t n = 0;
  while (n < 16 && p + n < end && p[n] >= '!' && p[n] <= '~') ++n;
  return n;
}

}  // namespace

void Tokenizer::Encoder::begin_sentence() {
  from_ = summed_ = out_.size();
  bound_ = std::abs(space_.scratch.sentence);
  if (!space_.sentences) space_.sentences.emplace();
  space_.sentences->grow_if_wanted();
}

// A text as it was given.
void Tokenizer::Encoder::source_sentence(std::string_view text, TextStart start) {
  begin_sentence();
  int32_t room[FastIds::kRoom];
  FastIds ids{room};
  SentencePieceNormalizer::Progress progress{0, start};
  while (progress.at < text.size()) {
    space_.normal.clear();
    t_.sentence_normalizer_->go_on(text, progress, true, space_.normal, nullptr);
    if (!space_.normal.empty()) sentence(space_.normal, 0, ids);
    if (progress.at < text.size()) progress.at = source_words(text, progress.at, ids);
  }
  settle(ids);
}

// Takes plain words, each behind one white space, of which the first is at `at`; returns where that ends.
size_t Tokenizer::Encoder::source_words(std::string_view text, size_t at, FastIds& ids) {
  const SentencePieceNormalizer& normalizer = *t_.sentence_normalizer_;
  const char *begin = text.data(), *end = begin + text.size(), *p = begin + at + 1;
  // The cache is larger than the fast memory, so some words are found before the first of them is looked up.
  constexpr size_t kAhead = 8;
  struct Word {
    const char* at;
    size_t size;
    SentenceCache::Key key;
    const SentenceCache::Set* set;
  } words[kAhead];
  for (bool more = true; more;) {
    size_t count = 0;
    while (more && count < kAhead) {
      size_t size = visible_run(p, end);
      const char* q = p + size;
      if (size > SentenceCache::kMaxBytes || (q < end && !normalizer.is_word_break(q, end))) {
        more = false;
        break;
      }
      auto key = SentenceCache::marked(word_key(p, size, static_cast<size_t>(end - p)));
      words[count++] = {p, size, key, &space_.sentences->set_of(key)};
      __builtin_prefetch(&words[count - 1].set->entries[0]);
      __builtin_prefetch(&words[count - 1].set->entries[1]);
      more = q < end;
      p = q + 1;
    }
    for (const Word& word : std::span(words, count)) {
      auto& entry = word.set->look(word.key);
      if (entry.key == word.key && put_known(entry, ids)) continue;
      char part[SentenceCache::kMaxBytes + 3];
      std::memcpy(part, kSpaceMark.data(), 3);
      std::memcpy(part + 3, word.at, word.size);
      sentence_part({part, word.size + 3}, word.size + 3, ids);
    }
  }
  return std::min(static_cast<size_t>(p - 1 - begin), text.size());
}

// Normal text from `begin` on.
void Tokenizer::Encoder::sentence(std::string_view text, size_t begin) {
  begin_sentence();
  int32_t room[FastIds::kRoom];
  FastIds ids{room};
  sentence(text, begin, ids);
  settle(ids);
}

void Tokenizer::Encoder::sentence(std::string_view text, size_t begin, FastIds& ids) {
  while (begin < text.size()) {
    size_t end = next_mark(text, begin);
    parts_of(text.substr(begin, end - begin), text.size() - begin, ids);
    begin = end;
  }
}

void Tokenizer::Encoder::parts_of(std::string_view piece, size_t readable, FastIds& ids) {
  if (piece.size() <= SentenceCache::kMaxBytes || !t_.cuts_sentences_) return sentence_part(piece, readable, ids);
  if (space_.characters.empty()) space_.characters.resize(CharacterCuts::kCodes);
  const char *begin = piece.data(), *end = begin + piece.size(), *part = begin, *last = begin;
  uint32_t last_code = 0;
  // Codes of characters of one byte and of three do not meet.
  auto close = [&](const char* p) {
    std::string_view closed(part, static_cast<size_t>(p - part));
    size_t left = readable - static_cast<size_t>(part - begin);
    if (last == part && last_code != 0)
      character(closed, last_code, left, ids);
    else
      sentence_part(closed, left, ids);
    part = p;
  };
  for (const char* p = begin; p < end;) {
    uint32_t code = static_cast<unsigned char>(*p);
    if (code >= 0x80) {
      code = end - p >= 3 && CharacterCuts::is_wide(p) ? CharacterCuts::code_of(p) : 0;
      if (code < 0x800) code = 0;  // overlong
    }
    bool wide = code >= 0x800;
    if (p > part) {
      bool joined =
          wide && last_code >= 0x80 ? t_.cuts_.maybe_joined(last_code, 0, code, 0) : t_.neighbours_.maybe(p[-1], p[0]);
      if (!joined) close(p);
    }
    last = p;
    last_code = code;
    p += wide ? 3 : static_cast<signed char>(*p) >= 0 ? 1 : decode_utf8(p, end).length;
  }
  close(end);
}

// A part that is one character of one byte or three.
void Tokenizer::Encoder::character(std::string_view character, uint32_t code, size_t readable, FastIds& ids) {
  SentenceCharacter& known = space_.characters[code];
  if (known.id == SentenceCharacter::kUnseen) known = look_at(character);
  if (known.id < 0 || bound_ > kHighest) return sentence_part(character, readable, ids);
  put<1>(ids, &known.id, 1);
  bound_ += known.cost;
}

SentenceCharacter Tokenizer::Encoder::look_at(std::string_view character) {
  std::vector<int32_t> ids;
  float sum = std::exchange(space_.scratch.sentence, 0.0f);
  t_.model_->encode(character, ids, space_.scratch);
  space_.scratch.sentence = sum;
  if (ids.size() != 1 || !is_plain(ids[0])) return {SentenceCharacter::kNone, 0};
  return {ids[0], sums_ ? std::abs(score_of(ids[0])) : 0};
}

void Tokenizer::Encoder::sentence_part(std::string_view part, size_t readable, FastIds& ids) {
  size_t mark = part.size() > 3 && part.starts_with(kSpaceMark) ? 3 : 0, size = part.size() - mark;
  SentenceCache::Score score;
  auto fill = [&](auto& entry, size_t count) {
    std::copy_n(out_.end() - static_cast<std::ptrdiff_t>(count), count, entry.ids);
    entry.count = static_cast<uint32_t>(count);
    entry.score = score;
  };
  if (size <= SentenceCache::kMaxBytes) {
    auto key = word_key(part.data() + mark, size, readable - mark);
    if (mark > 0) key = SentenceCache::marked(key);
    auto& known = space_.sentences->look(key);
    if (known.key == key && put_known(known, ids)) return;
    size_t count = encode_sentence_part(part, ids, score);
    if (count == 0 || count > SentenceCache::kMaxIds || score.limit <= 0) return;
    auto& entry = space_.sentences->room(key);
    entry.key = key;
    fill(entry, count);
  } else if (part.size() <= SentenceCache::kMaxLongBytes) {
    auto& entry = space_.sentences->long_slot(part);
    if (entry.is(part) && put_known(entry, ids)) return;
    size_t count = encode_sentence_part(part, ids, score);
    if (count == 0 || count > SentenceCache::kMaxLongIds || score.limit <= 0) return;
    entry.size = static_cast<uint8_t>(part.size());
    part.copy(entry.bytes, part.size());
    fill(entry, count);
  } else {
    encode_sentence_part(part, ids, score);
  }
}

// False where the sentence's sum is too large for the entry.
template <class Entry>
bool Tokenizer::Encoder::put_known(const Entry& entry, FastIds& ids) {
  if (bound_ > entry.score.limit) {
    settle(ids);
    if (bound_ > entry.score.limit) return false;
  }
  put<std::extent_v<decltype(entry.ids)>>(ids, entry.ids, entry.count);
  bound_ += entry.score.cost;
  return true;
}

// Returns how many ids the output got; a limit of 0 says that they hold only here.
size_t Tokenizer::Encoder::encode_sentence_part(std::string_view part, FastIds& ids, SentenceCache::Score& score) {
  settle(ids);
  auto& s = space_.scratch;
  size_t from = out_.size();
  t_.model_->encode(part, out_, s);
  size_t count = out_.size() - from;
  bool plain = true;
  score.cost = 0;
  for (size_t i = from; i < out_.size(); ++i) {
    if (sums_) score.cost += std::abs(score_of(out_[i]));
    plain &= is_plain(out_[i]);
  }
  // By how much the choice leads is known as exactly as the sum that it was made at allows.
  const float at = std::max(bound_, std::abs(s.sentence));
  score.limit = sums_ ? std::min((s.gap - kRounding) / kRelative - at, kHighest) : std::numeric_limits<float>::max();
  if (!plain || score.cost >= kMostOfPart) score.limit = 0;
  if (fuses_) fuse(from);
  summed_ = out_.size();
  bound_ = std::abs(s.sentence);
  return count;
}

// Brings the output and the sum up to date.
void Tokenizer::Encoder::settle(FastIds& ids) {
  flush(ids);
  if (!sums_) return;
  const float* scores = t_.scores_.data();
  float sum = space_.scratch.sentence;
  for (size_t i = summed_; i < out_.size(); ++i) sum += scores[static_cast<size_t>(out_[i])];
  summed_ = out_.size();
  space_.scratch.sentence = sum;
  bound_ = std::abs(sum);
}

float Tokenizer::Encoder::score_of(int32_t id) const {
  return t_.scores_[static_cast<size_t>(id)];
}

// Whether the token's score is the one in the table, and nothing becomes of it in its neighbourhood.
bool Tokenizer::Encoder::is_plain(int32_t id) const {
  auto i = static_cast<size_t>(id);
  if (id == vocabulary_.unk && (sums_ || fuses_)) return false;
  return !sums_ || i >= t_.parts_->types.size() || t_.parts_->types[i] == TokenType::normal;
}

}  // namespace llmkit::tokenizer
