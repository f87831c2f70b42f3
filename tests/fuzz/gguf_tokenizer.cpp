// Any bytes as GGUF metadata with a tokenizer: an Error, or a tokenizer that encodes.
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_formats.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    tokenizer::TokenizerParts parts = tokenizer::parse_gguf_tokenizer(bytes, "fuzz");
    tokenizer::Tokenizer tokenizer(parts);
    auto ids = tokenizer.encode(bytes.substr(0, 2000), {tokenizer::SpecialText::parse, true});
    tokenizer.decode(ids, true);
    tokenizer::write_gguf_tokenizer(parts);
  } catch (const Error&) {
  }
  return 0;
}
