// An architecture: a dialect of config.json and the names and layouts of its weights on disk. architectures.def lists
// them. Inside llmkit names are canonical (nn/, decoder.cpp) and matrices are [out, in].
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/registry.h"
#include "formats/json.h"
#include "models/config.h"

namespace llmkit::models {

// One tensor on disk is a range of rows of one of our parameters (q, k and v are ranges of the fused qkv).
struct WeightName {
  std::string ours;
  std::string theirs;
  int64_t first_row = 0;
  int64_t rows = 0;         // 0: all, and vectors
  bool transposed = false;  // [in, out] on disk (GPT-2's Conv1D)
};

class Architecture {
 public:
  virtual ~Architecture() = default;
  virtual ModelConfig read_config(const formats::Json& json) const = 0;
  virtual formats::Json write_config(const ModelConfig& config) const = 0;
  virtual std::vector<WeightName> weight_names(const ModelConfig& config) const = 0;
  // Tensors that files of this family may hold and nobody needs (masks, buffers, a tied head).
  virtual bool may_skip(std::string_view name, const ModelConfig& config) const = 0;
  // A prefix that older files leave out.
  virtual std::string_view optional_prefix() const { return {}; }
};

const Registry<Architecture>& architectures();  // by config.json's model_type

// The token ids that every dialect writes alike.
void read_token_ids(const formats::Json& json, ModelConfig& config);
void write_token_ids(formats::Json& json, const ModelConfig& config);

}  // namespace llmkit::models
