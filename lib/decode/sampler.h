// Token sampling as a chain of small steps. Each step looks at the candidates (token ids with unnormalised
// log-probabilities) and re-scales, removes or picks; the chain then draws one token. What a step removed stays
// visible through `explain`.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/registry.h"

namespace llmkit::decode {

struct Candidate {
  int32_t id;
  float logit;
};

// The tokens that can still be drawn. Ties are always resolved towards the smaller id.
class Candidates {
 public:
  explicit Candidates(std::span<const float> logits);  // every token of the vocabulary
  explicit Candidates(std::vector<Candidate> items) : items_(std::move(items)) {}

  std::vector<Candidate>& items() { return items_; }
  const std::vector<Candidate>& items() const { return items_; }
  size_t size() const { return items_.size(); }

  // Orders by logit, largest first; only the first `count` need be in place afterwards (0 = all). O(V + count log
  // count).
  void order(size_t count = 0);
  // Keeps the first `count` items.
  void keep(size_t count) { items_.resize(std::min(count, items_.size())); }
  // softmax of the logits, in item order, in double.
  std::vector<double> probabilities() const;
  // Position of the largest logit.
  size_t argmax() const;

 private:
  std::vector<Candidate> items_;
  size_t ordered_ = 0;  // how many leading items are known to be in order
};

// What has been read and written so far, for penalties.
struct History {
  std::span<const int32_t> prompt;
  std::span<const int32_t> generated;
};

class Sampler {
 public:
  virtual ~Sampler() = default;
  virtual void apply(Candidates& candidates, const History& history) const = 0;
};

const Registry<Sampler>& samplers();  // samplers.def

// One line of an explanation: the state after a step.
struct Step {
  std::string name;
  size_t left;                      // candidates left
  std::vector<Candidate> top;       // the first few, with
  std::vector<double> probability;  // their probabilities
};

class Chain {
 public:
  // Specs such as "temperature:t=0.8" in the order in which they are applied. No step = draw from the softmax.
  explicit Chain(std::span<const std::string> specs);

  // Draws a token with `uniform` in [0, 1) as its only source of chance. `explanation` may be null.
  int32_t draw(std::span<const float> logits, const History& history, double uniform,
               std::vector<Step>* explanation = nullptr) const;
  const std::vector<std::string>& specs() const { return specs_; }

 private:
  std::vector<std::string> specs_;
  std::vector<std::unique_ptr<Sampler>> steps_;
};

// The specs of the usual options: temperature 0 means greedy; top_k 0, top_p 1 and min_p 0 are off. The order is
// Hugging Face's: penalty, temperature, top-k, top-p, min-p.
struct SamplingOptions {
  double temperature = 1.0;
  int64_t top_k = 0;
  double top_p = 1.0;
  double min_p = 0.0;
  double repetition_penalty = 1.0;
};
std::vector<std::string> sampling_specs(const SamplingOptions& options);

}  // namespace llmkit::decode
