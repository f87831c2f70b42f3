// Any bytes as the vocabularies that are text: .tiktoken, vocab.txt, vocab.json with merges.txt (up to a zero byte).
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_formats.h"

namespace {

template <class Read>
void try_one(std::string_view text, Read&& read) {
  using namespace llmkit;
  try {
    tokenizer::Tokenizer tokenizer(read());
    auto ids = tokenizer.encode(text.substr(0, 2000), {tokenizer::SpecialText::parse, true});
    tokenizer.decode(ids, true);
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llmkit::tokenizer;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  try_one(text, [&] { return parse_tiktoken(text, "fuzz"); });
  try_one(text, [&] { return parse_vocab_txt(text, "fuzz"); });
  size_t zero = std::min(text.find('\0'), text.size());
  try_one(text, [&] {
    return parse_vocab_and_merges(text.substr(0, zero), text.substr(std::min(zero + 1, text.size())), "fuzz");
  });
  return 0;
}
