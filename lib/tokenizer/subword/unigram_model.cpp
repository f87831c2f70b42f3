// Unigram (Kudo, "Subword regularization", 2018): every token has a probability, and a piece gets the segmentation of
// the largest product (Viterbi), one drawn from all of them, or the n best.
// Sums are those of the reference, so that ties fall as they do there: SentencePiece (0.2) adds floats from the start
// of the sentence, and begins anew from where they pass 100,000; Hugging Face adds doubles from the start of the word.
#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>
#include <type_traits>

#include "tokenizer/character_cuts.h"
#include "tokenizer/subword_model.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

constexpr float kUnkPenalty = 10;

class UnigramModel : public SubwordModel {
 public:
  explicit UnigramModel(const Vocabulary& vocabulary) : vocabulary_(vocabulary), parts_(vocabulary.parts) {
    scores_ = parts_.scores;
    scores_.resize(parts_.tokens.size());
    types_ = parts_.types;
    types_.resize(parts_.tokens.size(), TokenType::normal);
    float least = std::numeric_limits<float>::max();
    std::vector<std::pair<std::string_view, int32_t>> entries;
    for (size_t id = 0; id < parts_.tokens.size(); ++id) {
      bool found_in_text = types_[id] == TokenType::normal || types_[id] == TokenType::user_defined;
      if (types_[id] == TokenType::normal) least = std::min(least, scores_[id]);
      if (found_in_text && !vocabulary.control[id]) entries.emplace_back(parts_.tokens[id], static_cast<int32_t>(id));
    }
    trie_ = ByteTrie(std::move(entries));
    for (size_t id = 0; id < scores_.size(); ++id) {
      bool own = types_[id] == TokenType::user_defined;
      quick_scores_.push_back(own ? std::numeric_limits<float>::quiet_NaN() : scores_[id]);
    }
    find_wide_nodes();
    unk_score_ = least - kUnkPenalty;
  }

  void encode(std::string_view piece, std::vector<int32_t>& out, Scratch& s) const override {
    if (vocabulary_.whole_text)
      s.sentence = static_cast<float>(viterbi<float>(piece, s.sentence, out, s));
    else
      viterbi<double>(piece, 0, out, s);
  }

  void sample(std::string_view piece, std::vector<int32_t>& out, Scratch& s, const Sampling& sampling,
              Rng& rng) const override {
    if (sampling.alpha <= 0) return encode(piece, out, s);
    // Forward filtering: forward[i] = log of the summed P^alpha of all segmentations of the first i bytes; then tokens
    // are drawn from the end, each with its share of the sum.
    size_t n = piece.size();
    s.forward.assign(n + 1, -std::numeric_limits<double>::infinity());
    s.forward[0] = 0;
    struct Edge {
      size_t begin, end;
      int32_t id;
      double score;
    };
    std::vector<Edge> edges;
    auto add = [&](double a, double b) { return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b))); };
    for_edges(piece, [&](size_t begin, size_t end, int32_t id, double score) {
      if (std::isinf(s.forward[begin])) return;
      edges.push_back({begin, end, id, score * sampling.alpha});
      double through = s.forward[begin] + score * sampling.alpha;
      s.forward[end] = std::isinf(s.forward[end]) ? through : add(s.forward[end], through);
    });
    std::vector<std::vector<uint32_t>> into(n + 1);
    for (size_t i = 0; i < edges.size(); ++i) into[edges[i].end].push_back(static_cast<uint32_t>(i));
    std::vector<const Edge*> path;
    for (size_t at = n; at > 0;) {
      double left = rng.uniform();
      const Edge* taken = nullptr;
      for (uint32_t i : into[at]) {
        taken = &edges[i];
        left -= std::exp(s.forward[taken->begin] + taken->score - s.forward[at]);
        if (left < 0) break;
      }
      path.push_back(taken);
      at = taken->begin;
    }
    for (size_t i = path.size(); i > 0; --i) put(piece.substr(path[i - 1]->begin), path[i - 1]->id, out);
  }

  // A* from the end over the exact Viterbi scores of what is left (Nagata, "A stochastic Japanese morphological
  // analyzer using a forward-DP backward-A* n-best search algorithm", 1994).
  std::vector<Scored> best(std::string_view piece, int count) const override {
    size_t n = piece.size();
    std::vector<double> forward(n + 1, -std::numeric_limits<double>::infinity());
    forward[0] = 0;
    struct Edge {
      size_t begin;
      int32_t id;
      double score;
    };
    std::vector<std::vector<Edge>> into(n + 1);
    for_edges(piece, [&](size_t begin, size_t end, int32_t id, double score) {
      if (std::isinf(forward[begin])) return;
      into[end].push_back({begin, id, score});
      forward[end] = std::max(forward[end], forward[begin] + score);
    });
    struct Hypothesis {
      size_t at;
      int32_t id, next;  // next: index of what follows, -1 at the end
      double behind;     // score of what follows
    };
    std::vector<Hypothesis> all{{n, -1, -1, 0}};
    using Open = std::pair<double, size_t>;
    auto worse = [](const Open& a, const Open& b) {
      return a.first != b.first ? a.first < b.first : a.second > b.second;
    };
    std::priority_queue<Open, std::vector<Open>, decltype(worse)> open(worse);
    open.emplace(forward[n], 0);
    std::vector<Scored> out;
    constexpr size_t kMaxHypotheses = 1 << 20;
    while (!open.empty() && static_cast<int>(out.size()) < count && all.size() < kMaxHypotheses) {
      auto [total, index] = open.top();
      open.pop();
      Hypothesis top = all[index];
      if (top.at == 0) {
        Scored scored{{}, total};
        size_t at = 0;
        for (auto i = static_cast<int32_t>(index); all[static_cast<size_t>(i)].next >= 0;) {
          const Hypothesis& h = all[static_cast<size_t>(i)];
          put(piece.substr(at), h.id, scored.ids);
          i = h.next;
          at = all[static_cast<size_t>(i)].at;
        }
        out.push_back(std::move(scored));
        continue;
      }
      for (auto& edge : into[top.at]) {
        all.push_back({edge.begin, edge.id, static_cast<int32_t>(index), top.behind + edge.score});
        open.emplace(forward[edge.begin] + top.behind + edge.score, all.size() - 1);
      }
    }
    return out;
  }

 private:
  double score_of(int32_t id, size_t bytes) const {
    auto i = static_cast<size_t>(id);
    // One that the user defined beats all others, and the longer of two; as in SentencePiece 0.2.
    return static_cast<double>(
        types_[i] == TokenType::user_defined ? static_cast<float>(0.1 * (static_cast<double>(bytes) - 1)) : scores_[i]);
  }

  // f(begin, end, id, score) for every token in the piece, by begin, then end; id -1 for an unknown character.
  template <class F>
  void for_edges(std::string_view piece, F&& f) const {
    const char *begin = piece.data(), *end = begin + piece.size();
    for (const char* p = begin; p < end;) {
      Utf8Char c = decode_utf8(p, end);
      auto at = static_cast<size_t>(p - begin);
      bool single = false;
      uint32_t node = trie_.root();
      for (const char* q = p; q < end;) {
        node = trie_.step(node, *q++);
        if (!node) break;
        int32_t id = trie_.value(node);
        if (id < 0) continue;
        auto length = static_cast<size_t>(q - p);
        single |= length == c.length;
        f(at, at + length, id, score_of(id, length));
      }
      if (!single) f(at, at + c.length, -1, static_cast<double>(unk_score_));
      p += c.length;
    }
  }

  void put(std::string_view from, int32_t id, std::vector<int32_t>& out) const {
    if (id >= 0) return out.push_back(id);
    Utf8Char c = decode_utf8(from.data(), from.data() + from.size());
    vocabulary_.unknown(from.substr(0, c.length), out);
  }

  // The node of each character of three bytes, so that a walk from it begins with one load.
  void find_wide_nodes() {
    wide_nodes_.assign(size_t{1} << 16, 0);
    for (uint32_t a = 0; a < 16; ++a) {
      uint32_t first = trie_.step(trie_.root(), static_cast<char>(0xE0 | a));
      for (uint32_t b = 0; first && b < 64; ++b) {
        uint32_t second = trie_.step(first, static_cast<char>(0x80 | b));
        for (uint32_t c = 0; second && c < 64; ++c) {
          bool ends_inside = trie_.value(first) >= 0 || trie_.value(second) >= 0;
          uint32_t third = trie_.step(second, static_cast<char>(0x80 | c));
          wide_nodes_[a << 12 | b << 6 | c] = ends_inside ? kWalk : third;
        }
      }
    }
  }

  template <class Real>
  static auto& lattice_of(Scratch& s) {
    if constexpr (std::is_same_v<Real, float>)
      return s.float_lattice;
    else
      return s.double_lattice;
  }

  template <class Real>
  Real viterbi(std::string_view piece, Real start, std::vector<int32_t>& out, Scratch& s) const {
    size_t n = piece.size();
    auto& lattice = lattice_of<Real>(s);
    lattice.assign(n + 1, {0, -1, 0});
    auto* nodes = lattice.data();
    nodes[0].score = start;
    float gap = std::numeric_limits<float>::max();
    const char *begin = piece.data(), *end = begin + n;
    size_t reached = 0;
    for (const char* p = begin; p < end;) {
      const auto at = static_cast<size_t>(p - begin);
      const uint32_t length = decode_utf8(p, end).length;
      if (at > 0 && nodes[at].length == 0) {  // nothing ends here
        p += length;
        continue;
      }
      if (std::is_same_v<Real, float> && std::abs(nodes[at].score) > static_cast<Real>(kSentenceReset)) {
        const Real offset = nodes[at].score;
        for (size_t i = at; i <= reached || i == at; ++i)
          if (i == at || nodes[i].length != 0) nodes[i].score -= offset;
      }
      const Real base = nodes[at].score;
      auto reach = [&](size_t bytes, int32_t id, Real score) {
        Real total = score + base;
        auto& node = nodes[at + bytes];
        if (node.length != 0) {
          gap = std::min(gap, static_cast<float>(std::abs(total - node.score)));
          if (total <= node.score) return;
        }
        node = {total, id, static_cast<uint32_t>(bytes)};
        reached = std::max(reached, at + bytes);
      };
      bool single = false;
      auto visit = [&](uint32_t node, size_t bytes) {
        int32_t id = trie_.value(node);
        if (id < 0) return;
        float quick = quick_scores_[static_cast<size_t>(id)];
        single |= bytes == length;
        reach(bytes, id, quick == quick ? static_cast<Real>(quick) : static_cast<Real>(score_of(id, bytes)));
      };
      uint32_t node = trie_.root();
      const char* q = p;
      if (length == 3) {
        uint32_t wide = wide_nodes_[CharacterCuts::code_of(p)];
        if (wide != kWalk) {
          node = wide;
          q += 3;
          if (node) visit(node, 3);
        }
      }
      while (node && q < end) {
        node = trie_.step(node, *q++);
        if (node) visit(node, static_cast<size_t>(q - p));
      }
      if (!single) reach(length, -1, static_cast<Real>(unk_score_));
      p += length;
    }
    s.gap = gap;
    size_t from = out.size(), at = n;
    bool known = true;
    while (at > 0) {
      known &= nodes[at].id >= 0;
      out.push_back(nodes[at].id >= 0 ? nodes[at].id : -static_cast<int32_t>(at) - 1);
      at -= nodes[at].length;
    }
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(from), out.end());
    Real total = nodes[n].score;
    if (!known) expand_unknown(piece, from, out, nodes);
    return total;
  }

  // Unknown characters stand as minus (their end + 1) so far.
  template <class Node>
  void expand_unknown(std::string_view piece, size_t from, std::vector<int32_t>& out, const Node* nodes) const {
    std::vector<int32_t> path(out.begin() + static_cast<std::ptrdiff_t>(from), out.end());
    out.resize(from);
    for (int32_t id : path) {
      if (id >= 0) {
        out.push_back(id);
        continue;
      }
      auto end = static_cast<size_t>(-id - 1);
      vocabulary_.unknown(piece.substr(end - nodes[end].length, nodes[end].length), out);
    }
  }

  static constexpr uint32_t kWalk = UINT32_MAX;
  const Vocabulary& vocabulary_;
  const TokenizerParts& parts_;
  std::vector<float> scores_;
  std::vector<TokenType> types_;
  std::vector<float> quick_scores_;   // NaN: ask score_of
  std::vector<uint32_t> wide_nodes_;  // 0: no token begins so; kWalk: one ends inside
  float unk_score_ = 0;
  ByteTrie trie_;
};

}  // namespace

std::unique_ptr<SubwordModel> make_unigram_model(const Vocabulary& vocabulary) {
  return std::make_unique<UnigramModel>(vocabulary);
}

}  // namespace llmkit::tokenizer
