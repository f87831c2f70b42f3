#include "models/decoder.h"

#include <cmath>
#include <cstring>

#include "nn/activation.h"

namespace llmkit::models {
namespace {

std::string with_number(const char* name, const char* key, double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%s:%s=%.17g", name, key, value);
  return text;
}

class DecoderState : public DecodeState {
 public:
  explicit DecoderState(std::vector<std::unique_ptr<nn::LayerState>> layers) : layers_(std::move(layers)) {}

  int64_t length() const override { return layers_[0]->length(); }
  void truncate(int64_t length) override {
    for (auto& layer : layers_) layer->truncate(length);
  }
  std::unique_ptr<DecodeState> fork() const override {
    std::vector<std::unique_ptr<nn::LayerState>> copies;
    for (auto& layer : layers_) copies.push_back(layer->fork());
    return std::make_unique<DecoderState>(std::move(copies));
  }
  void reserve(int64_t tokens) override {
    for (auto& layer : layers_) layer->reserve(tokens);
  }
  size_t bytes() const override {
    size_t n = 0;
    for (auto& layer : layers_) n += layer->bytes();
    return n;
  }
  nn::LayerState* layer(size_t l) { return layers_[l].get(); }

 private:
  std::vector<std::unique_ptr<nn::LayerState>> layers_;
};

// The rows of x that logits are wanted for, in chunk order.
Tensor wanted_rows(Tape& tape, const Tensor& x, std::span<const DecodeChunk> chunks, int64_t rows) {
  Tensor picked = tape.output({rows, x.dim(-1)}, x.dtype(), false);
  auto row_bytes = static_cast<size_t>(x.dim(-1) * element_bytes(x.dtype()));
  auto* from = static_cast<const std::byte*>(x.node().data);
  auto* to = static_cast<std::byte*>(picked.node().data);
  for (const DecodeChunk& chunk : chunks) {
    size_t n = chunk.tokens.size(), wanted = static_cast<size_t>(chunk.logit_rows());
    std::memcpy(to, from + (n - wanted) * row_bytes, wanted * row_bytes);
    from += n * row_bytes;
    to += wanted * row_bytes;
  }
  return picked;
}

// The context in memory that lasts until the backward is done.
const nn::BatchContext& keep(Tape& tape, const nn::BatchContext& context) {
  nn::BatchContext copy = context;
  auto rows = static_cast<int64_t>(context.positions.size());
  copy.positions = {tape.save_copy(context.positions.data(), rows), context.positions.size()};
  if (!context.documents.empty())
    copy.documents = {tape.save_copy(context.documents.data(), rows), context.documents.size()};
  return tape.keep(copy);
}

// One layer whose intermediate values are released at once: `next` (allocated before) takes the result.
template <class F>
void run_released(Tape& tape, const Tensor& next, F layer) {
  Tape::Scope scope(tape);
  Tensor y = layer();
  if (!tape.planning()) std::memcpy(next.node().data, y.node().data, static_cast<size_t>(y.bytes()));
}

}  // namespace

Decoder::Decoder(const ModelConfig& config, const ModelOptions& options) {
  config_ = config;
  recompute_ = options.recompute;
  config_.complete();
  const ModelConfig& c = config_;
  parameters_ = std::make_unique<nn::ParameterStore>(options.dtype);
  nn::ParameterStore& store = *parameters_;

  std::string norm = with_number(c.norm.c_str(), "epsilon", c.norm_epsilon);
  double deviation = c.initializer_range;
  double output_deviation = deviation / std::sqrt(2.0 * static_cast<double>(c.layers));  // Radford et al. 2019, 2.3
  ops::Activation activation = nn::activations().make(c.activation)->kernel();

  tokens_ = store.add({"embedding.token.weight", {c.vocab_size, c.hidden_size}, nn::Init::normal, deviation, true});
  position_ = nn::positions().make(c.position == "rope" ? with_number("rope", "theta", c.rope_theta) : c.position);
  position_->declare(store, {c.max_positions, c.hidden_size, c.head_dim, deviation});
  for (int64_t l = 0; l < c.layers; ++l) {
    nn::BlockSpec spec;
    auto layer = static_cast<uint64_t>(l);
    spec.norm = norm;
    spec.attention = {c.hidden_size, c.heads,   c.kv_heads,       c.head_dim,          c.sliding_window,   c.qkv_bias,
                      c.output_bias, deviation, output_deviation, c.attention_dropout, c.residual_dropout, layer};
    spec.feed_forward = {c.hidden_size, c.intermediate_size, activation,         c.gated, c.ffn_bias,
                         deviation,     output_deviation,    c.residual_dropout, layer};
    blocks_.push_back(std::make_unique<nn::Block>(store, "layers." + std::to_string(l), spec));
  }
  final_norm_ = nn::norms().make(norm);
  final_norm_->declare(store, "final_norm", c.hidden_size);
  head_ = c.tie_embeddings
              ? tokens_
              : store.add({"head.weight", {c.vocab_size, c.hidden_size}, nn::Init::normal, deviation, true});
  store.allocate(options.training, options.planning);
}

Tensor Decoder::hidden(Tape& tape, const TokenBatch& batch) {
  nn::BatchContext context;
  context.sequences = batch.sequences;
  context.length = batch.length;
  context.positions = batch.positions;
  context.documents = batch.documents;
  context.first_sequence_id = batch.first_sequence_id;
  context.dropout = batch.dropout;
  auto rows = static_cast<size_t>(batch.tokens_total());
  if (batch.positions.empty()) {
    int32_t* numbers = tape.save<int32_t>(batch.tokens_total());
    if (!tape.planning())
      for (int64_t i = 0; i < batch.tokens_total(); ++i) numbers[i] = static_cast<int32_t>(i % batch.length);
    context.positions = {numbers, rows};
  }
  std::span<const int32_t> tokens =
      tape.planning() ? std::span<const int32_t>(static_cast<const int32_t*>(nullptr), rows) : batch.tokens;
  if (tokens.size() != rows || context.positions.size() != rows ||
      (!batch.documents.empty() && batch.documents.size() != rows))
    throw Error("a batch of " + std::to_string(rows) + " tokens needs as many tokens, positions and documents");

  const nn::ParameterStore& store = *parameters_;
  Tensor x = position_->embed(tape, store, ops::embedding(tape, store.tensor(tokens_), tokens), context.positions);
  x = ops::dropout(tape, x, context.site(config_.embedding_dropout, 0, nn::Site::embedding));
  if (tape.recording()) {
    const nn::BatchContext& kept = recompute_ == nn::Recompute::none ? context : keep(tape, context);
    for (size_t l = 0; l < blocks_.size(); ++l) {
      x = blocks_[l]->forward(tape, store, *position_, x, kept, recompute_);
      tape.show(static_cast<int64_t>(l), x);
    }
  } else {
    Tensor next = tape.output(x.shape(), x.dtype(), false);
    for (auto& block : blocks_) {
      run_released(tape, next, [&] { return block->forward(tape, store, *position_, x, context); });
      std::swap(x, next);
    }
  }
  return final_norm_->forward(tape, store, x);
}

std::unique_ptr<DecodeState> Decoder::new_state() const {
  std::vector<std::unique_ptr<nn::LayerState>> layers;
  for (auto& block : blocks_) layers.push_back(block->new_state(parameters_->dtype()));
  return std::make_unique<DecoderState>(std::move(layers));
}

void Decoder::decode(Tape& tape, std::span<const DecodeChunk> chunks, std::span<float> logits) {
  Tape::Scope scope(tape);
  Tape::Pause pause(tape);
  int64_t rows = 0, logit_rows = 0;
  for (const DecodeChunk& chunk : chunks) {
    auto n = static_cast<int64_t>(chunk.tokens.size());
    if (n == 0) throw Error("decode: a chunk without tokens");
    if (chunk.state->length() + n > config_.max_positions)
      throw Error({.what = "sequence longer than the model's context",
                   .where = {},
                   .expected = "at most " + std::to_string(config_.max_positions) + " tokens",
                   .found = std::to_string(chunk.state->length() + n),
                   .hint = {}});
    rows += n;
    logit_rows += chunk.logit_rows();
  }
  if (static_cast<int64_t>(logits.size()) != logit_rows * config_.vocab_size)
    throw Error("decode: room for " + std::to_string(logit_rows) + " rows of logits expected");
  if (rows == 0) return;

  int32_t* tokens = tape.save<int32_t>(rows);
  int32_t* positions = tape.save<int32_t>(rows);
  auto* parts = tape.save<nn::DecodeContext::Part>(static_cast<int64_t>(chunks.size()));
  int64_t row = 0;
  for (const DecodeChunk& chunk : chunks)
    for (size_t i = 0; i < chunk.tokens.size(); ++i, ++row) {
      tokens[row] = chunk.tokens[i];
      positions[row] = static_cast<int32_t>(chunk.state->length() + static_cast<int64_t>(i));
    }
  std::span<const int32_t> all_positions(positions, static_cast<size_t>(rows));
  nn::DecodeContext context{{parts, chunks.size()}, all_positions};

  const nn::ParameterStore& store = *parameters_;
  Tensor x = position_->embed(
      tape, store, ops::embedding(tape, store.tensor(tokens_), {tokens, static_cast<size_t>(rows)}), all_positions);
  Tensor next = tape.output(x.shape(), x.dtype(), false);
  for (size_t l = 0; l < blocks_.size(); ++l) {
    for (size_t i = 0; i < chunks.size(); ++i)
      parts[i] = {static_cast<DecoderState*>(chunks[i].state)->layer(l), static_cast<int64_t>(chunks[i].tokens.size())};
    run_released(tape, next, [&] { return blocks_[l]->decode(tape, store, *position_, x, context); });
    std::swap(x, next);
  }
  Tensor last = final_norm_->forward(tape, store, wanted_rows(tape, x, chunks, logit_rows));
  Tensor z = ops::linear(tape, last, head());
  dispatch(z.dtype(), [&]<class T>() {
    for (int64_t i = 0; i < z.size(); ++i) logits[static_cast<size_t>(i)] = static_cast<float>(z.data<T>()[i]);
  });
}

}  // namespace llmkit::models
