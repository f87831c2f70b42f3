// What a decoder-only transformer is made of, in our own terms. An architecture (architectures.def) reads and writes it
// in its Hugging Face config.json dialect.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace llmkit::models {

struct ModelConfig {
  std::string architecture = "llama";  // entry of architectures.def: gpt2, llama, mistral, qwen2

  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;           // 0 = heads
  int64_t head_dim = 0;           // 0 = hidden_size / heads
  int64_t intermediate_size = 0;  // 0 = the architecture's habit: 4·hidden, or 8/3·hidden rounded up to 64 when gated
  int64_t max_positions = 0;      // context length

  std::string norm = "rms-norm";  // entry of norms.def
  double norm_epsilon = 1e-5;
  std::string activation = "silu";  // entry of activations.def, by its Hugging Face name
  bool gated = true;                // act(x W_gate) · (x W_up) instead of act(x W_up)
  std::string position = "rope";    // entry of positions.def
  double rope_theta = 10000.0;
  int64_t sliding_window = 0;  // > 0: a token sees this many, itself included

  bool qkv_bias = false;
  bool output_bias = false;  // of the attention output
  bool ffn_bias = false;
  bool tie_embeddings = true;

  double initializer_range = 0.02;
  double attention_dropout = 0.0;  // of the attention probabilities
  double residual_dropout = 0.0;   // of what a block adds to the residual stream
  double embedding_dropout = 0.0;

  int64_t bos_token_id = -1, pad_token_id = -1;  // -1: none
  std::vector<int64_t> eos_token_ids;

  // Fills the zeros in and throws Error naming the key that does not fit.
  void complete();
  // Numbers in the matrices, after complete(): what a file of weights must at least hold.
  double matrix_numbers() const;
};

}  // namespace llmkit::models
