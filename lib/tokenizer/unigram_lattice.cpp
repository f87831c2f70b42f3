#include "tokenizer/unigram_lattice.h"

#include <algorithm>
#include <utility>

namespace llmkit::tokenizer {
namespace {

constexpr size_t kTileWords = 4096;

}  // namespace

// A trie over character numbers: (node, character) -> node in one open-addressing table.
class PieceTrie {
 public:
  PieceTrie(const UnigramCorpus& corpus, const std::vector<UnigramSeed>& pieces)
      : roots_(corpus.characters.size(), kNone) {
    slots_.resize(1 << 16);
    for (uint32_t id = 0; id < pieces.size(); ++id) {
      uint32_t node = kNone;
      for (uint32_t i = 0; i < pieces[id].size; ++i) {
        uint16_t c = corpus.text[pieces[id].begin + i];
        node = i == 0 ? root(c) : child(node, c);
      }
      pieces_[node] = id;
    }
  }

  // Calls f(piece, length) for the pieces that `text` starts with, shortest first.
  template <class F>
  void prefixes(const uint16_t* text, uint32_t size, F&& f) const {
    uint32_t node = roots_[text[0]];
    for (uint32_t i = 1; node != kNone; ++i) {
      if (pieces_[node] != kNone) f(pieces_[node], i);
      if (i == size) return;
      node = find(node, text[i]);
    }
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Slot {
    uint64_t key = UINT64_MAX;
    uint32_t node = kNone;
  };

  static uint64_t key_of(uint32_t node, uint16_t c) { return uint64_t{node} << 16 | c; }
  size_t hash(uint64_t key) const {
    key *= 0x9E3779B97F4A7C15;
    return (key ^ key >> 32) & (slots_.size() - 1);
  }
  uint32_t make() {
    pieces_.push_back(kNone);
    return static_cast<uint32_t>(pieces_.size() - 1);
  }
  uint32_t root(uint16_t c) {
    if (roots_[c] == kNone) roots_[c] = make();
    return roots_[c];
  }
  uint32_t find(uint32_t node, uint16_t c) const {
    uint64_t key = key_of(node, c);
    for (size_t i = hash(key);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].key == key) return slots_[i].node;
      if (slots_[i].node == kNone) return kNone;
    }
  }
  uint32_t child(uint32_t node, uint16_t c) {
    if (uint32_t found = find(node, c); found != kNone) return found;
    if (++used_ * 4 > slots_.size() * 3) {
      std::vector<Slot> old(slots_.size() * 2);
      old.swap(slots_);
      for (auto& slot : old)
        if (slot.node != kNone) put(slot);
    }
    uint32_t made = make();
    put({key_of(node, c), made});
    return made;
  }
  void put(const Slot& slot) {
    size_t i = hash(slot.key);
    while (slots_[i].node != kNone) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = slot;
  }

  std::vector<uint32_t> roots_, pieces_;
  std::vector<Slot> slots_;
  size_t used_ = 0;
};

namespace {

void append_edges(const PieceTrie& trie, const uint16_t* text, uint32_t size, std::vector<LatticeEdge>& edges) {
  for (uint32_t i = 0; i < size; ++i) {
    size_t first = edges.size();
    trie.prefixes(text + i, size - i, [&](uint32_t piece, uint32_t length) { edges.emplace_back(piece, length); });
    if (edges.size() == first || edges[first].length() != 1)
      edges.insert(edges.begin() + static_cast<ptrdiff_t>(first), LatticeEdge(LatticeEdge::kNoPiece, 1));
  }
}

}  // namespace

Lattices::Lattices(Context& context, const UnigramCorpus& corpus, const std::vector<UnigramSeed>& seeds,
                   std::unique_ptr<WordFile> file)
    : context_(context), corpus_(corpus), all_pieces_(seeds), file_(std::move(file)) {
  auto trie = std::make_unique<PieceTrie>(corpus, seeds);
  if (!file_) {
    search_pieces(*trie);
    search_words(*trie);
    return;
  }
  trie_ = std::move(trie);
  file_->for_blocks<uint64_t>(
      context_,
      [](const WordBlock& block, uint64_t& sum) {
        block.for_words([&](std::vector<int32_t>&, uint64_t count) { sum += count; });
      },
      [&](uint64_t sum) { occurrences_ += sum; });
}

Lattices::~Lattices() = default;

void Lattices::search_pieces(const PieceTrie& trie) {
  pieces_.reserve(all_pieces_.size());
  for (auto& piece : all_pieces_) {
    uint64_t begin = piece_edges_.size();
    append_edges(trie, corpus_.text.data() + piece.begin, piece.size, piece_edges_);
    pieces_.push_back({begin, static_cast<uint32_t>(piece_edges_.size() - begin)});
  }
  piece_edges_.shrink_to_fit();
}

std::span<const LatticeEdge> Lattices::piece(size_t i, std::vector<LatticeEdge>& room) const {
  if (!trie_) return {piece_edges_.data() + pieces_[i].begin, pieces_[i].size};
  room.clear();
  append_edges(*trie_, corpus_.text.data() + all_pieces_[i].begin, all_pieces_[i].size, room);
  return room;
}

void Lattices::search_words(const PieceTrie& trie) {
  // A word that stands in the corpus in two ways is one word here.
  for (auto& entry : corpus_.entries) {
    occurrences_ += entry.count;
    if (entry.again)
      words_.back().count += entry.count;
    else
      words_.push_back({entry.begin, entry.count});
  }
  // Once to count, once to fill: no array larger than needed exists.
  size_t tiles = (words_.size() + kTileWords - 1) / kTileWords;
  std::vector<uint64_t> begin_of_tile(tiles + 1);
  auto sizes = [&, this](size_t w) {
    uint32_t size = 0;
    for (const uint16_t* c = corpus_.text.data() + words_[w].first_edge;
         size == 0 || !(*c == UnigramCorpus::kLineEnd || *c == corpus_.space); ++c)
      ++size;
    return size;
  };
  auto for_tile = [&](int64_t tile, auto&& f) {
    size_t end = std::min(words_.size(), (static_cast<size_t>(tile) + 1) * kTileWords);
    for (size_t w = static_cast<size_t>(tile) * kTileWords; w < end; ++w) f(w);
  };
  context_.parallel.for_tiles(static_cast<int64_t>(tiles), [&](int64_t tile) {
    uint64_t sum = 0;
    for_tile(tile, [&](size_t w) {
      uint32_t size = sizes(w);
      const uint16_t* text = corpus_.text.data() + words_[w].first_edge;
      for (uint32_t i = 0; i < size; ++i) {
        bool single = false;
        trie.prefixes(text + i, size - i, [&](uint32_t, uint32_t length) {
          single |= length == 1;
          ++sum;
        });
        sum += !single;
      }
    });
    begin_of_tile[static_cast<size_t>(tile) + 1] = sum;
  });
  for (size_t t = 0; t < tiles; ++t) begin_of_tile[t + 1] += begin_of_tile[t];
  edges_.resize(begin_of_tile[tiles], LatticeEdge(0, 0));
  context_.parallel.for_tiles(static_cast<int64_t>(tiles), [&](int64_t tile) {
    std::vector<LatticeEdge> edges;
    uint64_t at = begin_of_tile[static_cast<size_t>(tile)];
    for_tile(tile, [&](size_t w) {
      edges.clear();
      append_edges(trie, corpus_.text.data() + words_[w].first_edge, sizes(w), edges);
      std::copy(edges.begin(), edges.end(), edges_.begin() + static_cast<ptrdiff_t>(at));
      words_[w].first_edge = at;
      at += edges.size();
    });
  });
  words_.push_back({edges_.size(), 0});
}

double Lattices::sum_over_tiles(const std::function<double(const LatticeTile&)>& f) const {
  double sum = 0;
  if (!file_) {
    std::vector<double> sums((words() + kTileWords - 1) / kTileWords);
    context_.parallel.for_tiles(static_cast<int64_t>(sums.size()), [&](int64_t i) {
      auto tile = static_cast<size_t>(i);
      size_t begin = tile * kTileWords, size = std::min<size_t>(kTileWords, words() - begin);
      sums[tile] = f(LatticeTile(std::span(words_).subspan(begin, size + 1), edges_.data()));
    });
    for (double s : sums) sum += s;
    return sum;
  }
  file_->for_blocks<double>(
      context_,
      [&](const WordBlock& block, double& result) {
        std::vector<LatticeEdge> edges;
        std::vector<LatticeTile::Word> words;
        std::vector<uint16_t> text;
        auto work = [&] {
          words.push_back({edges.size(), 0});
          result += f(LatticeTile(words, edges.data()));
          words.clear();
          edges.clear();
        };
        block.for_words([&](const std::vector<int32_t>& symbols, uint64_t count) {
          text.assign(symbols.begin(), symbols.end());
          words.push_back({edges.size(), count});
          append_edges(*trie_, text.data(), static_cast<uint32_t>(text.size()), edges);
          if (words.size() == kTileWords) work();
        });
        work();
      },
      [&](double result) { sum += result; });
  return sum;
}

void Lattices::renumber(std::span<const uint32_t> new_number) {
  if (trie_) {
    trie_ = nullptr;  // before the new one is made
    trie_ = std::make_unique<PieceTrie>(corpus_, all_pieces_);
    return;
  }
  auto filter = [&](std::vector<LatticeEdge>& edges, uint64_t from, uint64_t size, uint64_t& to) {
    for (uint64_t i = from; i < from + size; ++i) {
      LatticeEdge e = edges[i];
      uint32_t number = e.piece() == LatticeEdge::kNoPiece ? LatticeEdge::kNoPiece : new_number[e.piece()];
      if (number == LatticeEdge::kNoPiece && e.length() > 1) continue;
      edges[to++] = LatticeEdge(number, e.length());
    }
  };
  uint64_t at = 0;
  for (size_t w = 0; w < words(); ++w) {
    uint64_t begin = words_[w].first_edge, size = words_[w + 1].first_edge - begin;
    words_[w].first_edge = at;
    filter(edges_, begin, size, at);
  }
  words_.back().first_edge = at;
  edges_.erase(edges_.begin() + static_cast<ptrdiff_t>(at), edges_.end());
  std::vector<Range> pieces(all_pieces_.size());
  at = 0;
  for (size_t p = 0; p < pieces_.size(); ++p) {
    uint32_t number = new_number[p];
    if (number == LatticeEdge::kNoPiece) continue;
    uint64_t begin = at;
    filter(piece_edges_, pieces_[p].begin, pieces_[p].size, at);
    pieces[number] = {begin, static_cast<uint32_t>(at - begin)};
  }
  piece_edges_.erase(piece_edges_.begin() + static_cast<ptrdiff_t>(at), piece_edges_.end());
  pieces_.swap(pieces);
}

uint64_t Lattices::memory_bytes() const {
  return (edges_.capacity() + piece_edges_.capacity()) * sizeof(LatticeEdge) +
         words_.capacity() * sizeof(LatticeTile::Word) + pieces_.capacity() * sizeof(Range);
}

}  // namespace llmkit::tokenizer
