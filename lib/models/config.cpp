#include "models/config.h"

#include "base/error.h"

namespace llmkit::models {
namespace {

[[noreturn]] void refuse(const char* key, const std::string& expected, int64_t found) {
  throw Error({.what = std::string("model config: ") + key,
               .where = {},
               .expected = expected,
               .found = std::to_string(found),
               .hint = {}});
}

void require(const char* key, int64_t value, int64_t most) {
  if (value < 1 || value > most) refuse(key, "1 to " + std::to_string(most), value);
}

int64_t round_up(int64_t n, int64_t to) {
  return (n + to - 1) / to * to;
}

}  // namespace

void ModelConfig::complete() {
  constexpr int64_t kMost = int64_t{1} << 30;
  constexpr int64_t kMostPositions = int64_t{1} << 22;
  constexpr double kMostNumbers = 1e13;
  constexpr int64_t kMostHeadDim = 256;  // of the attention kernel
  require("vocab_size", vocab_size, kMost);
  require("hidden_size", hidden_size, kMost);
  require("layers", layers, 1 << 16);
  require("heads", heads, 1 << 16);
  require("max_positions", max_positions, kMostPositions);
  if (kv_heads == 0) kv_heads = heads;
  if (head_dim == 0) {
    if (hidden_size % heads != 0) refuse("hidden_size", "a multiple of heads " + std::to_string(heads), hidden_size);
    head_dim = hidden_size / heads;
  }
  if (intermediate_size == 0) intermediate_size = gated ? round_up(8 * hidden_size / 3, 64) : 4 * hidden_size;
  require("kv_heads", kv_heads, heads);
  if (heads % kv_heads != 0) refuse("heads", "a multiple of kv_heads " + std::to_string(kv_heads), heads);
  require("head_dim", head_dim, kMostHeadDim);
  require("intermediate_size", intermediate_size, kMost);
  if (sliding_window < 0) refuse("sliding_window", "0 (none) or more", sliding_window);
  for (double rate : {attention_dropout, residual_dropout, embedding_dropout})
    if (!(rate >= 0 && rate < 1)) throw Error("model config: dropout rates lie in [0, 1)");
  if (matrix_numbers() > kMostNumbers) throw Error("model config: more than 10^13 parameters");
}

double ModelConfig::matrix_numbers() const {
  auto d = [](int64_t n) { return static_cast<double>(n); };
  double attention = d(hidden_size) * d(2 * heads + 2 * kv_heads) * d(head_dim);
  double ffn = d(hidden_size) * d(intermediate_size) * (gated ? 3 : 2);
  return d(vocab_size) * d(hidden_size) * (tie_embeddings ? 1 : 2) + d(layers) * (attention + ffn);
}

}  // namespace llmkit::models
