// Byte-pair encoding of a piece, over bytes or characters: by the tables where they are exact, by merging where not.
#include <algorithm>
#include <set>

#include "tokenizer/subword_model.h"
#include "tokenizer/unicode_class.h"

namespace llmkit::tokenizer {
namespace {

// SentencePiece orders merges by the score of what they make, equal ones from the left.
std::vector<uint32_t> ranks_by_score(const TokenizerParts& parts) {
  if (parts.scores.empty()) return {};
  std::vector<float> scores;
  for (auto& m : parts.merges) scores.push_back(parts.scores[static_cast<size_t>(m.result)]);
  std::sort(scores.begin(), scores.end(), std::greater<>());
  scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
  std::vector<uint32_t> ranks;
  for (auto& m : parts.merges) {
    auto at =
        std::lower_bound(scores.begin(), scores.end(), parts.scores[static_cast<size_t>(m.result)], std::greater<>());
    ranks.push_back(static_cast<uint32_t>(at - scores.begin()));
  }
  return ranks;
}

class BpeModel : public SubwordModel {
 public:
  explicit BpeModel(const Vocabulary& vocabulary)
      : vocabulary_(vocabulary), parts_(vocabulary.parts), merger_(parts_.merges, ranks_by_score(parts_)) {
    bytes_ = parts_.symbols == TokenizerParts::Symbols::bytes;
    affixes_ = !parts_.word_prefix.empty() || !parts_.word_suffix.empty();
    collect_symbols();
    // A merge may start from what is no symbol (the spaces of Gemma, tokens of a hand-made list): those are leaves too.
    std::vector<bool> made(parts_.tokens.size());
    for (auto& m : parts_.merges) made[static_cast<size_t>(m.result)] = true;
    std::vector<int32_t> leaves;
    bool complete = true;
    for (int32_t id : symbols_) {
      if (id >= 0) leaves.push_back(id);
      complete &= id >= 0 || !bytes_;
    }
    std::sort(leaves.begin(), leaves.end());
    leaves.erase(std::unique(leaves.begin(), leaves.end()), leaves.end());
    if (!affixes_ && complete) tables_ = BpeTables(parts_.tokens, leaves, parts_.merges, merger_);
    if (!parts_.ignore_merges) return;
    for (auto [spelling, id] : vocabulary.ids) {
      auto i = static_cast<size_t>(id);
      if (!vocabulary.control[i] && !(tables_.exact() && tables_.reachable(id))) whole_.emplace(spelling, id);
    }
  }

  void encode(std::string_view piece, std::vector<int32_t>& out, Scratch& s) const override {
    if (!whole_token(piece, out)) encode_part(piece, out, s);
  }

  void encode_part(std::string_view piece, std::vector<int32_t>& out, Scratch& s) const override {
    if (!tables_.exact()) {
      size_t from = out.size();
      put_symbols(piece, out);
      return merger_.merge(out, from, s.merger);
    }
    if (bytes_) return tables_.encode(piece, out, s.tables);
    // Unknown characters merge with nothing: what stands between them is encoded on its own.
    const char *p = piece.data(), *end = p + piece.size(), *known = p;
    while (p < end) {
      Utf8Char c = decode_utf8(p, end);
      if (symbol_of(c) < 0) {
        if (known < p) tables_.encode({known, static_cast<size_t>(p - known)}, out, s.tables);
        vocabulary_.unknown({p, c.length}, out);
        known = p + c.length;
      }
      p += c.length;
    }
    if (known < end) tables_.encode({known, static_cast<size_t>(end - known)}, out, s.tables);
  }

  void sample(std::string_view piece, std::vector<int32_t>& out, Scratch& s, const Sampling& sampling,
              Rng& rng) const override {
    if (sampling.dropout <= 0) return encode(piece, out, s);
    size_t from = out.size();
    put_symbols(piece, out);
    merger_.merge(out, from, s.merger, sampling.dropout, rng);
  }

 private:
  void collect_symbols() {
    std::vector<bool> added(parts_.tokens.size());
    for (auto& token : parts_.added) added[static_cast<size_t>(token.id)] = true;
    if (bytes_) symbols_.assign(256, -1);
    for (size_t id = 0; id < parts_.tokens.size(); ++id) {
      const std::string& token = parts_.tokens[id];
      if (token.empty()) continue;
      if (bytes_ && token.size() == 1) {
        int32_t& symbol = symbols_[static_cast<unsigned char>(token[0])];
        if (symbol < 0 || !added[id]) symbol = static_cast<int32_t>(id);
      } else if (!bytes_ && !vocabulary_.control[id]) {
        Utf8Char c = decode_utf8(token.data(), token.data() + token.size());
        if (c.length != token.size() || c.code_point == 0xFFFFFFFF) continue;
        if (symbols_.size() <= c.code_point) symbols_.resize(c.code_point + 1, -1);
        if (symbols_[c.code_point] < 0) symbols_[c.code_point] = static_cast<int32_t>(id);
      }
    }
  }

  int32_t symbol_of(Utf8Char c) const { return c.code_point < symbols_.size() ? symbols_[c.code_point] : -1; }

  bool whole_token(std::string_view piece, std::vector<int32_t>& out) const {
    if (whole_.empty()) return false;
    auto found = whole_.find(piece);
    if (found == whole_.end()) return false;
    out.push_back(found->second);
    return true;
  }

  void put_symbols(std::string_view piece, std::vector<int32_t>& out) const {
    if (bytes_) {
      for (char byte : piece) {
        int32_t id = symbols_[static_cast<unsigned char>(byte)];
        if (id >= 0)
          out.push_back(id);
        else
          vocabulary_.unknown({&byte, 1}, out);
      }
      return;
    }
    const char *begin = piece.data(), *end = begin + piece.size();
    std::string spelling;
    for (const char* p = begin; p < end;) {
      Utf8Char c = decode_utf8(p, end);
      int32_t id = symbol_of(c);
      if (affixes_) {
        spelling.assign(p > begin ? parts_.word_prefix : std::string());
        spelling.append(p, c.length);
        if (p + c.length == end) spelling += parts_.word_suffix;
        auto found = vocabulary_.ids.find(spelling);
        id = found == vocabulary_.ids.end() ? -1 : found->second;
      }
      if (id >= 0)
        out.push_back(id);
      else
        vocabulary_.unknown({p, c.length}, out);
      p += c.length;
    }
  }

  const Vocabulary& vocabulary_;
  const TokenizerParts& parts_;
  bool bytes_, affixes_;
  BpeMerger merger_;
  std::vector<int32_t> symbols_;  // of each byte, or of each code point; -1: not in the vocabulary
  BpeTables tables_;
  // With ignore_merges: tokens that are taken where they are all of a piece, and that merging does not give.
  std::unordered_map<std::string_view, int32_t> whole_;
};

}  // namespace

std::unique_ptr<SubwordModel> make_bpe_model(const Vocabulary& vocabulary) {
  return std::make_unique<BpeModel>(vocabulary);
}

}  // namespace llmkit::tokenizer
