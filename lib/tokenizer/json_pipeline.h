// What tokenizer.json says beside its model: normalizer and pre-tokenizer, decoder and post-processor.
#pragma once

#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "formats/json.h"
#include "tokenizer/tokenizer_parts.h"

namespace llmkit::tokenizer {

// "this kind of tokenizer is not supported" at parent.key.
[[noreturn]] void unsupported(const formats::Json& parent, std::string_view key, std::string found,
                              std::string expected);
void require_null(const formats::Json& parent, std::string_view key);

void read_text_steps(const formats::Json& root, TokenizerParts& parts);  // before the vocabulary is read
void read_id_steps(const formats::Json& root, TokenizerParts& parts);    // after it

void write_text_steps(JsonWriter& w, const TokenizerParts& parts);  // "normalizer" and "pre_tokenizer"
void write_id_steps(JsonWriter& w, const TokenizerParts& parts);    // "post_processor" and "decoder"

}  // namespace llmkit::tokenizer
