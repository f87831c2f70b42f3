// What turns one piece of normal text into tokens: byte-pair encoding, Unigram or WordPiece. Built once from the parts;
// all state of a call is in Scratch, so any thread may encode.
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/rng.h"
#include "tokenizer/bpe_tables.h"
#include "tokenizer/tokenizer_parts.h"

namespace llmkit::tokenizer {

// Random segmentation, for training that should see words cut in more than one way.
struct Sampling {
  double dropout = 0;  // BPE: probability that a merge is passed over
  double alpha = 0;    // Unigram: draws a segmentation with probability ~ P^alpha; 0: the best one
  bool on() const { return dropout > 0 || alpha > 0; }
};

// SentencePiece begins a sum over a sentence anew where it passes this.
constexpr float kSentenceReset = 100'000;

class SubwordModel {
 public:
  struct Scratch {
    BpeMerger::Scratch merger;
    BpeTables::Scratch tables;
    template <class Real>
    struct Node {
      Real score;
      int32_t id;
      uint32_t length;  // of that token; 0: none ends here
    };
    std::vector<Node<float>> float_lattice;
    std::vector<Node<double>> double_lattice;
    std::vector<double> forward;
    float sentence = 0;  // Unigram: score of the sentence so far
    float gap = 0;       // Unigram: by how much the choices that were made won at least
  };

  virtual ~SubwordModel() = default;
  // Appends the tokens of `piece`. An unknown character gives one unknown token (or the tokens of its bytes).
  virtual void encode(std::string_view piece, std::vector<int32_t>& out, Scratch& scratch) const = 0;
  // The same for a part of a piece over whose ends no token reaches.
  virtual void encode_part(std::string_view part, std::vector<int32_t>& out, Scratch& scratch) const {
    encode(part, out, scratch);
  }
  virtual void sample(std::string_view piece, std::vector<int32_t>& out, Scratch& scratch, const Sampling&,
                      Rng&) const {
    encode(piece, out, scratch);
  }
  // The n best segmentations with their scores, the best first; empty where the model has no scores.
  struct Scored {
    std::vector<int32_t> ids;
    double score;
  };
  virtual std::vector<Scored> best(std::string_view, int) const { return {}; }
};

// The vocabulary as all models see it.
struct Vocabulary {
  explicit Vocabulary(const TokenizerParts& parts);

  const TokenizerParts& parts;
  std::unordered_map<std::string_view, int32_t> ids;  // by spelling; added tokens win
  std::vector<bool> control;  // by id: of added special tokens, and of control and unknown types: never found in text
  std::array<int32_t, 256> bytes;  // <0x00> … <0xFF>, -1 where there is none
  int32_t unk = -1;
  bool whole_text = false;  // pieces are parts of one sentence, not words on their own

  void unknown(std::string_view character, std::vector<int32_t>& out) const {
    if (parts.byte_fallback && has_bytes(character)) {
      for (char c : character) out.push_back(bytes[static_cast<unsigned char>(c)]);
    } else if (unk >= 0) {
      out.push_back(unk);  // without an unknown token, Hugging Face drops what the vocabulary lacks
    }
  }

 private:
  bool has_bytes(std::string_view character) const {
    for (char c : character)
      if (bytes[static_cast<unsigned char>(c)] < 0) return false;
    return true;
  }
};

std::unique_ptr<SubwordModel> make_bpe_model(const Vocabulary& vocabulary);
std::unique_ptr<SubwordModel> make_unigram_model(const Vocabulary& vocabulary);
std::unique_ptr<SubwordModel> make_wordpiece_model(const Vocabulary& vocabulary);

}  // namespace llmkit::tokenizer
