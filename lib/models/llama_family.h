// What Llama and its relatives share: RMSNorm, RoPE, grouped keys and values, a gated ffn, one naming of the weights.
#pragma once

#include "models/architecture.h"

namespace llmkit::models {

class LlamaFamily : public Architecture {
 public:
  LlamaFamily(std::string model_type, std::string class_name)
      : model_type_(std::move(model_type)), class_name_(std::move(class_name)) {}

  ModelConfig read_config(const formats::Json& json) const override;
  formats::Json write_config(const ModelConfig& config) const override;
  std::vector<WeightName> weight_names(const ModelConfig& config) const override;
  bool may_skip(std::string_view name, const ModelConfig& config) const override;

 protected:
  // What a member of the family reads and writes besides.
  virtual void read_own(const formats::Json& json, ModelConfig& config) const = 0;
  virtual void write_own(formats::Json& json, const ModelConfig& config) const = 0;

 private:
  std::string model_type_, class_name_;
};

}  // namespace llmkit::models
