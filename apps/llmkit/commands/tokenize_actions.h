// The actions of `llmkit tokenize` that are for people: inspect and compare.
#pragma once

#include <string>
#include <vector>

#include "command.h"
#include "formats/jsonl.h"

namespace llmkit::cli {

struct InspectRequest {
  std::string tokenizer, token;  // with `token`: its history instead of a text
  std::vector<std::string> inputs;
  bool parse_special = false;
};
ExitCode inspect_tokens(const Common& common, const InspectRequest& request);

struct CompareRequest {
  std::vector<std::string> tokenizers, inputs;
  formats::DocumentReaderOptions reader;
  uint64_t max_bytes = 0;  // of text that is looked at
};
ExitCode compare_tokenizers(Context& context, const Common& common, const CompareRequest& request);

}  // namespace llmkit::cli
