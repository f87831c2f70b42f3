// Any bytes as a SentencePiece model: an Error, or a tokenizer that encodes and comes back from its own file.
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_formats.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    tokenizer::TokenizerParts parts = tokenizer::parse_sentencepiece(bytes, "fuzz");
    tokenizer::Tokenizer tokenizer(parts);
    std::vector<int32_t> ids;
    std::vector<tokenizer::Span> spans;
    tokenizer.encode(bytes.substr(0, 2000), ids, spans, {tokenizer::SpecialText::parse, true});
    tokenizer.decode(ids, true);
    tokenizer::parse_sentencepiece(tokenizer::write_sentencepiece(parts), "written");
  } catch (const Error&) {
  }
  return 0;
}
