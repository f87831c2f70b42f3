// A language model: parameters, the forward for training (on a Tape) and the cached forward for decoding.
//
//   Tape tape(parallel, {.seed = seed});
//   tape.begin(step);
//   Tensor loss = model->loss(tape, batch, targets, weights);   // Σ wᵢ·(-log p(targetᵢ))
//   tape.backward(loss);                                        // adds into model->parameters()
//
// A model holds no state besides its parameters: several tapes may use it, one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "models/config.h"
#include "nn/block.h"
#include "nn/parameters.h"
#include "tensor/tape.h"

namespace llmkit::models {

using nn::Recompute;
Recompute parse_recompute(const std::string& name);  // none, attention, block; UsageError otherwise

// Rows of tokens, all of the same length (pad at the end: a causal row does not see what follows it).
struct TokenBatch {
  int64_t sequences = 0, length = 0;
  std::span<const int32_t> tokens;     // [sequences, length]
  std::span<const int32_t> positions;  // [sequences, length]; empty = 0 … length-1 in each row
  std::span<const int32_t> documents;  // [sequences, length] ids: a token sees its own document only; empty = whole row
  uint64_t first_sequence_id = 0;      // the step-wide number of row 0: names the dropout streams
  bool dropout = true;                 // false in validation
  int64_t tokens_total() const { return sequences * length; }
};

// What one sequence has behind it: keys and values (or whatever the attention kind keeps) of its tokens.
class DecodeState {
 public:
  virtual ~DecodeState() = default;
  virtual int64_t length() const = 0;         // tokens held
  virtual void truncate(int64_t length) = 0;  // forget the tokens from `length` on
  virtual std::unique_ptr<DecodeState> fork() const = 0;
  virtual void reserve(int64_t tokens) = 0;  // grow now rather than while decoding
  virtual size_t bytes() const = 0;
};

struct DecodeChunk {
  DecodeState* state = nullptr;     // appended to; a state appears once in a call
  std::span<const int32_t> tokens;  // at least one
  bool all_logits = false;          // logits after every token, not only after the last
  int64_t logit_rows() const { return all_logits ? static_cast<int64_t>(tokens.size()) : 1; }
};

struct PlanRequest {
  int64_t sequences = 1, length = 1;  // of a micro-batch
  Precision precision = Precision::f32;
  bool training = true;
  int64_t optimizer_slots = 2;  // state numbers per parameter (AdamW 2)
  int64_t gradient_blocks = 1;  // sums of gradients that are held at once
  Recompute recompute = Recompute::none;
  bool keep_packed = false;  // TapeOptions::keep_packed
};
struct MemoryPlan {        // bytes
  int64_t parameters = 0;  // numbers, not bytes
  size_t weights = 0, gradients = 0, optimizer = 0, packed_weights = 0;
  size_t activations = 0, activation_gradients = 0, workspace = 0;
  size_t program = 0;  // what the process holds beside the model: its code, the tokenizer, mapped data
  size_t total() const {
    return weights + gradients + optimizer + packed_weights + activations + activation_gradients + workspace + program;
  }
  std::string text() const;  // a table for a person
};

struct ModelOptions {
  DType dtype = DType::f32;
  bool training = true;   // false: no gradient block
  bool planning = false;  // no memory: for plan()
  Recompute recompute = Recompute::none;
};

class Model {
 public:
  virtual ~Model() = default;

  // A fresh model; its weights are a function of (config, seed).
  static std::unique_ptr<Model> create(const ModelConfig& config, uint64_t seed, Parallel& parallel,
                                       const ModelOptions& options = {});
  // From a Hugging Face folder: config.json and model.safetensors (one file, or shards with an index).
  static std::unique_ptr<Model> load(const std::string& folder, Parallel& parallel, const ModelOptions& options = {});
  // Sizes a step of such a model without allocating it.
  static MemoryPlan plan(const ModelConfig& config, const PlanRequest& request);

  // Writes config.json, generation_config.json and model.safetensors into an existing folder, as Hugging Face would.
  void save(const std::string& folder) const;
  // Weights only, by their Hugging Face names: what save() and load() do to model.safetensors.
  void save_weights(const std::string& path) const;
  void load_weights(const std::string& path, Parallel& parallel);

  const ModelConfig& config() const { return config_; }
  ModelConfig& config() { return config_; }  // token ids and dropout rates may be changed; shapes may not
  nn::ParameterStore& parameters() { return *parameters_; }
  const nn::ParameterStore& parameters() const { return *parameters_; }

  // The state after the final norm, [sequences·length, hidden].
  virtual Tensor hidden(Tape& tape, const TokenBatch& batch) = 0;
  // The output matrix, [vocab, hidden].
  virtual Tensor head() const = 0;

  // Scalar Σ wᵢ·(-log p(targetᵢ)) over the batch's tokens; the caller puts 1/count into the weights. targetᵢ is the
  // token that follows tokenᵢ; a negative target or a zero weight leaves it out. The gradient of the head is computed
  // at once, so this must be the scalar that backward() starts from (seed gradient 1). z-loss: wᵢ·z_weight·lse² is
  // added, with lse the log-sum-exp of the logits (Chowdhery et al., PaLM, 2022, section 5).
  Tensor loss(Tape& tape, const TokenBatch& batch, std::span<const int32_t> targets, std::span<const float> weights,
              double z_weight = 0);
  // log p(targetᵢ) as a tensor [tokens] to build other objectives on (DPO, GRPO, distillation).
  Tensor logprobs(Tape& tape, const TokenBatch& batch, std::span<const int32_t> targets);
  // The same without a record, copied out; 0 where the target is negative.
  void logprobs(Tape& tape, const TokenBatch& batch, std::span<const int32_t> targets, std::span<float> out);
  // Logits [tokens, vocab] of a whole batch, not recorded; for tests and small vocabularies.
  Tensor logits(Tape& tape, const TokenBatch& batch);

  virtual std::unique_ptr<DecodeState> new_state() const = 0;
  // Appends each chunk to its state and writes logits [Σ logit_rows, vocab] in chunk order. A sequence's logits do not
  // depend on the others in the call, nor on how its tokens are cut into chunks. `tape` lends memory; nothing is
  // recorded.
  virtual void decode(Tape& tape, std::span<const DecodeChunk> chunks, std::span<float> logits) = 0;

 protected:
  ModelConfig config_;
  std::unique_ptr<nn::ParameterStore> parameters_;
};

}  // namespace llmkit::models
