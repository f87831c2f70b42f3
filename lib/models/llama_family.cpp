#include "models/llama_family.h"

namespace llmkit::models {
namespace {

using formats::Json;

// θ from rope_theta (transformers 4) or rope_parameters.rope_theta (5); scaled forms are refused.
double read_rope_theta(const Json& json) {
  double theta = json.get_real("rope_theta", 10000.0);
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const Json* rope = json.find(key);
    if (!rope || rope->is_null()) continue;
    std::string type = rope->get_string("rope_type", rope->get_string("type", "default"));
    if (type != "default")
      throw Error({.what = "rope type not supported",
                   .where = json.path(key),
                   .expected = "default",
                   .found = type,
                   .hint = {}});
    theta = rope->get_real("rope_theta", theta);
  }
  return theta;
}

}  // namespace

ModelConfig LlamaFamily::read_config(const Json& json) const {
  ModelConfig c;
  c.architecture = model_type_;
  c.norm = "rms-norm";
  c.gated = true;
  c.position = "rope";
  c.vocab_size = json.get_int("vocab_size");
  c.hidden_size = json.get_int("hidden_size");
  c.intermediate_size = json.get_int("intermediate_size");
  c.layers = json.get_int("num_hidden_layers");
  c.heads = json.get_int("num_attention_heads");
  c.kv_heads = json.get_int("num_key_value_heads", c.heads);
  c.head_dim = json.get_int("head_dim", 0);
  c.max_positions = json.get_int("max_position_embeddings", 2048);
  c.activation = json.get_string("hidden_act", "silu");
  c.norm_epsilon = json.get_real("rms_norm_eps", 1e-6);
  c.initializer_range = json.get_real("initializer_range", 0.02);
  c.tie_embeddings = json.get_bool("tie_word_embeddings", false);
  c.rope_theta = read_rope_theta(json);
  c.attention_dropout = json.get_real("attention_dropout", 0.0);
  c.residual_dropout = json.get_real("llmkit_residual_dropout", 0.0);
  c.embedding_dropout = json.get_real("llmkit_embedding_dropout", 0.0);
  read_token_ids(json, c);
  read_own(json, c);
  return c;
}

Json LlamaFamily::write_config(const ModelConfig& c) const {
  Json json = Json::object();
  json.set("architectures", Json(formats::JsonArray{Json(class_name_)}));
  json.set("model_type", model_type_);
  json.set("vocab_size", c.vocab_size);
  json.set("hidden_size", c.hidden_size);
  json.set("intermediate_size", c.intermediate_size);
  json.set("num_hidden_layers", c.layers);
  json.set("num_attention_heads", c.heads);
  json.set("num_key_value_heads", c.kv_heads);
  json.set("head_dim", c.head_dim);
  json.set("max_position_embeddings", c.max_positions);
  json.set("hidden_act", c.activation);
  json.set("rms_norm_eps", c.norm_epsilon);
  json.set("initializer_range", c.initializer_range);
  json.set("tie_word_embeddings", c.tie_embeddings);
  json.set("rope_theta", c.rope_theta);
  json.set("rope_scaling", Json());
  json.set("attention_dropout", c.attention_dropout);
  if (c.residual_dropout > 0) json.set("llmkit_residual_dropout", c.residual_dropout);
  if (c.embedding_dropout > 0) json.set("llmkit_embedding_dropout", c.embedding_dropout);
  json.set("use_cache", true);
  write_token_ids(json, c);
  write_own(json, c);
  return json;
}

std::vector<WeightName> LlamaFamily::weight_names(const ModelConfig& c) const {
  std::vector<WeightName> names = {{"embedding.token.weight", "model.embed_tokens.weight"}};
  int64_t q = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim, inner = c.intermediate_size;
  for (int64_t l = 0; l < c.layers; ++l) {
    std::string ours = "layers." + std::to_string(l) + ".", theirs = "model.layers." + std::to_string(l) + ".";
    auto part = [&](const char* a, const char* b, bool bias, int64_t first, int64_t rows) {
      names.push_back({ours + a + ".weight", theirs + b + ".weight", first, rows});
      if (bias) names.push_back({ours + a + ".bias", theirs + b + ".bias", first, rows});
    };
    part("attention_norm", "input_layernorm", false, 0, 0);
    part("attention.qkv", "self_attn.q_proj", c.qkv_bias, 0, q);
    part("attention.qkv", "self_attn.k_proj", c.qkv_bias, q, kv);
    part("attention.qkv", "self_attn.v_proj", c.qkv_bias, q + kv, kv);
    part("attention.output", "self_attn.o_proj", c.output_bias, 0, 0);
    part("ffn_norm", "post_attention_layernorm", false, 0, 0);
    part("ffn.gate_up", "mlp.gate_proj", c.ffn_bias, 0, inner);
    part("ffn.gate_up", "mlp.up_proj", c.ffn_bias, inner, inner);
    part("ffn.down", "mlp.down_proj", c.ffn_bias, 0, 0);
  }
  names.push_back({"final_norm.weight", "model.norm.weight"});
  if (!c.tie_embeddings) names.push_back({"head.weight", "lm_head.weight"});
  return names;
}

bool LlamaFamily::may_skip(std::string_view name, const ModelConfig& c) const {
  return name.ends_with("rotary_emb.inv_freq") || (c.tie_embeddings && name == "lm_head.weight");
}

}  // namespace llmkit::models
