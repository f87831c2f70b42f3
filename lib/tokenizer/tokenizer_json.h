// tokenizer.json, tokenizer_config.json and special_tokens_map.json of Hugging Face, read and written: BPE (byte-level,
// on characters, with byte fallback), Unigram and WordPiece with the normalizers, pre-tokenizers, post-processors and
// decoders in common use. Everything else is refused by name, because a tokenizer that is nearly right gives silently
// wrong ids.
#pragma once

#include <string>
#include <string_view>

#include "tokenizer/tokenizer.h"

namespace llmkit::tokenizer {

TokenizerParts parse_tokenizer_json(std::string_view json, std::string_view where);
std::string write_tokenizer_json(const TokenizerParts& parts);

// Roles of tokens, chat template and maximum length; keys that are absent change nothing.
void parse_tokenizer_config(std::string_view json, std::string_view where, TokenizerParts& parts);
std::string write_tokenizer_config(const TokenizerParts& parts);
std::string write_special_tokens_map(const TokenizerParts& parts);

}  // namespace llmkit::tokenizer
