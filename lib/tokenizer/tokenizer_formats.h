// The files in which tokenizers are kept, beside tokenizer.json (tokenizer_json.h): read into TokenizerParts and
// written from them. Readers take bytes that nobody vouches for and throw Error where they are no such file; writers
// throw Error where the format cannot say what the tokenizer does, rather than write one that gives other ids.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/tokenizer_parts.h"

namespace llmkit::tokenizer {

// By the name of the file or folder: tokenizer.json, vocab.json (merges.txt beside it), vocab.txt, *.tiktoken, *.model,
// *.gguf; all but folders may be compressed (.gz, .zst).
TokenizerParts read_tokenizer(const std::string& path);
// By the name too; a folder ("dir/") gets tokenizer.json and its companions.
void write_tokenizer(const TokenizerParts& parts, const std::string& path);

// tiktoken: a line "base64 rank" a token. The pattern and the special tokens are not in the file: those of cl100k,
// o200k and r50k are known by the number of ranks.
TokenizerParts parse_tiktoken(std::string_view text, std::string_view where);
std::string write_tiktoken(const TokenizerParts& parts);

// SentencePiece's .model (a protocol buffer): Unigram, BPE and characters.
TokenizerParts parse_sentencepiece(std::string_view bytes, std::string_view where);
std::string write_sentencepiece(const TokenizerParts& parts);

// The tokenizer.ggml.* keys of GGUF: models "gpt2", "llama", "t5" and "bert".
TokenizerParts parse_gguf_tokenizer(std::string_view bytes, std::string_view where);
std::string write_gguf_tokenizer(const TokenizerParts& parts);

// GPT-2's vocab.json and merges.txt (byte-level), also of character BPE.
TokenizerParts parse_vocab_and_merges(std::string_view vocab_json, std::string_view merges, std::string_view where);
std::pair<std::string, std::string> write_vocab_and_merges(const TokenizerParts& parts);

// BERT's vocab.txt: a token a line.
TokenizerParts parse_vocab_txt(std::string_view text, std::string_view where);
std::string write_vocab_txt(const TokenizerParts& parts);

// What the readers share.
// Where a merge list is missing, tokens name their merges: SentencePiece joins any two neighbours whose text is a
// token, the highest score first.
std::vector<Merge> merges_of_scores(const TokenizerParts& parts, std::string_view where);
// And tiktoken joins the two whose text has the lowest rank: each token's last two parts, in the order of ids.
// `complete` says whether every token of several bytes can be reached.
std::vector<Merge> merges_of_ranks(const std::vector<std::string>& tokens, std::string_view where, bool& complete);
// Merges by the spellings of their parts; the result is found by `left` and `right` without its word_prefix.
std::vector<Merge> merges_of_spellings(const TokenizerParts& parts,
                                       const std::vector<std::pair<std::string, std::string>>& spelled,
                                       const std::vector<std::string>& spellings, std::string_view where);
// The spelling of every token in a vocabulary: added ones as they are, byte-level ones by the byte alphabet.
std::vector<std::string> spelled_tokens(const TokenizerParts& parts);
// No text may have two ids; empty ones are gaps.
void check_distinct(const std::vector<std::string>& tokens, std::string_view where);
// Ids must be distinct and lie close together.
void put_token(std::vector<std::string>& tokens, int64_t id, std::string bytes, int64_t limit, std::string_view where);

}  // namespace llmkit::tokenizer
