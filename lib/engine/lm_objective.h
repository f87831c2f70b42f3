// The objective of a language model: the mean negative log-likelihood of the next token over the targets that a
// BatchSource names. Pre-training and instruction tuning differ only in the source.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "engine/loader.h"
#include "engine/objective.h"
#include "models/model.h"
#include "tensor/tape.h"
#include "tokenizer/tokenizer.h"

namespace llmkit::engine {

struct LmOptions {
  Precision precision = Precision::f32;
  uint64_t seed = 0;
  bool keep_packed = false;     // TapeOptions::keep_packed: a step has several micro-batches
  size_t activation_bytes = 0;  // of a step, where they were planned: one block then, with nothing lost between blocks
  double z_loss = 0;            // weight of log²(Σ e^logit), in the training loss alone
  const tokenizer::Tokenizer* tokenizer = nullptr;  // for bits per byte, samples and the saved folders; may be null
  std::string prompt;  // samples start with it; empty = with the end-of-text token or, without one, a line break
  int64_t sample_tokens = 200;  // 0 = no samples
  double temperature = 0.8;
  std::vector<std::vector<int32_t>> probes;  // texts whose perplexity is followed, each scored from its second token on
};

class LmObjective final : public Objective {
 public:
  LmObjective(models::Model& model, BatchSource& source, Parallel& parallel, const LmOptions& options);

  StepShape begin(int64_t step) override;
  double accumulate(int64_t step, int64_t micro) override;
  void observe(std::vector<Activation>* layers) override { watched_ = layers; }
  void observe_backward(BackwardObserver* observer) override { tape_.observe_backward(observer); }
  void set_loss_scale(double scale) override { loss_scale_ = scale; }
  // val_loss (nats per target), val_perplexity and, with a tokenizer, val_bits_per_byte: bits of all targets over the
  // bytes that they stand for; of several sources also val_loss_NAME each. The sums go in stream order, so they do not
  // depend on the batch size. Of probes, probe_perplexity over all their tokens, and probe_perplexity_N of each of the
  // first sixteen.
  std::vector<NamedValue> validate() override;
  std::string sample(int64_t step) override;
  // A Hugging Face folder, tokenizer included.
  void save_weights(const std::string& folder) override;
  void load_weights(const std::string& folder) override;

  TapeMemory peak_memory() const { return tape_.peak(); }

 private:
  void validate_source(std::vector<NamedValue>& values);
  void validate_probes(std::vector<NamedValue>& values);
  void watch(int64_t layer, const Tensor& state);
  models::TokenBatch view(const LmBatch& batch, bool dropout) const;

  models::Model& model_;
  BatchSource& source_;
  Parallel& parallel_;
  LmOptions options_;
  Tape tape_;
  LmBatch batch_;
  std::vector<float> weights_;
  double target_weight_ = 0, loss_scale_ = 1;
  std::vector<Activation>* watched_ = nullptr;
};

}  // namespace llmkit::engine
