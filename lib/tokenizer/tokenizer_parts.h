// Everything that the files of a tokenizer say, whatever their format: the plain value from which a Tokenizer is built
// and which the readers fill and the writers spell.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tokenizer/added_tokens.h"
#include "tokenizer/bpe.h"

namespace llmkit::tokenizer {

enum class ModelKind { bpe, unigram, wordpiece };

// What a token is to SentencePiece and GGUF; the numbers are theirs.
enum class TokenType : uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

// How tokens become text again.
enum class Joining {
  bytes,      // one after the other
  metaspace,  // "▁" is a space, the one in front of the text is dropped
  wordpiece,  // a space between words; a token with the word_prefix continues one
  suffix,     // the word_suffix is a space
};

struct TokenizerParts {
  enum class Symbols { bytes, characters };  // what merges start from

  ModelKind model = ModelKind::bpe;
  Symbols symbols = Symbols::bytes;
  std::vector<std::string> normalizers;  // specs of the registry, applied in this order
  std::string pretokenizer = "llama3";   // spec of the registry
  std::vector<std::string> tokens;       // id -> its spelling (its bytes, with Symbols::bytes); empty: no token
  std::vector<float> scores;          // by id: log-probabilities (unigram), priorities (SentencePiece's BPE); or none
  std::vector<TokenType> types;       // by id; none: all are normal
  std::vector<Merge> merges;          // by rank
  std::vector<AddedToken> added;      // by id; contents are also in `tokens`
  bool ignore_merges = false;         // a piece that is a token is that token, whatever the merges say
  bool byte_fallback = false;         // a character without a token becomes the tokens <0x00> … <0xFF> of its bytes
  bool fuse_unk = false;              // neighbouring unknown characters are one unknown token
  std::string word_prefix;            // before what continues a word ("##")
  std::string word_suffix;            // after what ends one ("</w>")
  int32_t max_word_characters = 100;  // WordPiece: longer words are unknown
  Joining joining = Joining::bytes;
  bool drop_first_space = false;        // Joining::metaspace: the text's first space came from the normalizer
  bool clean_up = false;                // WordPiece decoding: no space before ".", "n't" and the like
  std::vector<int32_t> prefix, suffix;  // what EncodeOptions::add_special_tokens puts around a text
  std::string bos, eos, pad, unk;       // contents, empty where there is none
  std::string chat_template;            // Jinja, passed through
  int64_t max_length = 0;               // model_max_length, 0 = not given

  // Appends a token, or returns the id of the one there is (which becomes an added one).
  int32_t add(const AddedToken& token);
};

}  // namespace llmkit::tokenizer
