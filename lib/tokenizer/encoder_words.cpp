// Pieces of a pre-tokenizer to ids: most come from the word cache, four ids at a time.
#include <algorithm>

#include "tokenizer/encoder.h"

namespace llmkit::tokenizer {

// A batch of pieces of the usual kind: most come from the cache, four ids at a time.
void Tokenizer::Encoder::words(std::string_view text, size_t begin, size_t count) {
  size_t done = words<false>(text, begin, std::span(space_.ends).first(count));
  if (done == count) return;
  if (done > 0) begin = space_.ends[done - 1];
  words<true>(text, begin, std::span(space_.ends).subspan(done, count - done));
}

// The number of pieces that were done: without `Wide`, those before the first piece of wide characters.
template <bool Wide>
size_t Tokenizer::Encoder::words(std::string_view text, size_t begin, std::span<const size_t> ends) {
  // The cache is larger than the fast memory, so its sets are asked for some words before they are looked at.
  constexpr size_t kAhead = 16;
  struct Probe {
    WordCache::Key key;
    const WordCache::Set* set;
  } probes[2 * kAhead];
  size_t probed = 0, probed_to = begin;
  auto probe = [&](size_t until) {
    for (; probed < until; ++probed) {
      Probe& probe = probes[probed % (2 * kAhead)];
      size_t end = ends.data()[probed];
      probe.key = word_key(text.data() + probed_to, end - probed_to, text.size() - probed_to);
      probe.set = &space_.cache.set_of(probe.key);
      __builtin_prefetch(probe.set);
      probed_to = end;
    }
  };
  space_.cache.grow_if_wanted();
  int32_t room[FastIds::kRoom];
  FastIds ids{room};
  const bool cuts = t_.cuts_characters_;
  for (size_t i = 0; i < ends.size(); ++i) {
    if (!Wide && i % kAhead == 0) probe(std::min(i + 2 * kAhead, ends.size()));
    size_t end = ends.data()[i], size = end - begin;
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
      Probe& probe = probes[i % (2 * kAhead)];
      if constexpr (Wide) {
        probe.key = word_key(p, size, text.size() - begin);
        probe.set = &space_.cache.set_of(probe.key);
      }
      auto& entry = probe.set->look_for_stored(probe.key);
      if (same_key(entry.key, probe.key)) {
        put<WordCache::kMaxIds>(ids, entry.ids, entry.count());
      } else {
        flush(ids);
        size_t from = out_.size();
        t_.model_->encode({p, size}, out_, space_.scratch);
        space_.cache.store(probe.key, std::span(out_).subspan(from));
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

// A piece that begins with two wide characters: cut between those over which no token reaches. `readable`: bytes from
// its start on that may be read.
void Tokenizer::Encoder::wide_piece(std::string_view piece, size_t readable, FastIds& ids) {
  if (space_.wide.empty()) space_.wide.resize(CharacterCuts::kCodes);
  WideCharacter* table = space_.wide.data();
  const char *begin = piece.data(), *end = begin + piece.size(), *part = begin, *p = begin + 3;
  auto known = [&](uint32_t code, const char* at) __attribute__((always_inline)) {
    WideCharacter& entry = table[code];
    if (entry.count == 0) [[unlikely]]
      look_up(entry, code, at);
    return &entry;
  };
  uint32_t code = CharacterCuts::code_of(begin);
  const WideCharacter* last = known(code, begin);
  auto close = [&]() __attribute__((always_inline)) {
    if (p - part == 3) return put<3>(ids, last->ids, last->count);
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
      last = known(code, p);
      p += 3;
      continue;
    }
    uint32_t next_code = CharacterCuts::code_of(p);
    const WideCharacter* next = known(next_code, p);
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

[[gnu::noinline]] void Tokenizer::Encoder::look_up(WideCharacter& entry, uint32_t code, const char* p) {
  std::vector<int32_t> ids;
  t_.model_->encode_part({p, 3}, ids, space_.scratch);
  std::copy_n(ids.begin(), std::min<size_t>(ids.size(), 3), entry.ids);
  entry.count = static_cast<uint8_t>(ids.size());
  entry.leaving = t_.cuts_.leaving(code);
  entry.entering = t_.cuts_.entering(code);
}

// `whole`: the part is all of the piece.
[[gnu::noinline]] void Tokenizer::Encoder::part_of_piece(std::string_view part, size_t readable, bool whole,
                                                         FastIds& ids) {
  WordCache::Key key;
  if (part.size() <= WordCache::kMaxBytes) {
    key = word_key(part.data(), part.size(), readable);
    if (!whole && t_.parts_->ignore_merges) key = WordCache::part_key(key);
    auto& entry = space_.cache.look(key);
    if (entry.key == key) return put<WordCache::kMaxIds>(ids, entry.ids, entry.count());
  }
  flush(ids);
  if (key == WordCache::Key{} && whole) return long_piece(part);
  size_t from = out_.size();
  if (whole)
    t_.model_->encode(part, out_, space_.scratch);
  else
    t_.model_->encode_part(part, out_, space_.scratch);
  if (key != WordCache::Key{}) space_.cache.store(key, std::span(out_).subspan(from));
}

void Tokenizer::Encoder::long_piece(std::string_view piece) {
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

void Tokenizer::Encoder::short_piece(std::string_view piece, size_t readable) {
  auto key = word_key(piece.data(), piece.size(), readable);
  auto& entry = space_.cache.look(key);
  if (entry.key == key) {
    out_.insert(out_.end(), entry.ids, entry.ids + entry.count());
    return;
  }
  size_t from = out_.size();
  t_.model_->encode(piece, out_, space_.scratch);
  space_.cache.store(key, std::span(out_).subspan(from));
}

}  // namespace llmkit::tokenizer
