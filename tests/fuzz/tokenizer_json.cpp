// Any bytes as tokenizer.json: an Error or a tokenizer whose encoding decodes to the text, or to less where the
// vocabulary lacks a byte.
#include "tokenizer/tokenizer_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit;
  std::string_view json(reinterpret_cast<const char*>(data), size);
  try {
    tokenizer::TokenizerParts parts = tokenizer::parse_tokenizer_json(json, "fuzz");
    tokenizer::parse_tokenizer_config(json, "fuzz", parts);
    tokenizer::Tokenizer tokenizer(parts);
    auto ids = tokenizer.encode(json.substr(0, 2000), {tokenizer::SpecialText::parse, true});
    tokenizer.decode(ids, true);
    tokenizer::write_tokenizer_json(parts);
  } catch (const Error&) {
  }
  return 0;
}
