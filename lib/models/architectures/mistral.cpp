// Mistral (Jiang et al. 2023): Llama with a sliding window.
#include "models/llama_family.h"

namespace llmkit::models {
namespace {

class Mistral : public LlamaFamily {
 public:
  Mistral() : LlamaFamily("mistral", "MistralForCausalLM") {}

 private:
  void read_own(const formats::Json& json, ModelConfig& c) const override {
    c.sliding_window = json.get_int("sliding_window", 0);
  }
  void write_own(formats::Json& json, const ModelConfig& c) const override {
    if (c.qkv_bias || c.output_bias || c.ffn_bias)
      throw Error("a mistral model has no biases: use architecture llama or qwen2");
    json.set("sliding_window", c.sliding_window > 0 ? formats::Json(c.sliding_window) : formats::Json());
  }
};

}  // namespace

Entry<Architecture> architecture_mistral() {
  return {{"mistral", "Llama with a sliding window", "Jiang et al.: Mistral 7B, 2023"},
          [](const Values&) -> std::unique_ptr<Architecture> { return std::make_unique<Mistral>(); }};
}

}  // namespace llmkit::models
