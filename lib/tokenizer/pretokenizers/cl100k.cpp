#include "tokenizer/pretokenizers/cl100k_family.h"

namespace llmkit::tokenizer {

Entry<PreTokenizer> cl100k_pretokenizer() {
  Entry<PreTokenizer> entry{{"cl100k",
                             "as tiktoken's cl100k_base (GPT-4): llama3 with the last white space in one piece",
                             "OpenAI, tiktoken, 2022"}};
  entry.make = [](const Values&) -> std::unique_ptr<PreTokenizer> {
    return std::make_unique<ScanningPreTokenizer<Cl100kScanner<3, FinalSpaces::together>>>(LLMKIT_SPLIT_THEN_BYTES(
        R"('(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s+\\z|\\s*[\\r\\n]|\\s+(?!\\S)|\\s)"));
  };
  return entry;
}

}  // namespace llmkit::tokenizer
