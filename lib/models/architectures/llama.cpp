// Llama (Touvron et al. 2023).
#include "models/llama_family.h"

namespace llmkit::models {
namespace {

class Llama : public LlamaFamily {
 public:
  Llama() : LlamaFamily("llama", "LlamaForCausalLM") {}

 private:
  void read_own(const formats::Json& json, ModelConfig& c) const override {
    c.qkv_bias = c.output_bias = json.get_bool("attention_bias", false);
    c.ffn_bias = json.get_bool("mlp_bias", false);
  }
  void write_own(formats::Json& json, const ModelConfig& c) const override {
    if (c.qkv_bias != c.output_bias)
      throw Error(
          "a llama config.json has one attention_bias for qkv and output: use architecture qwen2 for biases on qkv "
          "only");
    if (c.sliding_window > 0) throw Error("a llama config.json has no sliding_window: use architecture mistral");
    json.set("attention_bias", c.qkv_bias);
    json.set("mlp_bias", c.ffn_bias);
  }
};

}  // namespace

Entry<Architecture> architecture_llama() {
  return {{"llama", "RMSNorm, RoPE, grouped keys and values, SwiGLU", "Touvron et al.: LLaMA, 2023"},
          [](const Values&) -> std::unique_ptr<Architecture> { return std::make_unique<Llama>(); }};
}

}  // namespace llmkit::models
