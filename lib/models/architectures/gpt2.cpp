// GPT-2 (Radford et al. 2019): LayerNorm, learned positions, fused qkv, tanh GELU, biases, tied head. On disk its
// matrices are Conv1D weights, [in, out].
#include "models/architecture.h"

namespace llmkit::models {
namespace {

using formats::Json;

class Gpt2 : public Architecture {
 public:
  ModelConfig read_config(const Json& json) const override {
    ModelConfig c;
    c.architecture = "gpt2";
    c.norm = "layer-norm";
    c.gated = false;
    c.position = "learned";
    c.qkv_bias = c.output_bias = c.ffn_bias = true;
    c.vocab_size = json.get_int("vocab_size");
    c.hidden_size = json.get_int("n_embd");
    c.layers = json.get_int("n_layer");
    c.heads = json.get_int("n_head");
    c.max_positions = json.get_int("n_positions");
    c.intermediate_size = json.get_int("n_inner", 0);
    c.activation = json.get_string("activation_function", "gelu_new");
    c.norm_epsilon = json.get_real("layer_norm_epsilon", 1e-5);
    c.initializer_range = json.get_real("initializer_range", 0.02);
    c.tie_embeddings = json.get_bool("tie_word_embeddings", true);
    c.attention_dropout = json.get_real("attn_pdrop", 0.1);
    c.residual_dropout = json.get_real("resid_pdrop", 0.1);
    c.embedding_dropout = json.get_real("embd_pdrop", 0.1);
    for (const char* key : {"scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn", "add_cross_attention"})
      if (json.get_bool(key, false)) throw Error(json.path(key) + ": not supported");
    if (!json.get_bool("scale_attn_weights", true))
      throw Error(json.path("scale_attn_weights") + ": not supported when false");
    read_token_ids(json, c);
    return c;
  }

  Json write_config(const ModelConfig& c) const override {
    Json json = Json::object();
    json.set("architectures", Json(formats::JsonArray{Json("GPT2LMHeadModel")}));
    json.set("model_type", "gpt2");
    json.set("vocab_size", c.vocab_size);
    json.set("n_embd", c.hidden_size);
    json.set("n_layer", c.layers);
    json.set("n_head", c.heads);
    json.set("n_positions", c.max_positions);
    json.set("n_inner", c.intermediate_size);
    json.set("activation_function", c.activation);
    json.set("layer_norm_epsilon", c.norm_epsilon);
    json.set("initializer_range", c.initializer_range);
    json.set("tie_word_embeddings", c.tie_embeddings);
    json.set("attn_pdrop", c.attention_dropout);
    json.set("resid_pdrop", c.residual_dropout);
    json.set("embd_pdrop", c.embedding_dropout);
    json.set("scale_attn_weights", true);
    json.set("use_cache", true);
    write_token_ids(json, c);
    return json;
  }

  std::vector<WeightName> weight_names(const ModelConfig& c) const override {
    std::vector<WeightName> names = {{"embedding.token.weight", "transformer.wte.weight"},
                                     {"embedding.position.weight", "transformer.wpe.weight"}};
    for (int64_t l = 0; l < c.layers; ++l) {
      std::string ours = "layers." + std::to_string(l) + ".", theirs = "transformer.h." + std::to_string(l) + ".";
      auto both = [&](const char* a, const char* b, bool matrix) {
        names.push_back({ours + a + ".weight", theirs + b + ".weight", 0, 0, matrix});
        names.push_back({ours + a + ".bias", theirs + b + ".bias"});
      };
      both("attention_norm", "ln_1", false);
      both("attention.qkv", "attn.c_attn", true);
      both("attention.output", "attn.c_proj", true);
      both("ffn_norm", "ln_2", false);
      both("ffn.up", "mlp.c_fc", true);
      both("ffn.down", "mlp.c_proj", true);
    }
    names.push_back({"final_norm.weight", "transformer.ln_f.weight"});
    names.push_back({"final_norm.bias", "transformer.ln_f.bias"});
    if (!c.tie_embeddings) names.push_back({"head.weight", "lm_head.weight"});
    return names;
  }

  bool may_skip(std::string_view name, const ModelConfig& c) const override {
    return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") ||
           (c.tie_embeddings && name == "lm_head.weight");
  }
  std::string_view optional_prefix() const override { return "transformer."; }
};

}  // namespace

Entry<Architecture> architecture_gpt2() {
  return {{"gpt2", "LayerNorm, learned positions, GELU, biases",
           "Radford et al.: Language models are unsupervised multitask learners, 2019"},
          [](const Values&) -> std::unique_ptr<Architecture> { return std::make_unique<Gpt2>(); }};
}

}  // namespace llmkit::models
