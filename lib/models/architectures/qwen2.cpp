// Qwen2 (Yang et al. 2024): Llama with biases on queries, keys and values.
#include "models/llama_family.h"

namespace llmkit::models {
namespace {

class Qwen2 : public LlamaFamily {
 public:
  Qwen2() : LlamaFamily("qwen2", "Qwen2ForCausalLM") {}

 private:
  void read_own(const formats::Json& json, ModelConfig& c) const override {
    c.qkv_bias = true;
    if (json.get_bool("use_sliding_window", false))
      throw Error(json.path("use_sliding_window") + ": windows on some layers only are not supported");
  }
  void write_own(formats::Json& json, const ModelConfig& c) const override {
    if (!c.qkv_bias || c.output_bias || c.ffn_bias)
      throw Error("a qwen2 model has biases on queries, keys and values only");
    if (c.head_dim * c.heads != c.hidden_size) throw Error("a qwen2 model has head_dim = hidden_size / heads");
    json.set("use_sliding_window", false);
  }
};

}  // namespace

Entry<Architecture> architecture_qwen2() {
  return {{"qwen2", "Llama with biases on queries, keys and values", "Yang et al.: Qwen2 technical report, 2024"},
          [](const Values&) -> std::unique_ptr<Architecture> { return std::make_unique<Qwen2>(); }};
}

}  // namespace llmkit::models
