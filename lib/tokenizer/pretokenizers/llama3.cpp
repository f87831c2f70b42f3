#include "tokenizer/pretokenizers/cl100k_family.h"

namespace llmkit::tokenizer {

Entry<PreTokenizer> llama3_pretokenizer() {
  Entry<PreTokenizer> entry{{"llama3", "as Llama 3 and cl100k (GPT-4): digits in groups of up to three",
                             "Grattafiori et al., The Llama 3 herd of models, 2024"}};
  entry.make = [](const Values&) -> std::unique_ptr<PreTokenizer> {
    return std::make_unique<ScanningPreTokenizer<Cl100kScanner<3>>>(LLMKIT_SPLIT_THEN_BYTES(
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+)"));
  };
  return entry;
}

}  // namespace llmkit::tokenizer
