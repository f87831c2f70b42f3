#include "tokenizer/pretokenizers/cl100k_family.h"

namespace llmkit::tokenizer {

Entry<PreTokenizer> qwen2_pretokenizer() {
  Entry<PreTokenizer> entry{
      {"qwen2", "as Qwen 2 and 3: digits one by one", "Yang et al., Qwen2 technical report, 2024"}};
  entry.make = [](const Values&) -> std::unique_ptr<PreTokenizer> {
    return std::make_unique<ScanningPreTokenizer<Cl100kScanner<1>>>(LLMKIT_SPLIT_THEN_BYTES(
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+)"));
  };
  return entry;
}

}  // namespace llmkit::tokenizer
