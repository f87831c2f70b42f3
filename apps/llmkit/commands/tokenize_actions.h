// The actions of `llmkit tokenize`, a file each.
#pragma once

#include <string>
#include <vector>

#include "command.h"
#include "formats/jsonl.h"
#include "tokenizer/tokenizer.h"

namespace llmkit::cli {

struct EncodeRequest {
  std::vector<std::string> inputs;
  formats::DocumentReaderOptions reader;
  tokenizer::EncodeOptions encoding;
  int64_t best = 0;      // also so many of the best segmentations
  bool offsets = false;  // also where each token stands
  bool write = true;     // else only counted
};
ExitCode encode_texts(Context& context, const Common& common, const tokenizer::Tokenizer& tokenizer,
                      const EncodeRequest& request);

ExitCode decode_ids(const Common& common, const tokenizer::Tokenizer& tokenizer,
                    const std::vector<std::string>& inputs);

ExitCode convert_tokenizer(const Common& common, const std::vector<std::string>& inputs);

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
